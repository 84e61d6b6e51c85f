"""Networks with choices, ready to search."""
