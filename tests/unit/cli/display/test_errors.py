"""What the command says when it stops: one line, in the words of the command line, whatever went wrong."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headtohead.cli import app
from headtohead.cli.display.errors import error_line, os_error_line, stop_line
from headtohead.core.cache_home import cache_home
from headtohead.core.errors import RunFolderError


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("name the label with label_from.", "name the label with --label-from."),
        ("positive='x' has no effect", "--positive 'x' has no effect"),
        ("choose with positive=", "choose with --positive"),
        ("Got folds=40 and repeats=1; expected", "Got --folds 40 and --repeats 1; expected"),
        ("epochs would have no effect: no", "--epochs would have no effect: no"),
        ("epochs, mixup would have no effect: no", "--epochs, --set finetune.mixup would have no effect: no"),
        ("or go on with allow_leaks, which", "or go on with --allow-leaks, which"),
        (
            "another configuration (data_options.positive: 'a' there, None asked for; folds: 5 there)",
            "another configuration (--positive: 'a' there, None asked for; --folds: 5 there)",
        ),
        ("the positive class; 5 folds", "the positive class; 5 folds"),
        ("--label-from 'a_label_from_b'", "--label-from 'a_label_from_b'"),
    ],
)
def test_settings_are_named_as_options(said: str, shown: str) -> None:
    assert error_line(said) == shown


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES, errno.ENOENT, errno.EXDEV])
def test_a_file_that_cannot_be_used_is_one_line_with_a_way_on(number: int) -> None:
    line = os_error_line(OSError(number, os.strerror(number), "some/where"))
    assert line.startswith("Cannot use some/where: ") and "\n" not in line and line.endswith(".")
    cached = os_error_line(OSError(number, os.strerror(number), str(cache_home() / "features")))
    assert "HEADTOHEAD_HOME" in cached


def test_after_ctrl_c_the_way_on_is_told() -> None:
    assert "give the same command again to go on" in stop_line(["compare", "scans"])
    assert "go on" not in stop_line(["audit", "scans"])


def test_no_traceback_for_a_target_that_is_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("x")
    for words in (["demo", "--out", "taken/run"], ["audit", ".", "--out", "taken/x"], ["report", "nothing"]):
        given = [str(tmp_path / word) if word.startswith("taken") else word for word in words]
        assert app.main(given) == 1
        shown = capsys.readouterr().err
        assert shown.startswith("headtohead: ") and shown.count("\n") == 1 and "Traceback" not in shown


def test_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def full(run: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device", str(run))

    monkeypatch.setattr("headtohead.report.page.write_report", full)
    assert app.main(["report", "runs/mine"]) == 1
    assert "no space is left" in capsys.readouterr().err


def test_a_target_that_is_no_folder_is_refused_before_any_work(tmp_path: Path) -> None:
    from headtohead.core.atomic_io import check_writable

    (tmp_path / "file").write_text("x")
    with pytest.raises(RunFolderError, match="is a file, not a folder"):
        check_writable(tmp_path / "file" / "below")
    with pytest.raises(RunFolderError, match="it is a file, and a folder is expected"):
        check_writable(tmp_path / "file", folder=True)
    with pytest.raises(RunFolderError, match="it is a folder, and a file is expected"):
        check_writable(tmp_path)
    assert check_writable(tmp_path / "file") == tmp_path / "file"
    assert check_writable(tmp_path, folder=True) == tmp_path
    assert check_writable(tmp_path / "new" / "run") == tmp_path / "new" / "run"
    assert not (tmp_path / "new").exists(), "looking makes nothing"


@pytest.mark.parametrize(
    "words", [["audit", "scans"], ["compare", "scans", "-c", "vit-b16"], ["evaluate", "model", "scans"]]
)
def test_a_file_in_the_place_of_the_folder_is_refused_before_the_data_are_read(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("x")
    assert app.main([*words, "--out", str(tmp_path / "taken")]) == 1
    said = capsys.readouterr().err
    assert "it is a file, and a folder is expected" in said
    assert "scans" not in said and "model" not in said, "neither is there, which was not yet noticed"


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        "from headtohead.cli import app\n"
        "def slow(*a, **k):\n    print('begun', flush=True)\n    time.sleep(30)\n"
        "import headtohead.api.studies as studies\n"
        "studies.compare = slow\n"
        "sys.exit(app.main(['compare', 'scans', '-c', 'a', '--out', 'x']))"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None and started.stdout.readline() == "begun\n"
    time.sleep(0.1)
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "give the same command again to go on where it was" in errors and "Traceback" not in errors


@pytest.mark.parametrize(
    ("number", "name", "said"),
    [
        (
            errno.ENOSPC,
            "/a",
            "Cannot use /a: no space is left on the device. Make room, then give the same command again",
        ),
        (
            errno.EDQUOT,
            None,
            "A file cannot be written or read: the disk quota is used up. Make room, then give",
        ),
        (errno.ENOENT, "/a", "Cannot use /a: it does not exist. Check the path."),
        (errno.EACCES, "/a", "Cannot use /a: permission is denied. Choose another --out."),
        (errno.ELOOP, "/a", "Cannot use /a: too many symbolic links. Choose another --out."),
    ],
)
def test_errors_of_files_say_the_reason_and_what_to_do(number: int, name: str | None, said: str) -> None:
    error = OSError(number, "Too many symbolic links", name) if name else OSError(number, "x")
    assert os_error_line(error).startswith(said)


def test_a_file_of_the_cache_names_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path))
    inside = os_error_line(PermissionError(errno.EACCES, "x", str(tmp_path / "features")))
    assert inside.endswith("It lies in the cache; set HEADTOHEAD_HOME to a folder that can be written.")
