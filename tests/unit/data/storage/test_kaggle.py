"""Data sets of Kaggle: kagglehub's own code against a server on the loopback."""

from __future__ import annotations

import importlib
import io
import json
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from headtohead.core.errors import DataError, MissingExtraError, UsageError
from headtohead.data.load import load, source_digest

TOKEN = "planted-token"
Image = Callable[..., bytes]


@dataclass
class Hub:
    """What the server holds and what it was asked."""

    archive: bytes
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    broken: bool = False

    def answer(self, path: str, body: dict[str, object]) -> tuple[int, str, bytes]:
        self.asked.append(path.rsplit("/", 1)[-1])
        if body.get("datasetSlug") != "scans":
            return 404, "application/json", b'{"code": 404, "message": "no such data set"}'
        if path.endswith("GetDataset"):
            return 200, "application/json", json.dumps({"currentVersionNumber": 3}).encode()
        return 200, "application/zip", self.archive[:50] if self.broken else self.archive


def handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            hub.tokens.add(self.headers.get("Authorization", ""))
            status, kind, content = hub.answer(self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep silent."""

    return Handler


@pytest.fixture
def hub(image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    pytest.importorskip("kagglehub")
    kaggle_env = importlib.import_module("kagglesdk.kaggle_env")

    once = {f"{c}/{i}.png": image(i + 10 * (c == "yes")) for c in ("yes", "no") for i in range(3)}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in (once | {f"brain_tumor_dataset/{n}": b for n, b in once.items()}).items():
            archive.writestr(name, content)
    hub = Hub(file.getvalue())
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(hub))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, endpoint)
    for name, value in {
        "KAGGLEHUB_CACHE": str(tmp_path / "cache"),
        "KAGGLE_API_TOKEN": TOKEN,
        "no_proxy": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("KAGGLE_API_ENVIRONMENT", raising=False)
    yield hub
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_set_is_downloaded_once_and_read_as_a_folder(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = load("kaggle:someone/scans")
    assert len(data) == 6 and data.classes == ("no", "yes")  # the doubled folder is counted once
    assert data.root.startswith(str(tmp_path / "cache"))
    assert any("Kaggle data set someone/scans, version 3" in note for note in data.notes)
    assert hub.asked == ["GetDataset", "DownloadDataset"] and hub.tokens == {f"Bearer {TOKEN}"}
    assert source_digest("kaggle:someone/scans") == data.digest()
    assert hub.asked == ["GetDataset", "DownloadDataset", "GetDataset"]  # not fetched again
    captured = capsys.readouterr()
    assert captured.out == "" and TOKEN not in captured.err + " ".join(data.notes)


def test_a_version_in_the_cache_needs_no_network(hub: Hub) -> None:
    first = load("kaggle:someone/scans/versions/3")
    asked = list(hub.asked)
    assert load("kaggle:someone/scans/versions/3").samples == first.samples and hub.asked == asked


def test_what_cannot_be_had_says_why_without_the_token(hub: Hub) -> None:
    with pytest.raises(DataError, match=r"'someone/other' is not available.*token") as caught:
        load("kaggle:someone/other")
    assert TOKEN not in str(caught.value) and "\n" not in str(caught.value)
    hub.broken = True
    with pytest.raises(DataError, match="is not available"):
        load("kaggle:someone/scans")


@pytest.mark.parametrize("handle", ["", "scans", "a/b/c", "../../etc", "../..", "a/b/versions/x", "a/b?c"])
def test_odd_handles_are_refused(handle: str) -> None:
    with pytest.raises(UsageError, match="expected kaggle:owner/set"):
        load(f"kaggle:{handle}")


def test_without_kagglehub_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(MissingExtraError, match=r"headtohead\[kaggle\]"):
        load("kaggle:someone/scans")
