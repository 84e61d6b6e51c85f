"""The networks that tabular benchmarks trained."""
