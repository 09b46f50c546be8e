"""Metrics of predictions: the registry and how each is computed."""
