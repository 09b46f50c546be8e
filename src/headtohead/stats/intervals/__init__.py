"""Confidence intervals of a score: resampling of groups, analytic variances, exact proportions."""
