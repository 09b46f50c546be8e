"""Records, errors, configuration and the run folder: what every other room speaks in. No torch."""
