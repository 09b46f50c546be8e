"""Regular expressions of the user, with a bound on the time that all their searches take."""

from __future__ import annotations

import re
import time
from typing import Any

import regex

from headtohead.core.errors import UsageError
from headtohead.core.safety.limits import limit

__all__ = ["UserPattern", "first_group"]

Match = re.Match[str] | Any


class UserPattern:
    """A pattern that is searched in many paths.

    A pattern such as `(a+)+$` takes time that doubles with each letter of a name (CWE-1333). Python's `re` cannot be
    stopped; `regex` can, and reads the same patterns (https://github.com/mrabarnett/mrab-regex, version 0 behaviour).

    Args:
        pattern: as the user wrote it.
        option: that it was given with, for messages.
        group: what its group stands for.

    Raises:
        UsageError: it is no regular expression, or has no group.
    """

    def __init__(self, pattern: str, option: str, group: str) -> None:
        try:
            compiled = re.compile(pattern)
            self._compiled = regex.compile(pattern, regex.V0)
        except (re.error, regex.error, OverflowError, RecursionError, MemoryError) as error:
            raise UsageError(f"{option}={pattern!r} is not a regular expression: {error}.") from error
        if compiled.groups == 0:
            raise UsageError(
                f"{option}={pattern!r} has no group in parentheses; expected one around the part that is the "
                f"{group}, "
                r"such as (p\d+)_."
            )
        self._told = f"{option}={pattern!r}"
        self._group = group
        self._left = float(limit("pattern-seconds"))

    def first_group(self, path: str) -> str:
        """Return what the named group, else the first group that took part, matched in a path; "" if nothing.

        Raises:
            UsageError: the searches so far took longer than the limit.
        """
        began = time.process_time()  # of the processor: waiting on a busy machine does not count
        try:
            if self._left <= 0:
                raise TimeoutError
            match = self._compiled.search(path, timeout=self._left)
        except TimeoutError:
            raise UsageError(
                f"{self._told} takes longer than {limit('pattern-seconds')} s, last on {path[:80]!r}: repetitions "
                "inside repetitions, such as (a+)+, try every way to part a name. Write it with one repetition, or "
                "raise the limit with --limit pattern-seconds=NUMBER."
            ) from None
        self._left -= time.process_time() - began
        return first_group(match, self._group)


def first_group(match: Match | None, group: str) -> str:
    """Return what the named group of a match, else the first group that took part, holds; "" if there is none."""
    if match is None:
        return ""
    if group in match.re.groupindex:
        return match[group] or ""
    return next((part for part in match.groups() if part), "")
