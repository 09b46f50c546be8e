"""A model that was trained on chosen channels reads the same ones, and no file without them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image as Pillow

from headtohead.core.config import StudyConfig
from headtohead.core.errors import UnreadableError
from headtohead.core.progress import QuietReporter
from headtohead.data.load import load
from headtohead.data.options import LoadOptions
from headtohead.deploy.bundle.records import InputSpec, PreprocessorConfig, RecipeSpec
from headtohead.deploy.evaluation.lines import warn_of_readings
from headtohead.deploy.load import load_model
from headtohead.deploy.predict.prepare import Preprocessor
from headtohead.deploy.training.train import TrainRequest, train_bundle
from headtohead.preprocess.recipe import get_recipe
from headtohead.studies.comparison import compare_study

CHANNELS = (4, 2, 0)
INPUT = InputSpec(input_size=24, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
CONFIG = PreprocessorConfig(recipes=(RecipeSpec.of(get_recipe("none")),), inputs=(INPUT,), channels=CHANNELS)


def stack(seed: int) -> npt.NDArray[np.uint16]:
    return np.random.default_rng(seed).integers(0, 4000, (30, 26, 5)).astype(np.uint16)


def tiff(array: npt.NDArray[Any]) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, array, photometric="minisblack", planarconfig="contig")
    return file.getvalue()


def test_prediction_sees_the_planes_of_training(tmp_path: Path) -> None:
    """Training reads through the data set, prediction from bytes: inputs are equal, and other channels give others."""
    for seed, label in enumerate("abab"):
        (tmp_path / label).mkdir(exist_ok=True)
        (tmp_path / label / f"{seed}.tif").write_bytes(tiff(stack(seed)))
    data = load(str(tmp_path), LoadOptions(channels=CHANNELS))
    prepare, other = Preprocessor(CONFIG), Preprocessor(CONFIG.model_copy(update={"channels": (0, 2, 4)}))
    for sample in data.samples:
        content = (tmp_path / sample.path).read_bytes()
        in_training = prepare.from_image(sample.id, data.read(sample), sample.sha256).inputs[0]
        assert np.array_equal(prepare.from_bytes(sample.path, content).inputs[0], in_training)
        assert not np.array_equal(other.from_bytes(sample.path, content).inputs[0], in_training)


def test_a_file_without_channels_is_refused_and_told_why() -> None:
    file = io.BytesIO()
    Pillow.fromarray((stack(0)[..., :3] // 16).astype(np.uint8)).save(file, "PNG")
    with pytest.raises(UnreadableError, match=r"trained on channels 4, 2, 0 .* this file, PNG, has none"):
        Preprocessor(CONFIG).from_bytes("x.png", file.getvalue())
    plain = Preprocessor(CONFIG.model_copy(update={"channels": ()}))
    assert plain.from_bytes("x.png", file.getvalue()).inputs[0].shape == (3, 24, 24)
    with pytest.raises(UnreadableError, match="channel 4 was requested; the file holds 3"):
        Preprocessor(CONFIG).from_bytes("x.tif", tiff(stack(0)[..., :3]))


def test_files_that_had_no_channels_in_training_have_none_in_prediction(tmp_path: Path) -> None:
    """TIFF files with five channels and PNG files in one set: both are predicted, a JPEG is not."""
    rng = np.random.default_rng(0)
    for i in range(24):
        folder = tmp_path / "data" / "ab"[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        if i % 3:
            (folder / f"{i}.tif").write_bytes(tiff(stack(i) + 3000 * (i % 2)))
        else:
            low = 100 * (i % 2)
            Pillow.fromarray(rng.integers(low, low + 100, (30, 26), np.uint8)).save(folder / f"{i}.png")
    config = StudyConfig.from_settings(
        {
            "data": str(tmp_path / "data"), "contenders": ("scratch:test_efficientnet",), "folds": 2, "repeats": 1,
            "n_boot": 100, "recipe": "none", "precision": "fp32",
            "data_options": {"positive": "b", "channels": CHANNELS},
        }
    )  # fmt: skip
    compare_study(config, tmp_path / "run", cache=tmp_path / "features")
    train_bundle(TrainRequest(tmp_path / "run", tmp_path / "model", cache=tmp_path / "features"))
    model = load_model(tmp_path / "model")
    assert model.preprocessing.plain_formats == ("PNG",)
    assert [p.error for p in model.predict(tmp_path / "data")] == [None] * 24
    file = io.BytesIO()
    Pillow.fromarray(np.zeros((30, 26), np.uint8)).save(file, "JPEG")
    (refused,) = model.predict_bytes([("x.jpg", file.getvalue())])
    assert refused.error is not None and "JPEG, has none to choose from" in refused.error


class _Model:
    name, preprocessing = "m", CONFIG


def test_evaluation_warns_where_other_channels_are_read() -> None:
    said: list[str] = []

    class Told(QuietReporter):
        def warning(self, message: str) -> None:
            said.append(message)

    for channels in ((), (0, 2, 4), CHANNELS):
        warn_of_readings([_Model()], LoadOptions(channels=channels), Told())  # type: ignore[list-item]
    assert said == ["m was trained with --channels 4,2,0; give the same here if the files are such."] * 2
