"""Commands from verdict to use: train, predict, evaluate."""
