"""DICOM in and out: Structured Reports from predictions, and a receiver for C-STORE."""
