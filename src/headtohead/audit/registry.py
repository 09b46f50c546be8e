"""All checks, in the order of their codes."""

from __future__ import annotations

from headtohead.audit.check import Check
from headtohead.audit.checks import artifacts as added
from headtohead.audit.checks import class_names, files, labels, personal
from headtohead.audit.checks import content as scenes
from headtohead.audit.checks import image_quality as quality
from headtohead.audit.checks import leakage as leaks
from headtohead.audit.checks import sample_size as size
from headtohead.audit.checks import shortcuts as probes
from headtohead.core.errors import unknown_name

__all__ = ["CHECKS", "get_check"]

_ROOMS = (files, quality, added, scenes, personal, leaks, probes, labels, class_names, size)
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
