"""What the torch packages of awnas share: seeded scopes, optimizers, exact data queues, counting."""
