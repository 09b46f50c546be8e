"""Synthetic pictures and defects that several tests and benchmarks plant."""
