"""Cell search spaces for awnas."""
