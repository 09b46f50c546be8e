"""Maps of the images of a finished run, made by heads that were not trained on them, and their files."""
