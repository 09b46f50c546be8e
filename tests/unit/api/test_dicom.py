"""DICOM from Python: the extra first, then the model; and signals that end a receiver and are given back."""

from __future__ import annotations

import importlib
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headtohead.api.dicom import listen, write_dicom_reports
from headtohead.core.errors import MissingExtraError


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Return what was done; no model is loaded and no port is opened."""
    found = SimpleNamespace(done=[], end=lambda: os.kill(os.getpid(), signal.SIGTERM))
    optional = importlib.import_module("headtohead.core.optional")
    load = importlib.import_module("headtohead.deploy.load")
    receiver = importlib.import_module("headtohead.deploy.dicom.receiver")
    studies = importlib.import_module("headtohead.deploy.dicom.studies")

    class Receiver:
        port = 4242

        def __init__(self, report: Any, inbox: Path, settings: Any, reporter: Any) -> None:
            found.done.append(("inbox", inbox.name, settings))

        def start(self) -> None:
            found.done.append("start")

        def stop(self) -> None:
            found.done.append("stop")

    monkeypatch.setattr(optional, "require", lambda *_: found.done.append("extra"))
    monkeypatch.setattr(
        load, "load_model", lambda path, **how: found.done.append(("model", path, how["runtime"]))
    )
    monkeypatch.setattr(receiver, "DicomReceiver", Receiver)
    monkeypatch.setattr(studies, "reporting", lambda model, folder, tell: None)
    monkeypatch.setattr(
        studies, "write_reports", lambda model, source, out, reporter: [source.name, out.name]
    )
    return found


def test_reports_need_the_extra_before_a_model_is_loaded(
    door: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = write_dicom_reports("m", tmp_path / "in", tmp_path / "out", runtime="auto", quiet=True)
    assert list(map(str, found)) == ["in", "out"] and door.done == ["extra", ("model", Path("m"), "auto")]

    def missing(*_: Any) -> Any:
        raise MissingExtraError("install headtohead[dicom]")

    door.done.clear()
    monkeypatch.setattr(importlib.import_module("headtohead.core.optional"), "require", missing)
    with pytest.raises(MissingExtraError):
        write_dicom_reports("m", tmp_path / "in", tmp_path / "out")
    assert door.done == []


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_receiver_and_handlers_are_given_back(
    name: signal.Signals, door: SimpleNamespace, tmp_path: Path
) -> None:
    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)]
    told: list[int] = []

    def ready(port: int) -> None:
        told.append(port)
        os.kill(os.getpid(), name)

    settings: Any = "settings"
    listen("m", tmp_path / "out", settings, tell=lambda study: None, ready=ready)
    assert told == [4242] and door.done[-2:] == ["start", "stop"]
    assert door.done[:3] == ["extra", ("model", Path("m"), None), ("inbox", "inbox", "settings")]
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)] == before


def test_handlers_are_given_back_after_an_error_too(door: SimpleNamespace, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def ready(port: int) -> None:
        raise OSError("the port is taken")

    with pytest.raises(OSError, match="taken"):
        listen("m", tmp_path / "out", None, tell=lambda study: None, ready=ready)  # type: ignore[arg-type]
    assert signal.getsignal(signal.SIGTERM) is before
