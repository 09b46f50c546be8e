"""Calibration of probabilities: measured, and corrected on inner predictions."""
