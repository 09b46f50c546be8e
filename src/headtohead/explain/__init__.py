"""Where a contender looked: exact contributions of places, other methods, and whether a map can be believed."""
