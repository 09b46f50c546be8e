"""`headtohead cache`: what is kept between runs, how large and how old it is, and removing it."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from headtohead.cli.config_options import split_list
from headtohead.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headtohead.core.cache_contents import CacheEntry

__all__ = ["register"]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, for scripts.")]
Kinds = Annotated[
    str | None,
    typer.Option(
        "--kind",
        metavar="A,B",
        show_default=False,
        help="Only these: features, crops, weights, hub, networks, graphs, summaries.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")]


def register(app: typer.Typer) -> None:
    """Add the commands `cache list`, `cache prune` and `cache clear`."""
    topic = typer.Typer(
        help="What is kept between runs (HEADTOHEAD_HOME): list it, remove what is old, remove all.",
        no_args_is_help=True,
    )
    topic.command("list")(_list)
    topic.command("prune")(_prune)
    topic.command("clear")(_clear)
    app.add_typer(topic, name="cache")


def _list(kind: Kinds = None, as_json: AsJson = False) -> None:
    """List what is kept: sizes, and days since it was last written; the largest first.

    Example: headtohead cache list
    """
    from headtohead.core.cache_contents import cache_entries, foreign_names, select_entries
    from headtohead.core.cache_home import cache_home

    entries, others = select_entries(cache_entries(), kinds=split_list(kind)), foreign_names()
    if as_json:
        kept = {"home": str(cache_home()), "entries": [_record(entry) for entry in entries], "others": others}
        print(json.dumps(kept, indent=1))
        return
    print(f"{cache_home()}: {_total(entries)}")
    for entry in entries:
        print(f"  {_size(entry.n_bytes):>9}  {entry.age / 86400:6.1f} days  {entry.kind}/{entry.name}")
    if others:
        print(f"Not made by headtohead, or links; never removed: {', '.join(others)}")


def _prune(
    older_than: Annotated[
        str,
        typer.Option(
            "--older-than", metavar="AGE", show_default=False, help="Last written before: 30d, 12h, 8w."
        ),
    ],
    kind: Kinds = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Remove what was last written a while ago. Nothing is lost but the time to compute or fetch it again.

    Example: headtohead cache prune --older-than 30d --kind features
    """
    from headtohead.core.cache_contents import cache_entries, parse_age, select_entries

    entries = select_entries(cache_entries(), older_than=parse_age(older_than), kinds=split_list(kind))
    _remove(entries, dry_run=dry_run, as_json=as_json)


def _clear(
    yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
    kind: Kinds = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Remove all that headtohead keeps, fetched weights too.

    Example: headtohead cache clear --kind features --yes
    """
    from headtohead.core.cache_contents import cache_entries, select_entries
    from headtohead.core.cache_home import cache_home

    entries = select_entries(cache_entries(), kinds=split_list(kind))
    if entries and not (yes or dry_run):
        raise UsageError(
            f"This removes {_total(entries)} of {cache_home()}. Add --yes to do it, or --dry-run."
        )
    _remove(entries, dry_run=dry_run, as_json=as_json)


def _remove(entries: Sequence[CacheEntry], *, dry_run: bool, as_json: bool) -> None:
    """Remove entries and say which."""
    from headtohead.core.cache_contents import remove_entries

    removed, busy = (list(entries), []) if dry_run else remove_entries(entries)
    if as_json:
        facts = {"removed": [_record(one) for one in removed], "in_use": [_record(one) for one in busy]}
        print(json.dumps({"dry_run": dry_run, **facts}, indent=1))
        return
    for entry in removed:
        print(f"  {_size(entry.n_bytes):>9}  {entry.kind}/{entry.name}")
    print(f"{'Would remove' if dry_run else 'Removed'} {_total(removed)}.")
    if busy:
        print(f"In use by another process, and kept: {', '.join(entry.name for entry in busy)}")


def _record(entry: CacheEntry) -> dict[str, object]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "path": str(entry.path),
        "bytes": entry.n_bytes,
        "age_days": round(entry.age / 86400, 3),
    }


def _total(entries: Sequence[CacheEntry]) -> str:
    """Return size and counts in words.

    >>> _total([])
    'nothing'
    """
    if not entries:
        return "nothing"
    kinds = Counter(entry.kind for entry in entries)
    counts = ", ".join(f"{n} of {kind}" for kind, n in sorted(kinds.items()))
    return f"{_size(sum(entry.n_bytes for entry in entries))} ({counts})"


def _size(n_bytes: int) -> str:
    """Return a number of bytes in a readable unit.

    >>> _size(2_500_000), _size(900)
    ('2.5 MB', '900 B')
    """
    size = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError("unreachable")
