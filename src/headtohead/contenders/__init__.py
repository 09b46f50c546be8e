"""Contender expressions: parsed, expanded, and turned into heads."""
