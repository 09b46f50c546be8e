"""What is trained on a backbone, one cell (contender, repeat, fold) at a time."""
