"""From probabilities to decisions: operating points, net benefit, conformal sets, subgroups."""
