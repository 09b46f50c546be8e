"""Serving from Python: settings that cannot be are told by name, before any model is loaded."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from headtohead.api.serving import serve
from headtohead.core.errors import HeadToHeadError, UsageError


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the models and settings that were served; no server is started."""
    pytest.importorskip("starlette")
    given: list[Any] = []
    for name, attribute, does in (
        ("headtohead.serve.process", "wait_briefly", lambda: given.append("briefly")),
        ("headtohead.serve.access_log", "use_json_lines", lambda: given.append("log")),
        ("headtohead.serve.app", "build_app", lambda models, settings, load: (models, load)),
        ("headtohead.serve.server", "run_server", lambda app, settings, began: given.append((app, settings))),
    ):
        monkeypatch.setattr(importlib.import_module(name), attribute, does)
    return given


def test_models_and_limits_reach_the_server(served: list[Any]) -> None:
    serve("a", Path("models/b"), port=0, max_bytes=1000, runtime="onnxruntime")
    assert served[:2] == ["briefly", "log"]
    (models, load), settings = served[2]
    assert models == ["a", str(Path("models/b"))] and load.keywords == {"runtime": "onnxruntime"}
    assert (settings.host, settings.port, settings.max_bytes) == ("127.0.0.1", 0, 1000)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"port": 70000}, "^port: "),
        ({"max_bytes": 0}, "^max_bytes: "),
        ({"host": "0.0.0.0"}, "token"),
        ({"no_such": 1}, "^no_such: "),
    ],
)
def test_settings_that_cannot_be_are_told_by_name(
    settings: dict[str, Any], said: str, served: list[Any]
) -> None:
    with pytest.raises(UsageError, match=said) as told:
        serve("a", **settings)
    assert "Value error" not in str(told.value) and "pydantic" not in str(told.value)
    assert "log" not in served


def test_a_token_that_cannot_be_read_is_told_first(served: list[Any], tmp_path: Path) -> None:
    with pytest.raises((HeadToHeadError, OSError)):
        serve("a", host="0.0.0.0", token_file=tmp_path / "missing")
    assert "log" not in served
    (tmp_path / "token").write_text("a-token-that-is-long-enough-to-be-one\n")
    (tmp_path / "token").chmod(0o600)
    serve("a", host="0.0.0.0", token_file=tmp_path / "token")
    assert served[-1][1].host == "0.0.0.0"
