"""A complete third-party plugin of awnas."""
