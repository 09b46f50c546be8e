"""Verdict on out-of-fold predictions: decision rule, paired comparisons, sentences, reporting checklists."""
