"""Sentences of a verdict: numbers, pairs of contenders, the answer, and what the numbers do not say."""
