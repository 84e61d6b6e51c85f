"""The arena: searches by several algorithms, many seeds each, compared at equal cost."""
