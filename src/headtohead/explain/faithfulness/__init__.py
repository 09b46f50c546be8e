"""Whether a map can be believed: measures against masks, randomisation, repeatability, and planted frauds."""
