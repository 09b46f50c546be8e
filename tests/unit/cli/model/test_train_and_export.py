"""`headtohead train`, `export` and `dicom` as words: what is handed on, and what is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.planting.reported import score

Run = Callable[..., Any]


def model(*scores: Any) -> Any:
    return SimpleNamespace(
        name="mine", classes=("no", "yes"), digest="ab12", estimate={"n": 1},
        estimate_record=SimpleNamespace(scores=scores, metric="auroc"),
    )  # fmt: skip


def test_a_trained_model_is_told_with_its_estimate(ask: Any, run: Run, tmp_path: Path) -> None:
    asked = ask("headtohead.api.models", "train", model(score("a", "accuracy", 0.9), score("a", value=0.8)))
    found = run("train", "scans", "-c", "lite", "--out", tmp_path / "m", "--folds", 3, "--name", "mine")
    assert found.out.splitlines() == [
        "mine: no, yes; sha256 ab12", "Cross-validated AUROC: 0.800 [0.700, 0.850]",
        f"Model card: {tmp_path / 'm' / 'README.md'}", f"Use it: headtohead predict {tmp_path / 'm'} IMAGES",
    ]  # fmt: skip
    ((given, named),) = asked.calls
    assert given == ("scans", "lite")
    assert named == {
        "out": tmp_path / "m", "run": None, "name": "mine", "accept_refused": False, "self_contained": True,
        "calibration": "temperature", "folds": 3,
    }  # fmt: skip


def test_a_run_and_switches_are_handed_on(ask: Any, run: Run, tmp_path: Path) -> None:
    asked = ask("headtohead.api.models", "train", model())
    found = run(
        "train", "--from", "runs/a", "--out", tmp_path / "m", "--accept-refused", "--no-self-contained",
        "--calibration", "venn-abers", "--json",
    )  # fmt: skip
    assert json.loads(found.out) == {
        "model": "mine", "digest": "ab12", "classes": ["no", "yes"], "path": str(tmp_path / "m"), "estimate": {"n": 1}
    }  # fmt: skip
    ((given, named),) = asked.calls
    assert given == (None, None)
    assert (named["run"], named["accept_refused"], named["self_contained"], named["calibration"]) == (
        Path("runs/a"), True, False, "venn-abers",
    )  # fmt: skip
    plain = run("train", "--from", "runs/a", "--out", tmp_path / "m").out
    assert "Cross-validated" not in plain, "there is no score of the primary metric"


class Parity:
    def __str__(self) -> str:
        return "4 images, largest difference 1e-7"

    def model_dump(self, mode: str) -> dict[str, int]:
        return {"n": 4}


def test_an_export_says_how_far_the_answers_agree(ask: Any, run: Run) -> None:
    asked = ask("headtohead.api.export", "export", Parity())
    words = (
        "export",
        "m",
        "--to",
        "onnx",
        "--out",
        "m.onnx",
        "--images",
        "a",
        "--images",
        "b",
        "--most-images",
        5,
        "--int8",
    )
    assert run(*words).out == "m.onnx: 4 images, largest difference 1e-7.\n"
    assert json.loads(run(*words, "--json").out) == {"n": 4}
    given, named = asked.calls[0]
    assert given == (Path("m"), Path("m.onnx"))
    assert named == {"to": "onnx", "images": [Path("a"), Path("b")], "most_images": 5, "int8": True}


def study(report: str | None, n: int, *failed: tuple[str, str]) -> Any:
    return SimpleNamespace(
        report=report, n_images=n, failed=[SimpleNamespace(file=f, reason=r) for f, r in failed],
        model_dump=lambda mode: {"report": report, "ä": 1},
    )  # fmt: skip


@pytest.mark.parametrize("words", [("dicom",), ("dicom", "report")])
def test_reports_are_told_per_study_and_failures_end_with_three(
    words: tuple[str, ...], ask: Any, run: Run
) -> None:
    asked = ask(
        "headtohead.api.dicom", "write_dicom_reports", [study("r.dcm", 3), study(None, 0, ("x.dcm", "odd"))]
    )
    found = run(*words, "m", "scans", "--out", "o", "--runtime", "auto")
    assert found == (3, "r.dcm  3 images\n", "x.dcm: odd\n")
    assert asked.calls == [((Path("m"), Path("scans"), Path("o")), {"runtime": "auto"})]
    told = run(*words, "m", "scans", "--out", "o", "--json")
    assert [json.loads(line)["report"] for line in told.out.splitlines()] == [
        "r.dcm",
        None,
    ] and "ä" in told.out
    asked.answer = [study("r.dcm", 3)]
    assert run(*words, "m", "scans", "--out", "o").status == 0


def test_a_receiver_is_told_its_limits_and_says_where_it_listens(
    ask: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pynetdicom")
    import importlib

    seen: list[Any] = []

    def listen(model: Path, out: Path, settings: Any, **named: Any) -> None:
        seen.append((model, out, settings, named["runtime"]))
        named["ready"](4242)
        named["tell"](study("r.dcm", 3))

    ask("headtohead.core.parallel", "share_one_heap")
    monkeypatch.setattr(importlib.import_module("headtohead.api.dicom"), "listen", listen)
    found = run(
        "dicom", "listen", "m", "--out", "o", "--port", 0, "--ae-title", "HERE", "--associations", 2, "--idle", 3,
        "--max-mb", 4, "--settle", 0.5,
    )  # fmt: skip
    ((given, out, settings, runtime),) = seen
    assert (given, out, runtime) == (Path("m"), Path("o"), None)
    assert (settings.host, settings.port, settings.title, settings.settle_s) == ("127.0.0.1", 0, "HERE", 0.5)
    limits = settings.limits
    assert (limits.associations, limits.idle_s, limits.object_bytes) == (2, 3, 4 * 2**20)
    assert found.err == "Listening on 127.0.0.1:4242 as HERE. Ctrl-C stops.\n"
    assert json.loads(found.out)["report"] == "r.dcm"
