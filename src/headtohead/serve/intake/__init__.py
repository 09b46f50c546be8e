"""Uploads: read into memory within limits, looked at before they are decoded."""
