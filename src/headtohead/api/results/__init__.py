"""Results of the public functions: records, data frames and figures, and how they show themselves."""
