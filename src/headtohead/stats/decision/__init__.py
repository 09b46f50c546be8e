"""Decisions on probabilities: operating points, net benefit, conformal sets, subgroups."""
