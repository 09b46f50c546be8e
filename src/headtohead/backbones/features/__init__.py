"""Frozen features: views, inference, precision, cache."""
