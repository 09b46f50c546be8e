"""Calibration of probabilities: measured, and mended on inner predictions."""
