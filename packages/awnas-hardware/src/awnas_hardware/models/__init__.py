"""Models of what a network costs, fitted on counts of its primitives."""
