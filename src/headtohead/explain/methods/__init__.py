"""Methods for scores that are not a sum over places: gradients, and hiding parts of the image."""
