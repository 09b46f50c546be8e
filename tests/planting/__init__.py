"""Synthetic images and defects that several tests and benchmarks plant."""
