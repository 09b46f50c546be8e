"""Pretrained weights: fetched, verified, converted, cached."""
