"""Which pictures show the same scene: candidates by hash, proof by alignment, groups without chains."""
