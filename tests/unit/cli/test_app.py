"""The command itself: exit statuses, errors in one line, limits in the environment, Ctrl-C."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

from headtohead._version import __version__
from headtohead.cli import app as module
from headtohead.cli.app import INTERRUPTED, TOPICS, build, main
from headtohead.core.errors import HeadToHeadError, UsageError
from headtohead.core.safety.limits import ENVIRONMENT

Run = Callable[..., Any]


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Return what makes any command end with an error."""

    def stop(error: BaseException) -> None:
        def built() -> Any:
            def command(args: Any, prog_name: str) -> None:
                raise error

            return command

        monkeypatch.setattr(module, "build", built)

    return stop


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (
            UsageError("folds = 3 is wrong;\n leave it out."),
            2,
            "headtohead: folds = 3 is wrong; leave it out.",
        ),
        (HeadToHeadError("It broke."), 1, "headtohead: It broke."),
        (
            PermissionError(13, "Permission denied", "/x/y"),
            1,
            "headtohead: Cannot use /x/y: permission is denied.",
        ),
        (ValueError("odd\nthing"), 1, "headtohead: compare stopped on 'scans': ValueError: odd thing."),
        (MemoryError(), 1, "headtohead: compare stopped on 'scans': the memory is used up."),
        (
            KeyboardInterrupt(),
            130,
            "headtohead: Stopped. Finished parts are kept: give the same command again",
        ),
        (SystemExit(130), 130, "headtohead: Stopped. Finished parts are kept"),
        (SystemExit(3), 3, ""),
        (SystemExit(None), 0, ""),
        (SystemExit("a text"), 1, ""),
    ],
)
def test_every_end_is_a_status_and_one_line(
    error: BaseException, status: int, said: str, stopping: Any, run: Run
) -> None:
    stopping(error)
    found = run("compare", "scans")
    assert found.status == status and found.err.startswith(said) and found.out == ""
    assert found.err.count("\n") == (1 if said else 0) and "Traceback" not in found.err


@pytest.mark.parametrize("error", [HeadToHeadError("a"), OSError(2, "b"), ValueError("c")])
def test_debug_shows_where_an_error_was_at_any_place_of_the_line(error: BaseException, stopping: Any) -> None:
    stopping(error)
    for words in (["--debug", "compare", "scans"], ["compare", "scans", "--debug"]):
        with pytest.raises(type(error)):
            main(words)


def test_streams_are_given_back_after_an_error_too(stopping: Any) -> None:
    before = sys.stdout, sys.stderr
    stopping(ValueError("c"))
    with pytest.raises(ValueError, match="c"):
        main(["compare", "--debug"])
    assert (sys.stdout, sys.stderr) == before
    main(["compare"])
    assert (sys.stdout, sys.stderr) == before


def test_limits_go_into_the_environment_and_out_of_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "")
    assert module._take_limits(["--limit", "pixels=5000000", "audit", "x", "--limit=pixels=7000000"]) == [
        "audit",
        "x",
    ]
    assert os.environ[ENVIRONMENT] == "pixels=5000000,pixels=7000000"
    monkeypatch.setenv(ENVIRONMENT, "pixels=1000000, ")
    assert module._take_limits(["audit"]) == ["audit"]
    assert os.environ[ENVIRONMENT] == "pixels=1000000"


@pytest.mark.parametrize(
    "words",
    [["--limit"], ["--limit="], ["--limit", "pixels"], ["--limit", "pixel=3"], ["--limit", "pixels=many"]],
)
def test_a_limit_that_cannot_be_read_changes_nothing(
    words: list[str], monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    found = run(*words, "weights", "list")
    assert found.status == 2 and found.err.startswith("headtohead: ") and ENVIRONMENT not in os.environ


def test_the_version_and_an_unknown_command(run: Run) -> None:
    for flag in ("--version", "-V"):
        assert run(flag) == (0, f"headtohead {__version__}\n", "")
    unknown = run("comparee")
    assert unknown.status == 2 and "comparee" in unknown.err


@pytest.mark.parametrize(
    "words",
    [["compare"], ["audit"], ["clean"], ["preprocess"], ["augment-preview"], ["weights"], ["weights", "list"],
     ["cache", "prune"], ["verdict"], ["claim"], ["demo"], ["explain"], ["bench"], ["report"], ["diff"], ["figure"],
     ["reproduce"], ["best"], ["train"], ["predict"], ["evaluate"], ["serve"], ["export"], ["dicom"],
     ["dicom", "listen"]],
)  # fmt: skip
def test_each_command_explains_itself(words: list[str], run: Run) -> None:
    found = run(*words, "--help")
    assert found.status == 0 and found.out.lstrip().startswith("Usage: headtohead") and found.err == ""
    assert run(*words, "-h").out == found.out


def test_each_topic_is_built_once() -> None:
    assert len(set(TOPICS)) == len(TOPICS)
    names = [command.name for command in build().registered_commands]
    assert len(set(names)) == len(names) and INTERRUPTED == 130
