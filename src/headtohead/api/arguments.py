"""Arguments of the public functions: settings mirrored from configuration records, paths and lists in any form."""

from __future__ import annotations

import functools
import inspect
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from headtohead.core.atomic_io import check_writable
from headtohead.core.errors import UsageError
from headtohead.core.progress import QUIET, Reporter

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from headtohead.core.records import Record

__all__ = ["mirror_settings", "names_of", "path_of", "reporter_for", "run_path", "settings_from", "source_of"]

F = TypeVar("F", bound=Callable[..., Any])
NESTED = ("data_options", "train")  # settings of these records are given flat, by their own names
NAMES = (
    "by",
    "drop",
    "keep_columns",
    "backbones",
    "finetune",
    "primary",
)  # a text with commas stands for a list
PATTERNS = ("include", "exclude")  # a text is one of them, whatever commas it holds


def mirror_settings(record: str, *, without: Iterable[str] = ()) -> Callable[[F], F]:
    """Give a function that ends in `**settings` the signature and the documentation of a record's fields.

    Args:
        record: name of a class in `headtohead.core.config`.
        without: fields that the function takes in another form.
    """

    def decorate(function: F) -> F:
        own = inspect.signature(function)

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        fields = flat_fields(record, without)
        keep = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
        more = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=default_of(field), annotation=field.annotation
            )
            for name, field in fields.items()
            if name not in own.parameters
        ]
        # For help() and completion alone: a setting that is none is refused by `settings_from`.
        run.__signature__ = own.replace(parameters=[*keep, *more])  # type: ignore[attr-defined]
        lines = [
            f"    {name}: {field.description or ''} Default: {default_of(field)!r}."
            for name, field in fields.items()
            if name not in own.parameters
        ]
        run.__doc__ = (inspect.getdoc(function) or "").replace("    **settings: see below.", "\n".join(lines))
        return run  # type: ignore[return-value]

    return decorate


def flat_fields(record: str, without: Iterable[str] = ()) -> dict[str, FieldInfo]:
    """Return name -> field of a configuration record, nested records opened up."""
    from headtohead.core import config

    left_out = {"kind", *without}  # the function says which study it is
    fields: dict[str, FieldInfo] = {}
    for name, field in getattr(config, record).model_fields.items():
        if name in left_out:
            continue
        if name in NESTED:
            fields |= {n: f for n, f in field.annotation.model_fields.items() if n not in left_out}
        else:
            fields[name] = field
    return fields


def default_of(field: FieldInfo) -> Any:
    """Return the default of a field; `inspect.Parameter.empty` where it is required."""
    return inspect.Parameter.empty if field.is_required() else field.get_default(call_default_factory=True)


def settings_from(record: type[Record], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return flat settings as a record takes them, nested records filled in.

    Raises:
        UsageError: a name that is no setting, with the closest one.
    """
    from headtohead.core.errors import unknown_name

    settings: dict[str, Any] = {}
    nested: dict[str, Any] = {
        name: record.model_fields[name].annotation for name in NESTED if name in record.model_fields
    }
    known = {*record.model_fields, *(n for kind in nested.values() for n in kind.model_fields)} - {
        *NESTED,
        "kind",
    }
    for name, value in ((name, _listed(name, value)) for name, value in given.items()):
        if name in NESTED or name in record.model_fields:
            settings[name] = value
            continue
        home = next((part for part, kind in nested.items() if name in kind.model_fields), None)
        if home is None:
            raise unknown_name("setting", name, known)
        settings.setdefault(home, {})
        settings[home] = {**settings[home], name: value}  # a new one: the caller's own is not changed
    train = settings.get("train")
    # A budget is spent on choosing, which of the policies only "inner" has a use for.
    if isinstance(train, dict) and train.get("budget") is not None and "policy" not in train:
        settings["train"] = {**train, "budget": str(train["budget"]), "policy": "inner"}
    return settings


def _listed(name: str, value: Any) -> Any:
    """Return a setting, its text as a list where a list is due."""
    if not isinstance(value, str) or not value:
        return value
    return names_of(value, name) if name in NAMES else (value,) if name in PATTERNS else value


def names_of(value: str | Iterable[str], what: str) -> tuple[str, ...]:
    """Return names from a list, or from one text with commas (commas inside brackets do not separate).

    Raises:
        UsageError: no name, or something that is no text.
    """
    from headtohead.contenders.expression import split_commas

    if isinstance(value, str):
        names = tuple(part.strip() for part in split_commas(value) if part.strip())
    elif isinstance(value, Iterable):
        names = tuple(value)
    else:
        raise UsageError(f"Got {what} = {value!r}; expected a list of names, or one text with commas.")
    if not names or not all(isinstance(name, str) for name in names):
        raise UsageError(f"Got {what} = {value!r}; expected a list of names, or one text with commas.")
    return names


def path_of(value: str | os.PathLike[str], what: str) -> Path:
    """Return a path from text or a path.

    Raises:
        UsageError: anything else.
    """
    if not isinstance(value, (str, os.PathLike)) or not str(value):
        raise UsageError(f"Got {what} = {value!r}; expected a path.")
    return Path(value).expanduser()


def source_of(data: str | os.PathLike[str]) -> str:
    """Return where the data are as text: a path, `kaggle:owner/set` or `hf:owner/set`."""
    if not isinstance(data, (str, os.PathLike)) or not str(data):
        raise UsageError(f"Got data = {data!r}; expected a folder, a table, an archive, or kaggle:owner/set.")
    # Path would make s3:/bucket of s3://bucket.
    return str(Path(data).expanduser()) if str(data).startswith("~") else str(data)


def run_path(out: str | os.PathLike[str] | None, reporter: Reporter, data: str = "") -> Path:
    """Return the run folder; without one, a new temporary folder, with a warning.

    Args:
        data: the source of the images; a run folder inside it would be read as data the next time.

    Raises:
        UsageError: the run folder lies inside the data.
    """
    if out is not None:
        folder = check_writable(path_of(out, "out"), folder=True)
        root = Path(data).expanduser()
        if data and root.is_dir() and folder.resolve().is_relative_to(root.resolve()):
            raise UsageError(
                f"Got --out {folder} inside the data {data}; what is written there would lie among the images. "
                f"Choose a folder next to it, such as --out {root.resolve().parent / folder.name}."
            )
        return folder
    folder = Path(tempfile.mkdtemp(prefix="headtohead-"))
    reporter.warning(f"No `out` was given, so this run is temporary: {folder}")
    return folder


def reporter_for(quiet: bool, *, verbose: bool = False) -> Reporter:
    """Return what shows progress: bars in a terminal or notebook, or nothing."""
    if quiet:
        return QUIET
    from headtohead.core.console import console_reporter

    return console_reporter(verbose=verbose)
