"""All checks, in the order of their codes."""

from __future__ import annotations

from headtohead.audit import added, files, labels, leaks, probes, quality, scenes, size
from headtohead.audit.check import Check
from headtohead.core.errors import unknown_name

__all__ = ["CHECKS", "get_check"]

_ROOMS = (files, quality, added, scenes, leaks, probes, labels, size)
CHECKS: tuple[Check, ...] = tuple(
    sorted((check for room in _ROOMS for check in room.CHECKS), key=lambda check: check.code)
)


def get_check(code: str) -> Check:
    """Return one check by its code.

    Raises:
        UnknownNameError: there is no such code.
    """
    for check in CHECKS:
        if check.code == code.upper():
            return check
    raise unknown_name("check", code, [check.code for check in CHECKS])
