"""An exported ONNX file answers in a process that can import neither torch nor timm nor transformers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from torch import nn

from headtohead.deploy.export.document import ExportDocument
from headtohead.deploy.export.exported_model import ExportedModel
from headtohead.deploy.export.write import ExportJob, export_network
from headtohead.deploy.runtimes.torch_network import TorchNetwork

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

CODE = """
import sys

class Forbid:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "timm", "transformers", "torchvision", "sklearn", "pandas", "onnx"):
            raise ImportError(f"{name} is forbidden here")

sys.meta_path.insert(0, Forbid())
import json
from pathlib import Path
from headtohead.deploy.export.exported_model import ExportedModel
model = ExportedModel.open(Path(sys.argv[1]))
answers = [[one.predicted, one.probabilities] for one in model.predict(map(Path, sys.argv[2:]))]
print(json.dumps({"answers": answers, "torch": "torch" in sys.modules}))
"""


def test_gives_the_same_answers(
    tiny_network: nn.Module, document: ExportDocument, images: list[tuple[str, bytes]], tmp_path: Path
) -> None:
    export_network(ExportJob(tiny_network, document, images), "onnx", tmp_path / "m.onnx")
    paths = [tmp_path / name for name, _ in images]
    for path, (_, content) in zip(paths, images, strict=True):
        path.write_bytes(content)
    words = [sys.executable, "-c", CODE, str(tmp_path / "m.onnx"), *map(str, paths)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["torch"] is False
    truth = ExportedModel(document, TorchNetwork(tiny_network)).predict_bytes(images)
    for (label, probabilities), one in zip(found["answers"], truth, strict=True):
        assert label == one.predicted and probabilities == pytest.approx(one.probabilities, abs=1e-6)
