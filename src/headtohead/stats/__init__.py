"""Statistics on predictions: metrics, intervals, tests, calibration and decisions. Imports `core` alone."""
