"""From a finished run to a fitted model with its calibration and its estimate."""
