"""Options of the commands, made from the fields of the configuration records: name, type, bounds, help and default
are written once, at the field."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headtohead.core import config
from headtohead.core.config import TrainConfig
from headtohead.core.errors import UsageError
from headtohead.core.records import Record

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

__all__ = ["split_list", "split_pairs", "with_settings"]

# Where an option is called otherwise than its field: help panel, flags, metavar.
FLAGS = {"similar": "--group-similar", "tuner": "--tune", "data": "", "contenders": "--contenders"}
SHORT = {"contenders": "-c"}
METAVARS = {
    "contenders": "A,B,…", "label_from": "REGEX", "group_from": "REGEX", "map_labels": "A=B,…", "drop": "A,B",
    "positive": "LABEL", "columns": "ROLE=COLUMN,…", "keep_columns": "A,B", "slices": "WHICH", "groups": "FILE",
    "channels": "I,J,K", "volume": "N", "max_megapixels": "N",
    "include": "GLOB", "exclude": "GLOB", "label_has": "LABEL", "against": "LABEL",
    "ignore": "CODE=REASON", "by": "COLUMN,…", "backbones": "A,B,…", "finetune": "A,B,…", "budget": "N|TIME",
    "tuner": "random|optuna", "balance": "none|loss|sampler",
}  # fmt: skip
REPEATED = ("ignore", "include", "exclude")  # options that may be given several times
# Training settings with an option of their own; every other one is stated with --set.
TRAINING = ("epochs", "policy", "budget", "tuner", "augment", "balance", "workers")
PANELS = {"DataConfig": "Data", "TrainConfig": "Training"}
# Fields of the study that are about the data, so that they stand with the options of `DataConfig`.
ABOUT_DATA = ("groups", "similar", "ignore")


def with_settings(
    record: str, *, without: Iterable[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of a configuration record; it receives those that were stated as `settings`.

    Args:
        record: a class of `headtohead.core.config`.
        without: fields that the command takes in another form.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(command, eval_str=True).parameters.values())
        taken = {parameter.name for parameter in own}
        options = {
            name: option
            for name, option in options_of(getattr(config, record), {*without, "kind"}).items()
            if name not in taken  # the command has one of its own
        }

        @functools.wraps(command)
        def run(**given: Any) -> None:
            settings = stated({name: given.pop(name) for name in options})
            command(**given, settings=settings)

        ordered = [parameter for parameter in own if parameter.name != "settings"]
        ordered += [parameter for _, parameter in options.values()]
        # typer reads the signature and the annotations.
        run.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in ordered}
        return run

    return decorate


def options_of(
    record: type[Record], without: Iterable[str]
) -> dict[str, tuple[FieldInfo, inspect.Parameter]]:
    """Return name -> (field, parameter) of a record's options, nested records opened up."""
    options: dict[str, tuple[FieldInfo, inspect.Parameter]] = {}
    for name, field in record.model_fields.items():
        if name in without:
            continue
        kind = field.annotation
        if inspect.isclass(kind) and issubclass(kind, Record):
            inner = set(kind.model_fields) - set(TRAINING) if kind is TrainConfig else set()
            options |= options_of(kind, {*inner, *without})
            if kind is TrainConfig:
                options["sets"] = (field, _sets_parameter())
            continue
        panel = "Data" if name in ABOUT_DATA else PANELS.get(record.__name__)
        options[name] = (field, _parameter(name, field, panel))
    return options


def _sets_parameter() -> inspect.Parameter:
    option = typer.Option(
        "--set",
        metavar="finetune.NAME=VALUE",
        rich_help_panel="Training",
        help="Any other setting of fine-tuning, e.g. finetune.learning_rate=3e-4; may be repeated.",
    )
    kind = Annotated[list[str] | None, option]
    return inspect.Parameter("sets", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)


def _parameter(name: str, field: FieldInfo, panel: str | None) -> inspect.Parameter:
    """Return the parameter of one field; optional, so that what was not stated keeps the record's default."""
    kind, is_flag = _terminal_type(name, field.annotation)
    default = (
        field.get_default(call_default_factory=True) if not field.is_required() else inspect.Parameter.empty
    )
    text = field.description or ""
    if not field.is_required() and not is_flag and default not in (None, (), {}, ""):
        shown = ",".join(default) if isinstance(default, tuple) else default
        # In the text, since the option itself has no default: what is not stated is left to the record.
        text += f" [default: {shown}]"
    bounds = _bounds(field) if kind in (int, float) else {}  # typer bounds numbers alone
    flag = FLAGS.get(name, f"--{name.replace('_', '-')}")
    names = (flag, SHORT[name]) if name in SHORT else (flag,)
    option = typer.Option(
        *names,
        metavar=METAVARS.get(name, _number_or_word(field.annotation)),
        rich_help_panel=panel,
        help=text,
        show_default=False,
        **bounds,
    )
    annotation: Any = Annotated[
        bool if is_flag else (list[str] | None if name in REPEATED else kind | None), option
    ]
    if field.is_required():
        annotation = Annotated[str, option]
    value = inspect.Parameter.empty if field.is_required() else (False if is_flag else None)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value, annotation=annotation)


def _number_or_word(annotation: Any) -> str | None:
    """Return "N|auto" for a field that is a whole number or a word, None for any other."""
    parts = typing.get_args(annotation)
    words = [
        word for part in parts if typing.get_origin(part) is typing.Literal for word in typing.get_args(part)
    ]
    return "|".join(["N", *words]) if int in parts and words else None


def _terminal_type(name: str, annotation: Any) -> tuple[Any, bool]:
    """Return the type that a terminal reads a field as, and whether it is a flag."""
    if annotation is bool:
        # A switch that is on by default would need a --no- form; none has an option of its own.
        return bool, True
    parts = [part for part in typing.get_args(annotation) if part is not types.NoneType]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType) and len(parts) == 1:
        annotation = parts[0]
    if name == "groups":
        return Path, False
    if typing.get_origin(annotation) is typing.Literal or annotation in (int, float):
        return annotation, False
    return str, False  # lists and mappings come as one text with commas


def _bounds(field: FieldInfo) -> dict[str, Any]:
    """Return the bounds that typer checks; exclusive ones are left to the record."""
    bounds = {}
    for rule in field.metadata:
        if getattr(rule, "ge", None) is not None:
            bounds["min"] = rule.ge
        if getattr(rule, "le", None) is not None:
            bounds["max"] = rule.le
    return bounds


def stated(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was stated on the command line, as the public functions take it.

    Raises:
        UsageError: a setting that is stated by an option of its own and by --set too; text that does not fit.
    """
    from headtohead.core.config import parse_overrides

    settings = {
        name: _value(name, value)
        for name, value in values.items()
        if value is not None and value is not False and name != "sets"  # a flag that is off was not stated
    }
    overrides = parse_overrides(values.get("sets") or ())
    if twice := sorted(set(overrides) & set(settings)):
        raise UsageError(f"{', '.join(twice)} is stated by an option of its own and by --set; state it once.")
    return {**settings, **overrides}


def _value(name: str, value: Any) -> Any:
    if name in ("columns", "map_labels"):
        return split_pairs(value, f"--{name.replace('_', '-')}", may_be_empty=name == "columns")
    if name in ("include", "exclude"):
        return tuple(value)
    if name == "channels":
        return split_numbers(value, "--channels")
    if name in ("drop", "keep_columns", "by", "backbones", "finetune"):
        return split_list(value)
    if name == "ignore":
        return parse_reasons(value)
    if name == "groups":
        return str(value)
    return value


def parse_reasons(words: Iterable[str]) -> dict[str, str]:
    """Read "--ignore CODE=REASON", repeated.

    Raises:
        UsageError: a reason is missing.
    """
    reasons = {}
    for word in words:
        code, mark, reason = word.partition("=")
        if not mark or not reason.strip():
            raise UsageError(
                f"--ignore got {word!r}; expected CODE=REASON, for example H2H203='copies are wanted'."
            )
        reasons[code.strip()] = reason.strip()
    return reasons


def split_list(text: str | None) -> tuple[str, ...]:
    """Read "a,b".

    >>> split_list(" a, b,")
    ('a', 'b')
    """
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def split_numbers(text: str, option: str) -> tuple[int, ...]:
    """Read "0,2,4".

    Raises:
        UsageError: a part is no whole number from 0.

    >>> split_numbers("0, 2,4", "--channels")
    (0, 2, 4)
    """
    words = split_list(text)
    if not words or not all(word.isascii() and word.isdigit() and len(word) < 6 for word in words):
        raise UsageError(f"{option} got {text!r}; expected whole numbers from 0 with commas, such as 0,2,4.")
    return tuple(map(int, words))


def split_pairs(text: str | None, option: str, *, may_be_empty: bool = False) -> dict[str, str]:
    """Read "a=b,c=d".

    Args:
        text: as stated. option: its name, for messages.
        may_be_empty: whether "a=" is a pair too.

    Raises:
        UsageError: a part has no "=".

    >>> split_pairs("a=yes,b=no", "--map-labels")
    {'a': 'yes', 'b': 'no'}
    """
    pairs = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        key, mark, value = part.partition("=")
        if not mark or not key.strip() or not (value.strip() or may_be_empty):
            raise UsageError(f"{option} got {part!r}; expected NAME=VALUE parts separated by commas.")
        pairs[key.strip()] = value.strip()
    return pairs
