"""Controllers for awnas: which architectures to look at next."""
