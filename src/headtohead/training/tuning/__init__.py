"""Choosing settings inside the training part: trials, their budget and their storage."""
