"""The table format: one memory-mapped file of metrics for every architecture of a benchmark."""
