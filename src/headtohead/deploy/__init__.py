"""A model to ship."""
