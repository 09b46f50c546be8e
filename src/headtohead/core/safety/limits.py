"""Limits on what data may ask for, by name; each can be raised with `--limit NAME=NUMBER` or HEADTOHEAD_LIMITS."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping

from headtohead.core.errors import UsageError, unknown_name

__all__ = ["ENVIRONMENT", "LIMITS", "limit", "parse_limits", "raise_hint"]

ENVIRONMENT = "HEADTOHEAD_LIMITS"
"""Environment variable with limits such as "pixels=200000000,table-rows=9000000"; child processes inherit it."""

MIB = 1 << 20
LIMITS: Mapping[str, tuple[int, str]] = {
    "file-bytes": (1024 * MIB, "bytes of one file"),
    "pixels": (64_000_000, "pixels of one image"),
    "frames": (20_000, "pages, frames or slices of one file"),
    "voxels": (400_000_000, "voxels of one volume"),
    "unfolded-bytes": (1024 * MIB, "bytes that one compressed stream unfolds to"),
    "elements": (250_000, "items in the sequences of one DICOM file"),
    "seconds": (300, "seconds that reading one file may take"),
    # Four threads of usual images fit; two files that claim the most that one may do not.
    "memory-bytes": (1024 * MIB, "bytes that all files being decoded claim together"),
    "archive-members": (500_000, "members of one archive"),
    "archive-bytes": (512 * 1024 * MIB, "bytes that one archive unpacks to"),
    "member-bytes": (1024 * MIB, "bytes that one member of an archive unpacks to"),
    "path-parts": (64, "folders in one path of an archive"),
    "table-bytes": (128 * MIB, "bytes of one table"),
    "table-unfolded-bytes": (512 * MIB, "bytes that one Parquet file or workbook unfolds to"),
    "table-rows": (5_000_000, "rows of one table"),
    "table-columns": (20_000, "columns of one table"),
    # About 100 bytes each while a table is read: 1 GiB.
    "table-cells": (10_000_000, "cells of one table"),
    "folders": (1_000_000, "folders that links in the data lead to"),
    "files": (5_000_000, "files below the data's root"),
    "record-bytes": (256 * MIB, "bytes of one JSON or TOML file of a run folder or model"),
    "pattern-seconds": (5, "seconds that a pattern may take on all paths"),
}
"""Name -> default and what it bounds."""


def parse_limits(text: str) -> dict[str, int]:
    """Return name -> number of "name=number,name=number".

    Raises:
        UsageError: an unknown name, or something else than a whole number above 0.

    >>> parse_limits("pixels=200_000_000, table-rows=9000000")
    {'pixels': 200000000, 'table-rows': 9000000}
    """
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = (word.strip() for word in part.partition("="))
        if name not in LIMITS:
            raise unknown_name("limit", name, LIMITS)
        plain = number.replace("_", "")
        # 18 digits stay below 2**63
        if not (plain.isascii() and plain.isdigit() and len(plain) < 19) or int(plain) < 1:
            raise UsageError(f"The limit {name} is {number[:40]!r}; expected a whole number above 0.")
        found[name] = int(plain)
    return found


@functools.lru_cache(maxsize=8)  # by its text, since the environment may change between two calls
def _stated(text: str) -> Mapping[str, int]:
    return parse_limits(text)


def limit(name: str) -> int:
    """Return a limit: as HEADTOHEAD_LIMITS states it, else the default.

    >>> limit("pixels")
    64000000
    """
    return _stated(os.environ.get(ENVIRONMENT, "")).get(name, LIMITS[name][0])


def raise_hint(name: str) -> str:
    """Return the words that name a limit and how to raise it, for the end of a message.

    >>> raise_hint("pixels")
    'the limit is 64,000,000 (--limit pixels=NUMBER raises it)'
    """
    return f"the limit is {limit(name):,} (--limit {name}=NUMBER raises it)"
