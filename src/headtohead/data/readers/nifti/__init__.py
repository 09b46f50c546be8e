"""NIfTI volumes, sliced."""
