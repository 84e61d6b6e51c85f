"""Primitives, supernets and final models for awnas."""
