"""The folder of a deployed model: its records, written, checked and described."""
