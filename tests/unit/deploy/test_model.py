"""A trained model: the same answers from any copy, refused when changed, honest about what it cannot read."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from tests.planting.trained_model import FOLDS, PROBE, N, data_folder, trained

from headtohead.core.errors import BundleError, UnknownNameError, UsageError
from headtohead.deploy.bundle.files import CHECKSUMS
from headtohead.deploy.export import fast_runtime
from headtohead.deploy.load import load_model
from headtohead.deploy.model import DeployedModel


class Forward:
    """A runtime that gives logits alone, as that of an exported file."""

    name = "other"

    def __init__(self, model: DeployedModel) -> None:
        self._model = model

    def forward(self, *inputs: np.ndarray) -> np.ndarray:
        return self._model.runtime.forward(*inputs)


@pytest.fixture(scope="module")
def model() -> DeployedModel:
    return load_model(trained())


def test_a_line_for_each_image_in_order(model: DeployedModel) -> None:
    found = list(model.predict(data_folder(), batch_size=5))
    assert [p.path for p in found] == sorted(str(p) for p in data_folder().glob("*/*.bmp"))
    assert len(found) == N
    assert all(p.error is None and "in_training" in p.flags for p in found)
    assert sum(p.predicted == Path(p.path).parent.name for p in found) >= N - 4
    assert all(sum(p.probabilities.values()) == pytest.approx(1) for p in found)


def test_batches_change_nothing_but_rounding(model: DeployedModel) -> None:
    alone = list(model.predict(data_folder() / "no", batch_size=1))
    together = list(model.predict(data_folder() / "no", batch_size=7))
    a, b = ([p.probabilities["yes"] for p in part] for part in (alone, together))
    np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_copied_folder_gives_the_same_digits(model: DeployedModel, tmp_path: Path) -> None:
    shutil.copytree(trained(), tmp_path / "elsewhere")
    copy = load_model(tmp_path / "elsewhere")
    assert copy.digest == model.digest
    assert list(copy.predict(data_folder())) == list(model.predict(data_folder()))


@pytest.mark.parametrize(
    "name", sorted(p.name for p in [Path(n) for n in (
        "model.safetensors", "config.json", "preprocessor_config.json", "calibration.json", "reference.json",
        "estimate.json", "README.md", "provenance.json",
    )])
)  # fmt: skip
def test_one_changed_byte_is_refused(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    shutil.copytree(trained(), folder)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BundleError, match=name.replace(".", r"\.")):
        load_model(folder)


def test_what_was_checked_is_what_is_used(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    shutil.copytree(trained(), folder)
    model = load_model(folder)
    assert model.files == {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)  # after the check, before the network is first needed
    with pytest.raises(BundleError, match=r"model\.safetensors .* was changed"):
        model.predict_bytes([("x", next(data_folder().glob("no/*.bmp")).read_bytes())])


def test_a_missing_or_added_file_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    shutil.copytree(trained(), folder)
    (folder / "more.bin").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"more\.bin"):
        load_model(folder)
    (folder / "more.bin").unlink()
    (folder / "estimate.json").unlink()
    with pytest.raises(BundleError, match=r"lacks estimate\.json"):
        load_model(folder)
    (folder / CHECKSUMS).write_text(f"{'0' * 64}  ../outside\n")
    with pytest.raises(BundleError, match="outside its folder"):
        load_model(folder)


def test_unreadable_files_are_lines_with_the_reason(model: DeployedModel, tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("no image")
    good = next(data_folder().glob("no/*.bmp"))
    found = list(model.predict([text, good, tmp_path / "nothing.png"], batch_size=2))
    assert [p.error is None for p in found] == [False, True, False]
    assert found[0].to_row(model.classes).keys() == found[1].to_row().keys()
    assert found[0].to_row(model.classes)["prob_yes"] is None


def test_bytes_give_what_files_give(model: DeployedModel) -> None:
    path = next(data_folder().glob("yes/*.bmp"))
    (from_file,) = model.predict(path)
    (from_bytes,) = model.predict_bytes([("x", path.read_bytes())])
    assert from_bytes.model_copy(update={"path": from_file.path}) == from_file


def test_thresholds(model: DeployedModel) -> None:
    path = next(data_folder().glob("yes/*.bmp"))
    (strict,) = model.predict(path, threshold=1.0)
    assert (strict.predicted, strict.threshold) == ("no" if strict.probabilities["yes"] < 1 else "yes", 1.0)
    assert model.threshold("0.42") == 0.42
    assert model.threshold() == 0.5
    with pytest.raises(UnknownNameError, match="youden"):
        model.threshold("yuden")
    with pytest.raises(UsageError, match="from 0 to 1"):
        model.predict(path, threshold=2)


def test_a_coloured_photograph_is_flagged_and_strict_refuses_it(model: DeployedModel) -> None:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    Pillow.fromarray(pixels).save(buffer, "PNG")
    (told,) = model.predict_bytes([("photo", buffer.getvalue())])
    assert {"colour", "photograph", "far_from_training"} <= set(told.flags)
    assert told.error is None
    (refused,) = load_model(trained(), strict=True).predict_bytes([("photo", buffer.getvalue())])
    assert refused.predicted is None
    assert "colour" in str(refused.error)


def test_another_runtime_takes_the_networks_place(model: DeployedModel) -> None:
    class Half:
        name = "half"

        def forward(self, *inputs: np.ndarray) -> np.ndarray:
            return np.zeros((len(inputs[0]), 2), np.float32)

    with pytest.warns(UserWarning, match="far from training"):
        other = model.with_runtime(Half())
    (told,) = other.predict(next(data_folder().glob("no/*.bmp")))
    assert told.probabilities == {"no": 0.5, "yes": 0.5}
    assert "far_from_training" not in told.flags


def test_a_fold_ensemble_is_a_model_too() -> None:
    folds = load_model(trained(FOLDS))
    assert len(folds.config.members) == 2
    assert len(folds.config.bodies) == 1
    assert next(folds.predict(data_folder())).error is None
    assert load_model(trained()).config.contender == PROBE


def test_the_map_sums_to_the_calibrated_log_odds(model: DeployedModel) -> None:
    path = next(data_folder().glob("yes/*.bmp"))
    (told,) = model.predict(path)
    found = model.explain_bytes("x", path.read_bytes())
    own = found.attribution
    assert own.offset is not None
    assert own.log_odds == pytest.approx(
        np.log(told.probabilities["yes"] / told.probabilities["no"]), abs=1e-3
    )
    assert own.offset + own.localised + own.not_localised == pytest.approx(own.log_odds, abs=1e-3)
    assert found.pixels().shape == (72, 64)


def test_without_torch_network_the_map_is_by_occlusion(model: DeployedModel) -> None:
    path = next(data_folder().glob("yes/*.bmp"))
    exported = replace(model, load_runtime=lambda: Forward(model))
    assert "exported" in exported.map_problem and not model.map_problem
    found, exact = exported.explain_bytes("x", path.read_bytes()), model.explain_bytes("x", path.read_bytes())
    assert (found.method, exact.method) == ("occlusion", "contributions")
    assert found.attribution.log_odds == pytest.approx(exact.attribution.log_odds, rel=1e-3)
    disc = np.unravel_index(found.attribution.grid.argmax(), found.attribution.grid.shape)
    assert found.attribution.grid[disc] > 3 * abs(np.median(found.attribution.grid))


def test_a_bundle_is_loaded_on_another_runtime_and_still_explains(
    model: DeployedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(fast_runtime, "cache_home", lambda: tmp_path)
    fast = load_model(trained(), runtime="onnxruntime")
    assert fast.runtime.name == "onnxruntime"
    path = next(data_folder().glob("yes/*.bmp"))
    (one,), (other,) = fast.predict(path), model.predict(path)
    assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4) and one.flags == other.flags
    item = ("x", path.read_bytes())
    assert fast.explain_bytes(*item).attribution.log_odds == model.explain_bytes(*item).attribution.log_odds


@pytest.mark.slow
def test_a_fine_tuned_network_answers_as_its_training_did(tmp_path: Path) -> None:
    tuned = f"{PROBE}@finetune"
    model = load_model(trained(tuned, tuned))
    found = list(model.predict(data_folder()))
    assert model.config.bodies[0].tuned
    assert len(found) == N
    assert {p.error for p in found} == {None}
    shutil.copytree(trained(tuned, tuned), tmp_path / "copy")
    assert list(load_model(tmp_path / "copy").predict(data_folder())) == found
