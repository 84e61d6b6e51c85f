"""Controllers that keep a population of evaluated architectures and breed from it."""
