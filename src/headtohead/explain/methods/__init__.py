"""Methods for scores that are no sum over places: gradients, and hiding parts of the image."""
