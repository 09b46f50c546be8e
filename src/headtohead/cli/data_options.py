"""How images and labels are found: options that every command which reads data takes, each written once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headtohead.cli.common_options import SOURCES, split_list
from headtohead.core.errors import UsageError

if TYPE_CHECKING:
    from headtohead.data.options import LoadOptions

__all__ = ["load_options", "split_pairs", "with_data_options"]

LabelFrom = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX",
        rich_help_panel=SOURCES,
        help="Read the label from the path: the group named 'label', else the first, e.g. '(benign|malignant)'.",
    ),
]
GroupFrom = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX",
        rich_help_panel=SOURCES,
        help=r"Read the patient from the path, e.g. '(p\d+)_' makes p012_slice3.png belong to p012.",
    ),
]
MapLabels = Annotated[
    str | None,
    typer.Option(
        metavar="A=B,…", rich_help_panel=SOURCES, help="Merge or rename labels: old=new, separated by commas."
    ),
]
Drop = Annotated[
    str | None,
    typer.Option(metavar="A,B", rich_help_panel=SOURCES, help="Leave out samples with these labels."),
]
Positive = Annotated[
    str | None,
    typer.Option(metavar="LABEL", rich_help_panel=SOURCES, help="Which of two classes counts as positive."),
]
TableColumns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="ROLE=COLUMN,…",
        rich_help_panel=SOURCES,
        help="Which column of a table is what: path=file,label=dx,group=patient. Guessed and said otherwise.",
    ),
]
KeepColumns = Annotated[
    str | None,
    typer.Option(
        "--keep-columns",
        metavar="A,B",
        rich_help_panel=SOURCES,
        help="Columns of a table to keep although their names look like identifiers (birth_date, accession, …).",
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict", rich_help_panel=SOURCES, help="Stop at unreadable files instead of leaving them out."
    ),
]
Pages = Annotated[
    str,
    typer.Option(
        rich_help_panel=SOURCES, help="Of files with several pages or frames: first, all, or a number from 0."
    ),
]
Slices = Annotated[
    str | None,
    typer.Option(
        metavar="WHICH",
        rich_help_panel=SOURCES,
        help="Of NIfTI volumes: middle, middle:5, count:9, all or a number; 'coronal:middle:5' cuts another plane.",
    ),
]
OPTIONS: dict[str, tuple[Any, Any]] = {
    "columns": (TableColumns, None),
    "label_from": (LabelFrom, None),
    "group_from": (GroupFrom, None),
    "map_labels": (MapLabels, None),
    "drop": (Drop, None),
    "positive": (Positive, None),
    "keep_columns": (KeepColumns, None),
    "strict": (Strict, False),
    "pages": (Pages, "first"),
    "slices": (Slices, None),
}


def with_data_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of how data are read; it receives them as one dict, its argument `reading`.

    The dict is what `DataConfig` takes; `load_options` makes `LoadOptions` of it.
    """
    own = inspect.signature(command, eval_str=True).parameters.values()
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in OPTIONS.items()
    ]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        reading = _settings(**{name: given.pop(name) for name in OPTIONS})
        command(**given, reading=reading)

    taken = [*(parameter for parameter in own if parameter.name != "reading"), *more]
    run.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in taken}
    return run


def load_options(reading: dict[str, Any]) -> LoadOptions:
    """Return what `with_data_options` hands to a command, as `headtohead.data.load` takes it."""
    from headtohead.data.options import LoadOptions

    return LoadOptions(**{**reading, "drop": frozenset(reading["drop"])})


def _settings(
    *, columns: str | None, map_labels: str | None, drop: str | None, keep_columns: str | None, **rest: Any
) -> dict[str, Any]:
    return {
        "columns": split_pairs(columns, "--columns"),
        "map_labels": split_pairs(map_labels, "--map-labels"),
        "drop": split_list(drop),
        "keep_columns": split_list(keep_columns),
        **rest,
    }


def split_pairs(text: str | None, option: str) -> dict[str, str]:
    """Read "a=b,c=d".

    Raises:
        UsageError: a part has no "=".

    >>> split_pairs("a=yes,b=no", "--map-labels")
    {'a': 'yes', 'b': 'no'}
    """
    found = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        key, mark, value = part.partition("=")
        if not mark or not key.strip() or not value.strip():
            raise UsageError(f"{option} got {part!r}; expected NAME=VALUE parts separated by commas.")
        found[key.strip()] = value.strip()
    return found
