"""Primitives: the operations a cell may put on a connection."""
