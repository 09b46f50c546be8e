"""Metrics of predictions: their record, the registry of all, and how each is computed."""
