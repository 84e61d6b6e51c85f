"""Embedders: cells of any space become vectors, a batch at once."""
