"""Networks of cells as one would write them from the papers: what benchmarks put beside awnas."""
