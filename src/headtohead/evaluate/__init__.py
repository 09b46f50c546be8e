"""What the out-of-fold predictions say, with intervals, paired."""
