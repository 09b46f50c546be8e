"""Answers of a hub, before its client makes file names of them: a hostile server must not choose where a file lies.

huggingface_hub joins the ETag and the commit of an answer to paths of its cache as they come (seen in 2.4.0), so that
an ETag of `../../x` leads out of the cache. Every answer is looked at as it arrives, redirects included. The ETag of a
download itself is left alone: it names nothing, and servers of large files have slashes in theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["HostileAnswerError", "check_headers", "watch_hub"]

NAMED = ("etag", "x-linked-etag", "x-repo-commit")
"""The headers that become file names: the first two of answers to HEAD, the last of every answer."""

LONGEST = 200  # characters; a sha256 has 64, and a file name may have 255 with the ending of the client


class HostileAnswerError(OSError):
    """A server's answer names a place outside the cache."""


def check_headers(headers: Mapping[str, str], *, is_head: bool = True) -> None:
    """Refuse headers that could not be the name of one file.

    >>> check_headers({"etag": 'W/"0123abcd"', "x-repo-commit": "0123abcd"})

    Args:
        headers: of an answer; names in small letters, or a mapping that ignores case.
        is_head: whether it answers a HEAD.

    Raises:
        HostileAnswerError: a header holds a separator of folders, a drive or a control character, or is `.` or `..`.
    """
    for name in NAMED if is_head else NAMED[-1:]:
        stated = headers.get(name)
        if stated is None:
            continue
        bare = stated.removeprefix("W/").strip('"')  # a weak ETag (RFC 9110, 8.8.3)
        if (
            bare in (".", "..")
            or not bare.isprintable()
            or any(mark in bare for mark in "/\\")
            or bare[1:2] == ":"  # a drive of Windows
        ):
            raise HostileAnswerError(f"the server's {name} {stated[:80]!r} is no name of a file")
        if len(bare) > LONGEST:
            raise HostileAnswerError(f"the server's {name} has {len(bare):,} characters")


def watch_hub(hub: Any) -> None:
    """Have every answer to the hub's client checked; call it before each use, since a fork makes a new client.

    Args:
        hub: the module `huggingface_hub`, whose client is of httpx from 1.0 on and of requests before.
    """
    session = hub.utils.get_session()
    hooks = session.event_hooks if hasattr(session, "event_hooks") else session.hooks
    if _look not in hooks["response"]:
        hooks["response"].append(_look)


def _look(response: Any, *_: object, **__: object) -> None:
    check_headers(response.headers, is_head=response.request.method == "HEAD")
