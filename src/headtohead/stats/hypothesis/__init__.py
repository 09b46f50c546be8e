"""Paired tests and intervals of a difference between two contenders, multiplicity and power."""
