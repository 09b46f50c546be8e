"""L2-regularised logistic regression on standardised rows, in the span of the samples."""

from __future__ import annotations

from headtohead.training.logistic.design import FittedProbe, StandardizedDesign, fit_probe

__all__ = ["FittedProbe", "StandardizedDesign", "fit_probe"]
