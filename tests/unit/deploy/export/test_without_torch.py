"""An exported ONNX file answers in a process that can import neither torch nor timm nor transformers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.deploy.export.conftest import Exported

from headtohead.deploy.model import DeployedModel

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

CODE = """
import sys

class Forbid:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "timm", "transformers", "torchvision", "sklearn", "pandas", "onnx"):
            raise ImportError(f"{name} is forbidden here")

sys.meta_path.insert(0, Forbid())
from headtohead.cli.app import main
status = main(["predict", *sys.argv[1:], "--json"])
print("torch" in sys.modules, file=sys.stderr)
sys.exit(status)
"""


def test_gives_the_same_answers(
    model: DeployedModel,
    images: list[tuple[str, bytes]],
    exported: Callable[[str], Exported],
    tmp_path: Path,
) -> None:
    paths = [tmp_path / name for name, _ in images]
    for path, (_, content) in zip(paths, images, strict=True):
        path.write_bytes(content)
    words = [sys.executable, "-c", CODE, str(exported("onnx").path), *map(str, paths)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "False", "torch was imported"
    found = [json.loads(line) for line in done.stdout.splitlines()]
    for line, one in zip(found, model.predict_bytes(images), strict=True):
        assert line["predicted"] == one.predicted and line["flags"] == [*one.flags]
        assert line["probabilities"] == pytest.approx(one.probabilities, abs=1e-6)
