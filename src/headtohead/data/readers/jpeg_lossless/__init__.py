"""JPEG Lossless and 12-bit JPEG Extended."""
