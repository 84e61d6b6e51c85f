"""Layers whose sizes may be choices: they hold the largest weights, and compute with a slice of them."""
