"""Which samples show the same scene; the public door to `headtohead.audit.groups`."""

from __future__ import annotations

from headtohead.audit.groups.find import find_groups
from headtohead.audit.groups.records import Chain, DuplicatePair, Grouping

__all__ = ["Chain", "DuplicatePair", "Grouping", "find_groups"]
