"""Whole studies: comparison, search and reproduction, on one run-folder contract."""
