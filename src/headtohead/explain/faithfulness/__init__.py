"""Checks and measures of how faithful a map is."""
