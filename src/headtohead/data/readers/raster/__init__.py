"""PNG, JPEG, TIFF, BMP and WebP, bounded before they are decoded."""
