"""The command and the function: what is refused before anything listens."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.serve.conftest import FakeModel

import headtohead as h2h
from headtohead.cli.app import main
from headtohead.core.errors import UsageError
from headtohead.deploy import load as deploy_load
from headtohead.serve import access_log, server
from headtohead.serve.app import build_app
from headtohead.serve.server import listen
from headtohead.serve.settings import ServeSettings


def test_the_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--help"]) == 0
    assert "token-file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["m", "--host", "0.0.0.0"], "no token file was given"),
        (["m", "--max-queue", "3"], "max_queue >= max_files"),
        (["m", "--token-file", "nothing.txt"], "cannot be read"),
    ],
)
def test_impossible_settings_are_refused(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *words]) == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_the_runtime_reaches_the_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None]] = []

    def load(path: Path, *, runtime: str | None, reporter: object) -> Any:
        del reporter
        asked.append((str(path), runtime))
        model: Any = FakeModel()
        model.runtime = SimpleNamespace(name=runtime)
        model.with_runtime = lambda _few_sizes: model
        return model

    monkeypatch.setattr(deploy_load, "load_model", load)
    monkeypatch.setattr(access_log, "use_json_lines", lambda: None)
    monkeypatch.setattr(server, "run_server", lambda *_, **__: None)
    assert main(["serve", "m", "--runtime", "openvino"]) == main(["serve", "m"]) == 0
    assert asked == [("m", "openvino"), ("m", None)]


def test_unknown_settings_and_no_model_are_refused() -> None:
    with pytest.raises(UsageError, match="speed"):
        h2h.serve("m", speed=3)
    with pytest.raises(UsageError, match="No model"):
        build_app([])
    with pytest.raises(UsageError, match="given twice"):
        build_app([FakeModel(), FakeModel()])


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port}"):
            listen(ServeSettings(port=port))


def test_help_and_import_load_no_web_framework() -> None:
    code = "import sys, headtohead, headtohead.cli.app as a; a.build(); print({'fastapi', 'uvicorn'} & {*sys.modules})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"


def test_the_package_carries_the_page() -> None:
    static = Path(h2h.__file__).parent / "serve" / "static"
    assert {path.name for path in static.iterdir()} >= {"index.html", "app.js", "style.css", "icon.svg"}
