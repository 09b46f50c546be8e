"""Files of predictions from the statistical review, as the project's own code."""
