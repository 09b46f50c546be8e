"""Data sets of the Hugging Face hub, from a hub on the loopback interface."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.planting.fake_hub import serve_hub

from headtohead.core.errors import MissingExtraError, UsageError
from headtohead.data.storage.hugging_face import fetch_hf

pytest.importorskip("datasets", reason="the extra hf is not installed")

CODE = """
import json, sys
from headtohead.core.errors import HeadToHeadError
from headtohead.data.load import load, source_digest
out = []
for source in sys.argv[1:]:
    try:
        data = load(source)
    except HeadToHeadError as error:
        out.append(str(error))
        continue
    counts = {name: sum(s.label == name for s in data.samples) for name in data.classes}
    splits = sorted({s.split or "" for s in data.samples})
    out.append([counts, splits, data.read(data.samples[0]).size, source_digest(source) == data.digest()])
print(json.dumps(out))
"""


def parquet(n: int) -> bytes:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image as PillowImage

    def png(seed: int) -> bytes:
        buffer = io.BytesIO()
        pixels = np.random.default_rng(seed).integers(0, 255, (9, 8), dtype=np.uint8)
        PillowImage.fromarray(pixels).save(buffer, "PNG")
        return buffer.getvalue()

    features = {"image": {"_type": "Image"}, "label": {"names": ["no", "yes"], "_type": "ClassLabel"}}
    made = pa.table(
        {
            "image": [{"bytes": png(i), "path": f"{i}.png"} for i in range(n)],
            "label": [i % 2 for i in range(n)],
        }
    ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    buffer = io.BytesIO()
    pq.write_table(made, buffer)
    return buffer.getvalue()


def run(endpoint: str, home: Path, *sources: str, offline: bool = False) -> list[object]:
    env = os.environ | {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_HUB_OFFLINE": "1" if offline else "0",
        "no_proxy": "127.0.0.1",
    }
    done = subprocess.run([sys.executable, "-c", CODE, *sources], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    found: list[object] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_a_data_set_of_the_hub_and_again_without_network(tmp_path: Path) -> None:
    files = {
        "README.md": b"---\nlicense: mit\n---\n",
        "data/train-00000-of-00001.parquet": parquet(6),
        "data/test-00000-of-00001.parquet": parquet(4),
    }
    with serve_hub("lab/scans", files) as (endpoint, asked):
        first, gone = run(endpoint, tmp_path, "hf:lab/scans", "hf:lab/none")
        assert not any("telemetry" in path.lower() for path in asked)
    assert first == [{"no": 5, "yes": 5}, ["test", "train"], [9, 8], True]
    assert isinstance(gone, str) and "hf:lab/none is not available" in gone and "\n" not in gone
    assert run(endpoint, tmp_path, "hf:lab/scans", offline=True) == [first]


@pytest.mark.slow
def test_an_etag_names_no_place_outside_the_cache(tmp_path: Path) -> None:
    with serve_hub("lab/scans", {"t.parquet": parquet(4)}, etag='"../../../../escaped"') as (endpoint, _):
        (said,) = run(endpoint, tmp_path / "home", "hf:lab/scans")
    assert isinstance(said, str) and "is no name of a file" in said and "\n" not in said
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith("escaped")]


def test_what_is_no_handle_is_refused() -> None:
    for handle in ("scans", "a/b/c", "a/b:", "a/b@", ""):
        with pytest.raises(UsageError, match="expected hf:owner/name"):
            fetch_hf(handle)


def test_without_datasets_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"headtohead\[hf\]"):
        fetch_hf("lab/scans")
