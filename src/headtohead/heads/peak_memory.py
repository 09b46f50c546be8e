"""The largest memory that this process held since a moment, where the system tells it (Linux)."""

from __future__ import annotations

from pathlib import Path

__all__ = ["peak_mib", "reset_peak"]

_RESET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def reset_peak() -> bool:
    """Set the mark to what is held now, and return whether the system could (proc(5), clear_refs)."""
    try:
        _RESET.write_text("5")
    except OSError:
        return False
    return True


def peak_mib() -> float | None:
    """Return the largest resident memory since the mark in MiB, None where the system does not tell."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("VmHWM:")), None)
    return None if found is None else round(int(found.split()[1]) / 1024, 1)
