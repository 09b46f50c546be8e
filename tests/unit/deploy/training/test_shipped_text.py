"""A bundle names no training file, no folder and nobody's home, whatever its files and folders are called."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from tests.planting.trained_model import data_folder

from headtohead.backbones.catalog import resolve
from headtohead.backbones.load import load_backbone
from headtohead.cli.app import main
from headtohead.core.records import Sample
from headtohead.deploy.load import load_model
from headtohead.deploy.training.shipped_text import finding_in_figures, without_names

SECRETS = (b"ZZMUELLER", b"ZZWARD7", b"ZZKOWALSKI", b"ZZNOWAK")


def sample(name: str) -> Sample:
    return Sample.model_construct(id=f"set/{name}", path=name, group="g")


def test_names_are_replaced_whole_and_figures_stay() -> None:
    samples = [sample("yes/a.png"), sample("yes/b a.png")]
    told = without_names("set/yes/a.png (test) and yes/b a.png (train) share bytes; ROC-a.pngs 0.9", samples)
    assert told == "an image (test) and an image (train) share bytes; ROC-a.pngs 0.9"


def test_findings_that_list_files_keep_their_title_alone() -> None:
    finding = {"code": "H2H302", "title": "t", "message": "a thumbnail alone reaches 0.99", "samples": []}
    assert finding_in_figures(finding) == "H2H302 a thumbnail alone reaches 0.99"
    finding = {
        "code": "H2H406",
        "title": "Groups with several labels",
        "message": "ZZNOWAK",
        "samples": ["x"],
    }
    assert finding_in_figures(finding) == "H2H406 Groups with several labels (1 image)"


@pytest.mark.slow
def test_a_bundle_from_telling_places_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home_of_ZZMUELLER"
    scans = home / "ZZWARD7 scans"
    for path in data_folder(5, 24).glob("*/*.bmp"):
        (scans / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, scans / path.parent.name / f"ZZKOWALSKI_{path.name}")
    first, second = sorted((scans / "yes").iterdir())[:2]
    shutil.copy(first, scans / "yes" / "ZZNOWAK copy.bmp")
    shutil.copy(second, scans / "no" / "ZZNOWAK label.bmp")  # one image, two labels: a severe finding
    weights = home / "ZZMUELLER.net" / "network.pth"
    weights.parent.mkdir()
    torch.save(load_backbone(resolve("scratch:test_efficientnet")).body.state_dict(), weights)
    monkeypatch.setenv("HOME", str(home))
    contender, out = f"path:{weights}?arch=test_efficientnet", home / "model"
    words = ["train", str(scans), "-c", contender, "--out", str(out), "--no-self-contained"]
    words += [
        "--folds",
        "2",
        "--repeats",
        "1",
        "--n-boot",
        "100",
        "--precision",
        "fp32",
        "--recipe",
        "foreground",
    ]
    monkeypatch.setattr("sys.argv", ["headtohead", *words])
    assert main(words) == 0
    assert any("ZZNOWAK" in path.read_text() for path in (home / "model.run").glob("audit.json"))
    told = [(path.name, s) for path in out.iterdir() for s in SECRETS if s in path.read_bytes()]
    assert told == []
    findings = json.loads((out / "estimate.json").read_text())["audit"]
    assert "H2H204 One image, two labels (2 images)" in findings
    assert any("thumbnail" in finding and "0." in finding for finding in findings)
    weights.unlink()  # the weights of a local file travel with the model
    assert next(iter(load_model(out).predict(first))).error is None
    assert load_model(out).name == "path:network.pth?arch=test_efficientnet"
