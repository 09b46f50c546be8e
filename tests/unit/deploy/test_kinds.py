"""Every kind of contender as a model: trained from a run, the same digits from a copy, and a map."""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from tests.planting.trained_model import data_folder

from headtohead.core.config import StudyConfig
from headtohead.deploy.load import load_model
from headtohead.deploy.model import DeployedModel
from headtohead.deploy.predict.calibrated import calibrate
from headtohead.deploy.training.train import TrainRequest, train_bundle
from headtohead.studies.comparison import compare_study

CNN, VIT = "scratch:test_efficientnet", "scratch:test_vit"
FROZEN = {
    f"{CNN}@probe:flip": "contributions",
    f"hybrid({CNN},{VIT})": "contributions",
    f"ensemble({CNN},{VIT},how=weighted)": "contributions",
    f"ensemble({CNN},{VIT},how=stacked)": "contributions",
}
OTHERS = {
    f"{VIT}@mlp": "occlusion",
    f"{VIT}@probe:symmetry": "occlusion",
    f"ensemble({CNN},{VIT}@mlp)": "occlusion",
    f"folds({CNN},2)": "contributions",
    f"seeds({VIT}@mlp,2)": "occlusion",
    f"{VIT}@partial:1": "contributions",
    f"{VIT}@lora": "contributions",
    f"{CNN}@reader": "occlusion",
    f"hybrid({CNN},{VIT})@finetune": "occlusion",
    f"seeds({CNN}@finetune,2)": "contributions",
    f"snapshots({VIT}@finetune,2)": "contributions",
    f"folds({VIT}@finetune,2)": "contributions",
    f"ensemble({CNN},{VIT}@finetune,how=weighted)": "contributions",
    f"ensemble({CNN},seeds({VIT}@finetune,2))": "contributions",
    "scratch-cnn": "contributions",
}


@functools.cache
def run_of(*contenders: str) -> Path:
    """Return a finished run of many kinds at once."""
    out = Path(tempfile.mkdtemp(prefix="h2h-kinds-")) / "run"
    settings = {
        "data": str(data_folder()), "contenders": contenders, "folds": 2, "repeats": 1, "n_boot": 100,
        "recipe": "foreground", "precision": "fp32",
    }  # fmt: skip
    if set(contenders) == set(OTHERS):
        settings["train"] = {"epochs": 2, "policy": "fixed"}
    compare_study(StudyConfig.from_settings(settings), out, cache=out.parent / "features")
    return out


@functools.cache
def bundle(contender: str) -> Path:
    """Return the model of a contender of the run of its kind."""
    run = run_of(*(FROZEN if contender in FROZEN else OTHERS))
    out = Path(tempfile.mkdtemp(prefix="h2h-kind-")) / "model"
    train_bundle(TrainRequest(run, out, contender, cache=run.parent / "features"))
    return out


def check(contender: str, method: str, tmp_path: Path) -> DeployedModel:
    """Train a kind, and compare a copy of it, its answers and its map."""
    shutil.copytree(bundle(contender), tmp_path / "elsewhere")
    model, copy = load_model(bundle(contender)), load_model(tmp_path / "elsewhere")
    files = sorted(data_folder().glob("*/*.bmp"))[::8]
    told = list(model.predict(files))
    assert told == list(copy.predict(files))
    assert all(one.error is None for one in told)
    found = model.explain_bytes("x", files[0].read_bytes())
    own, given = found.attribution, told[0].probabilities
    assert found.method == method
    assert (own.log_odds > 0) == (given["yes"] > 0.5)
    if abs(own.log_odds) < 10:  # beyond it float32 has no digits left in the smaller probability
        assert own.log_odds == pytest.approx(np.log(given["yes"] / given["no"]), rel=2e-3, abs=2e-3)
    if method == "contributions":
        assert own.offset is not None
        assert own.offset + own.localised + own.not_localised == pytest.approx(
            own.log_odds, rel=1e-3, abs=2e-3
        )
    else:
        assert own.offset is None and "By occlusion" in found.words
        assert np.abs(own.grid).max() > 0
    return model


@pytest.mark.parametrize("contender", FROZEN)
@pytest.mark.slow
def test_a_kind_of_frozen_features(contender: str, tmp_path: Path) -> None:
    check(contender, FROZEN[contender], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("contender", OTHERS)
def test_any_other_kind(contender: str, tmp_path: Path) -> None:
    check(contender, OTHERS[contender], tmp_path)


@pytest.mark.slow
def test_an_ensemble_answers_with_the_mean_of_its_members() -> None:
    weighted = bundle(f"ensemble({CNN},{VIT},how=weighted)")
    chosen = json.loads((weighted / "provenance.json").read_text())["chosen"]
    weights = chosen[f"ensemble({CNN},{VIT},how=weighted)"]["weights"]
    model = load_model(weighted)
    files = sorted(data_folder().glob("*/*.bmp"))[::8]
    prepared = [model.prepare_bytes(str(path), path.read_bytes()) for path in files]
    inputs = [np.stack(part) for part in zip(*(one.inputs for one in prepared), strict=True)]
    together = calibrate(model.runtime.forward(*inputs), 1.0)
    alone = []
    for member in (CNN, VIT):
        single = load_model(_single(member))
        own = inputs[model.preprocessing.inputs.index(single.preprocessing.inputs[0])]
        alone.append(calibrate(single.runtime.forward(own), 1.0))
    np.testing.assert_allclose(together, weights[0] * alone[0] + weights[1] * alone[1], atol=1e-5)


@functools.cache
def _single(member: str) -> Path:
    out = Path(tempfile.mkdtemp(prefix="h2h-kind-")) / "model"
    run = run_of(*FROZEN)
    train_bundle(TrainRequest(run, out, member, cache=run.parent / "features"))
    return out
