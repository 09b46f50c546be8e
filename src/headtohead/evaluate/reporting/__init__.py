"""Reporting checklists for a paper (CLAIM 2024, TRIPOD+AI, STARD-AI), filled from what a run knows of itself."""
