"""From a finished comparison to a model in use."""
