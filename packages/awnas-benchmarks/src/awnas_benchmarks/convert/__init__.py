"""Converters from the files that benchmarks are published in."""
