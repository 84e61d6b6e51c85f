"""How components are declared, found, isolated and looked up."""
