"""Surrogate benchmarks: models of accuracy instead of tables."""
