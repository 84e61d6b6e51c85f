"""Tabular and surrogate benchmarks for awnas, and an arena to compare searches on them."""
