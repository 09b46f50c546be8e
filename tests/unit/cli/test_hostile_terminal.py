"""The command as a whole on hostile input: one line, nothing that a terminal obeys, limits by name."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from headtohead.cli import app
from headtohead.core.safety.limits import ENVIRONMENT


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv(ENVIRONMENT, "")


def _images(root: Path, *names: str) -> Path:
    for seed, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(np.random.default_rng(seed).integers(0, 255, (24, 24), dtype=np.uint8)).save(path)
    return root


@pytest.mark.skipif(os.name != "posix", reason="names with control characters")
def test_names_reach_the_terminal_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"{label}/{n}\x1b]52;c;AAAA\x07.png" for label in ("no", "yes\u202e\x1b[2J") for n in range(6)]
    root = _images(tmp_path / "d", *names)
    (root / "no" / "broken\x9b2J.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert app.main(["audit", str(root), "--out", str(tmp_path / "out")]) in (0, 1)
    out = "".join(capsys.readouterr())
    assert "\\u001b" in out
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(out)


def test_a_limit_is_raised_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = _images(tmp_path / "d", *(f"{label}/{n}.png" for label in ("no", "yes") for n in range(4)))
    assert app.main(["--limit", "path-parts=80", "audit", str(root), "--out", str(tmp_path / "a")]) == 0
    assert os.environ[ENVIRONMENT] == "path-parts=80"
    capsys.readouterr()
    assert app.main(["audit", str(root), "--limit", "nothing=3", "--out", str(tmp_path / "b")]) == 2
    assert "Unknown limit 'nothing'" in capsys.readouterr().err


def test_what_was_not_foreseen_is_one_line_that_names_the_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*words: object, **more: object) -> None:
        raise ZeroDivisionError("of\nlines")

    monkeypatch.setattr("headtohead.report.page.write_report", broken)
    assert app.main(["report", str(tmp_path / "run\x1b")]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "report stopped on" in said and "run" in said and "ZeroDivisionError: of lines" in said
    with pytest.raises(ZeroDivisionError):
        app.main(["--debug", "report", str(tmp_path / "run")])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("study.toml", "a" + ".a" * 60_000 + " = 1\n"),
        ("study.toml", "[" * 100_000),
        ("study.toml", "kind = 'compare'\ndata = 3\n"),
        ("study.toml", "\udcff"),
        ("verdict.json", "[" * 100_000),
        ("verdict.json", "[]"),
        ("verdict.json", '{"format": 1, "scores": "none"}'),
        ("verdict.json", "\x00"),
    ],
)
def test_a_damaged_run_folder_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str
) -> None:
    (tmp_path / "study.toml").write_text("kind = 'compare'\n")
    (tmp_path / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    for command in ("report", "verdict"):
        assert app.main([command, str(tmp_path)]) in (1, 2)
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "not foreseen" not in said, said


@pytest.mark.parametrize("findings", ["3", '[{"code": "H2H101"}]', "[[]]", '[{"samples": 3}]'])
def test_damaged_findings_of_a_run_folder_are_explained(tmp_path: Path, findings: str) -> None:
    from tests.planting.reported import write_run

    from headtohead.api.studies import load_run
    from headtohead.core.errors import RunFolderError

    run = write_run(tmp_path / "run")
    (run / "audit.json").write_text(f'{{"format": 1, "findings": {findings}}}')
    with pytest.raises(RunFolderError, match=r"audit\.json holds no findings as headtohead writes them"):
        load_run(run).audit  # noqa: B018


@pytest.mark.skipif(os.name != "posix", reason="umask")
def test_files_follow_the_umask(tmp_path: Path) -> None:
    from headtohead.core.atomic_io import write_atomic

    old = os.umask(0o077)
    try:
        write_atomic(tmp_path / "private", b"x")
        os.umask(0o022)
        write_atomic(tmp_path / "shared", b"x")
    finally:
        os.umask(old)
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o644


def test_a_training_cannot_name_a_place_outside_its_board(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from headtohead.core.errors import RunFolderError
    from headtohead.core.trackers import Trackers

    log = tmp_path / "run" / "training" / "vit" / "r0f0.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text('{"training": "../../../../escaped", "epoch": 1, "time": 1.0}\n')
    with pytest.raises(RunFolderError, match="names a training"):
        Trackers(tmp_path / "run", ["tensorboard"]).sync()
    assert not (tmp_path / "escaped").exists()
