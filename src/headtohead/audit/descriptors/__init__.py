"""What is measured of each image for the checks."""
