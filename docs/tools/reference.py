"""Write the reference pages from the code, so that none of them can fall behind."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import headtohead
from headtohead.backbones.catalog import catalogue
from headtohead.cli.app import main
from headtohead.core import config, errors
from headtohead.core.records import Record

__all__ = ["write_reference"]

GENERATED = "<!-- Generated from the code by `make docs`; do not edit. -->\n\n"


def write_reference(folder: Path) -> None:
    """Write every generated page into `folder`; pages that did not change are left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {
        "commands.md": commands_page(),
        "settings.md": settings_page(),
        "contenders.md": contenders_page(),
        "errors.md": errors_page(),
        "api.md": api_page(),
    }
    for name, text in pages.items():
        path = folder / name
        content = GENERATED + text
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")


def subcommands() -> Iterator[str]:
    """Yield the name of every command."""
    import typer.main

    from headtohead.cli.app import build

    yield from sorted(typer.main.get_group(build()).commands)  #


def commands_page() -> str:
    """Return the page of commands: each with its own `--help`, as printed at 100 columns."""
    parts = ["# Commands\n\nWhat each command prints with `--help`.\n"]
    parts += [f"## headtohead {name}\n\n```text\n{help_of(name)}\n```\n" for name in subcommands()]
    return "\n".join(parts)


def help_of(name: str) -> str:
    """Return the help text of a command."""
    columns = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100"
    try:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            main([name, "--help"])
    finally:
        if columns is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = columns
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines())


def settings_page() -> str:
    """Return the page of settings: every field of the configuration records with type, default and bounds."""
    parts = [
        "# Settings\n\nEverything that decides a study's results is one record, kept whole in `study.toml`. "
        "The same names are keyword arguments in Python and options on the command line.\n"
    ]
    records: list[type[Record]] = [config.StudyConfig, config.DataConfig, config.TrainConfig]
    for record in records:
        parts.append(
            f"## {record.__name__}\n\n{first_sentence(record)}\n\n| setting | type | default | meaning |"
        )
        parts.append("|---|---|---|---|")
        meanings = attributes_of(record)
        for name, field in record.model_fields.items():
            kind = str(field.annotation).replace("typing.", "").replace("|", "or")
            if inspect.isclass(field.annotation):
                kind = field.annotation.__name__
            meaning = field.description or meanings.get(name, "")
            parts.append(f"| `{name}` | `{kind}` | {default_of(field)} | {meaning.replace('|', 'or')} |")
        parts.append("")
    return "\n".join(parts)


def default_of(field: Any) -> str:
    """Return a field's default for a table cell."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Record):
        return f"a `{type(value).__name__}`"
    return f"`{value!r}`"


def attributes_of(record: type) -> dict[str, str]:
    """Return name -> text of the "Attributes:" section of a docstring."""
    text = inspect.getdoc(record) or ""
    _, _, section = text.partition("Attributes:\n")
    meanings: dict[str, str] = {}
    name = ""
    for line in textwrap.dedent(section).splitlines():
        if line[:1] not in ("", " ") and ": " in line:
            names, _, meaning = line.partition(": ")
            for name in names.split(", "):
                meanings[name] = meaning
        elif name and line.strip():
            meanings[name] += " " + line.strip()
    return meanings


def first_sentence(thing: object) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def contenders_page() -> str:
    """Return the page of contenders with the facts of their records."""
    parts = [
        "# Contenders\n\nThe catalogue; any `timm:NAME`, `hf:ID`, `path:FILE_OR_FOLDER` and `scratch:NAME` works too. "
        "Preprocessing, licence and revision belong to the weights.\n",
        "| name | family | input | million parameters | pretraining | licence | weights from |",
        "|---|---|--:|--:|---|---|---|",
    ]
    for record in catalogue():
        size = f"{record.n_parameters / 1e6:.1f}" if record.n_parameters else ""
        parts.append(
            f"| `{record.name}` | {record.family} | {record.input_size} | {size} | {record.pretraining} "
            f"| {record.licence} | {record.source} |"
        )
    return "\n".join(parts) + "\n"


def errors_page() -> str:
    """Return the page of errors: the tree, what each means, and the exit status of the command."""
    parts = [
        "# Errors\n\nEvery error that headtohead explains is a `HeadToHeadError`; its message says what was got, what "
        "was expected and what to do. On the command line it is one line on stderr; `--debug` shows the traceback.\n",
    ]
    known = [
        value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)
    ]
    for error in known:
        bases = ", ".join(f"`{base.__name__}`" for base in error.__bases__)
        status = getattr(error, "exit_status", 1)
        parts.append(
            f"## {error.__name__}\n\n{inspect.getdoc(error)}\n\nA kind of {bases}; exit status {status}.\n"
        )
    return "\n".join(parts)


def api_page() -> str:
    """Return the page of the Python API: every exported name with its docstring."""
    parts = [
        "# Python API\n\n```python\nimport headtohead as h2h\n```\n\nThe names below are public; everything else may "
        "change between releases.\n",
    ]
    for name in sorted(headtohead.__all__):
        if name.startswith("__"):
            continue
        thing = getattr(headtohead, name)
        kind = "autoclass" if inspect.isclass(thing) else "autofunction"
        module = getattr(thing, "__module__", "headtohead")
        members = "\n:members:" if kind == "autoclass" and not issubclass(thing, Exception) else ""
        parts.append(f"## {name}\n\n```{{eval-rst}}\n.. {kind}:: {module}.{thing.__name__}")
        if members:
            parts.append("   :members:\n   :exclude-members: model_config")
        parts.append("```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    write_reference(Path(__file__).resolve().parents[1] / "reference")
