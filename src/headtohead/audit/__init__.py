"""The audit: whether the data are fit for a comparison, as a list of checks."""
