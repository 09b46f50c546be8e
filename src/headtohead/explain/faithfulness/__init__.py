"""Whether a map can be believed: measures against a known place."""
