"""The `headtohead` command: joins the topics, and turns every explained error into one line.

Exit status: 0 done, 1 the job failed with an explained error, 2 wrong usage, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from headtohead._version import __version__
from headtohead.core.errors import HeadToHeadError, UsageError
from headtohead.core.safety.plain_text import PlainStream

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
    "runs.bench",
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
        rich_markup_mode=None,  # brackets in help texts are no markup
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
    out, err = sys.stdout, sys.stderr
    # typer repeats words of the command line in its messages.
    sys.stdout, sys.stderr = PlainStream(out), PlainStream(err)
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    finally:
        sys.stdout, sys.stderr = out, err


def _run(words: list[str]) -> int:
    """Run the command in streams that are safe for a terminal, and return its exit status."""
    # At any place of the line, so that it can be added at its end.
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        words = _take_limits(words)
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
    except Exception as error:
        if debug:
            raise
        from headtohead.cli.display.errors import unforeseen_line

        _say(unforeseen_line(error, words))
        return 1
    except SystemExit as stop:  # typer's own way out: 0 done, 1 failed, 2 wrong usage, 130 after Ctrl-C
        # As Python has it: no code is 0, a text is 1.
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


def _take_limits(words: list[str]) -> list[str]:
    """Put the limits of `--limit NAME=NUMBER` into the environment, and return the other words.

    The environment reaches modules that are imported later and child processes alike.

    Raises:
        UsageError: an unknown limit, or no number.
    """
    from headtohead.core.safety.limits import ENVIRONMENT, LIMITS, parse_limits

    kept: list[str] = []
    stated = [part for part in os.environ.get(ENVIRONMENT, "").split(",") if part.strip()]
    waiting = iter(words)
    for word in waiting:
        if word != "--limit" and not word.startswith("--limit="):
            kept.append(word)
            continue
        text = word.partition("=")[2] if "=" in word else next(waiting, "")
        if not text:
            raise UsageError(f"--limit needs NAME=NUMBER; the names are {', '.join(LIMITS)}.")
        stated.append(text)
    if stated:
        parse_limits(",".join(stated))  # an error, if it is one, before anything is set
        os.environ[ENVIRONMENT] = ",".join(stated)
    return kept


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
    limits: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            metavar="NAME=NUMBER",
            help="Raise a limit on what data may ask for, such as pixels=200000000; may be repeated.",
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    del version, debug, limits  # taken out of the words before they are parsed
