"""The Ray Serve file on one node: the same answers as the bundle itself."""

from __future__ import annotations

import importlib.util
import os
import socket
from pathlib import Path

import pytest
from tests.planting.trained_model import data_folder, trained

from headtohead.deploy.load import load_model

FILE = Path(__file__).resolve().parents[2] / "deploy" / "ray_serve.py"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_ray_serve_answers_as_the_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    httpx = pytest.importorskip("httpx")
    ray = pytest.importorskip("ray", reason="ray is not installed")
    try:
        from ray import serve
    except ModuleNotFoundError as error:
        pytest.skip(f"Ray Serve cannot be imported: {error.name} is not installed (extra `ray`)")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("HEADTOHEAD_MODEL", str(trained()))
    spec = importlib.util.spec_from_file_location("ray_serve", FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    paths = {"env_vars": {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}}
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env=paths)
    try:
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(module.app, route_prefix="/")
        model = load_model(trained())
        for path in sorted(data_folder().glob("*/*.bmp"))[::16]:
            content = path.read_bytes()
            (own,) = model.predict_bytes([("x", content)])
            told = httpx.post(f"http://127.0.0.1:{port}/", content=content, timeout=60).json()
            assert told["probabilities"] == pytest.approx(dict(own.probabilities), abs=1e-6)
            assert (told["label"], told["digest"]) == (own.predicted, model.digest)
        bad = httpx.post(f"http://127.0.0.1:{port}/", content=b"no image", timeout=60)
        assert bad.status_code == 422
    finally:
        serve.shutdown()  # type: ignore[no-untyped-call]
        ray.shutdown()
