"""Fuzzing of everything that data from others reaches."""
