"""Which files the options `include` and `exclude` select."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection, Iterable, Sequence

from headtohead.core.errors import InsufficientDataError, NoEffectError
from headtohead.data.file_problems import truncate_list

__all__ = ["filter_paths"]


def filter_paths(paths: Collection[str], include: Sequence[str], exclude: Sequence[str]) -> set[str]:
    """Return the paths that fit one of `include` (all where there is none) and none of `exclude`.

    A pattern without a slash is compared with the file name and with each folder, one with a slash with the whole path;
    `*` stands for any characters, slashes too. Letter case does not matter.

    Args:
        paths: relative to the data, with forward slashes.

    Raises:
        NoEffectError: a pattern that fits no path.
        InsufficientDataError: nothing is left.

    >>> sorted(filter_paths(["a/1_t1.png", "a/1_seg.png", "runs/x.png"], (), ["*_seg.*", "runs"]))
    ['a/1_t1.png']
    """
    tests = {pattern: _compiled(pattern) for pattern in (*include, *exclude)}
    for pattern, test in tests.items():
        if paths and not any(_fits(path, test) for path in paths):
            option = "include" if pattern in include else "exclude"
            raise NoEffectError(
                f"{option} {pattern!r} fits none of {len(paths)} files, such as {truncate_list(sorted(paths), 3)}. A "
                "pattern without a slash is compared with the file name and with each folder, one with a slash with "
                "the whole path; * stands for any characters."
            )
    kept = {
        path
        for path in paths
        if (not include or _any_fits(path, (tests[p] for p in include)))
        and not _any_fits(path, (tests[p] for p in exclude))
    }
    if paths and not kept:
        raise InsufficientDataError(
            f"include={list(include)} and exclude={list(exclude)} leave none of {len(paths)} files."
        )
    return kept


def _compiled(pattern: str) -> tuple[re.Pattern[str], bool]:
    """Return the pattern as a regular expression, and whether it is about whole paths."""
    plain = pattern.replace("\\", "/").removeprefix("./").rstrip("/").casefold()
    return re.compile(fnmatch.translate(plain)), "/" in plain


def _fits(path: str, test: tuple[re.Pattern[str], bool]) -> bool:
    pattern, whole = test
    plain = path.casefold()
    if whole:
        # A folder stands for all that lies in it.
        return any(pattern.match(part) for part in (plain, *_parents(plain)))
    return any(pattern.match(part) for part in plain.split("/"))


def _parents(path: str) -> Iterable[str]:
    parts = path.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts)))


def _any_fits(path: str, tests: Iterable[tuple[re.Pattern[str], bool]]) -> bool:
    return any(_fits(path, test) for test in tests)
