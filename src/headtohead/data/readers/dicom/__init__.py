"""DICOM files: parsing, decoding, lookup tables, metadata free of personal data."""
