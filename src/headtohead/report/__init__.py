"""The page, its figures and its tables, from the run folder alone."""
