"""What plugin authors test with: contracts to inherit, and toy components with known answers."""
