"""The version, in one place; read by hatchling, the command and every provenance file."""

__version__ = "0.1.0"
