"""From files to predictions: preparation, batches, tables."""
