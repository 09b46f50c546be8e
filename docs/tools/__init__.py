"""Generators of the documentation site."""
