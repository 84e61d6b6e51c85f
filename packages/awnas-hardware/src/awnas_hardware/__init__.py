"""What architectures cost on a device: primitives, measurements, cost models and budgets."""
