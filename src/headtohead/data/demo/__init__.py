"""Synthetic demonstration images with known truth, made from the MNI152 template; no network."""

from headtohead.data.demo.make import CLASSES, POSITIVE, make_demo

__all__ = ["CLASSES", "POSITIVE", "make_demo"]
