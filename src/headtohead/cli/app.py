"""The `headtohead` command: joins the topics, and turns every explained error into one line.

Exit status: 0 done, 1 the job failed with an explained error, 2 wrong usage, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from headtohead._version import __version__
from headtohead.core.errors import HeadToHeadError

__all__ = ["build", "main"]

TOPICS = (
    "compare",
    "audit",
    "preprocess",
    "weights",
    "cache",
    "verdict",
    "claim",
    "demo",
    "runs.explain",
    "report",
    "reproduce",
    "best",
    "model.train",
    "model.predict",
    "model.evaluate",
    "serve",
    "model.export",
    "model.dicom",
)

INTERRUPTED = 130  # exit status after Ctrl-C, as shells have it

INTRODUCTION = """
A pretrained CNN or a Vision Transformer on my own medical images, and is the difference real?

Start with:  headtohead demo --out runs/demo

Then:  headtohead compare IMAGES --contenders efficientnet-lite0,dinov2-small --out runs/mine

Research use only; not a medical device.
"""


def build() -> typer.Typer:
    """Return the command with every topic's subcommands."""
    app = typer.Typer(
        help=INTRODUCTION,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for topic in TOPICS:
        importlib.import_module(f"headtohead.cli.{topic}").register(app)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Args:
        arguments: the words after the command's name; by default those of the process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        build()(args=words, prog_name="headtohead")
    except HeadToHeadError as error:
        if debug:
            raise
        from headtohead.cli.display.errors import error_line

        _say(error_line(str(error)))
        return error.exit_status
    except OSError as error:
        if debug:
            raise
        from headtohead.cli.display.errors import os_error_line

        _say(os_error_line(error))
        return 1
    except SystemExit as stop:  # typer's own way out: 0 done, 1 failed, 2 wrong usage, 130 after Ctrl-C
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        return _stopped(words) if status == INTERRUPTED else status
    except KeyboardInterrupt:
        return _stopped(words)
    return 0


def _stopped(words: Sequence[str]) -> int:
    """Say how to go on after Ctrl-C, and return the exit status."""
    from headtohead.cli.display.errors import stop_line

    _say(stop_line(words))
    return INTERRUPTED


def _say(line: str) -> None:
    print(f"headtohead: {line}", file=sys.stderr)


def _version(on: bool) -> None:
    if on:
        print(f"headtohead {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            help="Print the version and stop.",
            is_eager=True,
            callback=lambda on: _version(on),
        ),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    del version, debug
