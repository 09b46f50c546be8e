"""Networks that `best` fine-tunes: their heads, the one fitted on all images, and its way to disk and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.atomic_io import write_atomic
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.run_folder import RunFolder, slug
from headtohead.data.dataset import Dataset
from headtohead.studies.search.deadline import DeadlineReporter, TimeOverError

if TYPE_CHECKING:
    from headtohead.data.splits.folds import Fold
    from headtohead.heads.base import TrainingData
    from headtohead.heads.fine_tuning import FineTuningHead
    from headtohead.training.trainer import Trainer

__all__ = ["FineTuningResult", "fine_tune", "fit_on_all", "tuned_heads", "tuned_probabilities"]

MODE = "@finetune"
GO_ON = "It is in neither the estimate nor the model; the same command with more --minutes goes on."


@dataclass(frozen=True)
class FineTuningResult:
    """What fine-tuning could finish in its time.

    Attributes:
        parts: folds of the repeats that are finished.
        models: the networks fitted on all images; empty where anything is missing.
        notes: what is left out, in sentences.
    """

    parts: list[Fold]
    models: list[dict[str, Any]]
    notes: list[str]


def fine_tune(
    tuned: Mapping[str, FineTuningHead],
    parts: Sequence[Fold],
    data: TrainingData,
    run: RunFolder,
    dataset: Dataset,
    crop: str,
    seed: int,
    clock: DeadlineReporter,
) -> FineTuningResult:
    """Fine-tune one repeat, then on all images, then the other repeats, as far as the time goes."""
    from headtohead.heads.cross_validation import run_cells

    repeats = sorted({part.repeat for part in parts})
    names = " and ".join(name.removesuffix(MODE) for name in tuned)
    done: list[Fold] = []
    models: list[dict[str, Any]] = []
    try:
        for number, repeat in enumerate(repeats if tuned else []):
            now = [part for part in parts if part.repeat == repeat]
            run_cells(tuned, now, data, run, seed=seed, reporter=clock)
            done += now
            if number == 0:
                models = [
                    fit_on_all(name, head, dataset, crop, run.path, seed, clock)
                    for name, head in tuned.items()
                ]
    except TimeOverError:
        finished = len({part.repeat for part in done})
        note = f"The time was over before fine-tuning of {names} had finished"
        if not models:
            what = "one repeat" if not finished else "on all images"
            return FineTuningResult([], [], [f"{note} {what}. {GO_ON}"])
        return FineTuningResult(
            done, models, [f"{note}: all rows are of {finished} of {len(repeats)} repeats."]
        )
    return FineTuningResult(done, models, [])


def tuned_heads(
    names: Sequence[str], dataset: Dataset, crop: str, *, epochs: int, augment: str
) -> dict[str, FineTuningHead]:
    """Return a fine-tuning head per backbone, with the fixed policy that a study would use by default."""
    from headtohead.backbones.catalog import resolve
    from headtohead.contenders.training_modes import settings_for
    from headtohead.core.config import TrainConfig
    from headtohead.heads.fine_tuning import FineTuningHead
    from headtohead.preprocess.recipe import get_recipe

    train = TrainConfig(workers=1, epochs=epochs, augment=augment)
    found = {}
    for name in names:
        record = resolve(name)
        settings = settings_for(train, "finetune", record)
        found[name + MODE] = FineTuningHead(record, dataset, get_recipe(crop), settings)
    return found


def fit_on_all(
    name: str, head: FineTuningHead, dataset: Dataset, crop: str, out: Path, seed: int, reporter: Reporter
) -> dict[str, Any]:
    """Train as the head would, on all images, and write the network.

    It goes on from its checkpoint where there is one; a network that is there already is kept.

    Returns:
        What `tuned_probabilities` needs: name, file, backbone, recipe and settings.

    Raises:
        TimeOverError: the reporter's time is over; finished epochs are kept for the next call.
    """
    from safetensors.torch import save

    key = f"{head.record.name}:{dataset.digest()}:{head.settings.model_dump_json()}:{crop}:{seed}"
    file = f"model-{slug(name.removesuffix(MODE))}.safetensors"
    if _key_of(out / file) != key:
        training = _started(head.record.name, head.settings, dataset, crop, seed, reporter)
        checkpoint = out / f"whole-{slug(name)}.pt"
        training.run(head.settings.epochs, None, checkpoint, key, reporter)
        tensors = {k: tensor.contiguous() for k, tensor in training.net.state_dict().items()}
        write_atomic(out / file, save(tensors, {"key": key}))
        checkpoint.unlink(missing_ok=True)
    return {
        "name": name, "file": file, "backbone": head.record.name, "recipe": crop, "seed": seed,
        "classes": list(dataset.classes), "settings": head.settings.model_dump(mode="json"),
    }  # fmt: skip


def _key_of(path: Path) -> str | None:
    """Return from what a network was made, if there is one."""
    from safetensors import safe_open

    if not path.is_file():
        return None
    with safe_open(path, "pt") as file:
        return str((file.metadata() or {}).get("key"))


def tuned_probabilities(member: dict[str, Any], folder: Path, dataset: Dataset) -> npt.NDArray[np.float64]:
    """Return (n, k) probabilities of a network that `fit_on_all` wrote, with its mirror images if it was so."""
    from safetensors.torch import load_file

    from headtohead.training.settings import FinetuneSettings

    settings = FinetuneSettings.model_validate({**member["settings"], "head_start": "random"})
    training = _started(
        member["backbone"], settings, dataset, member["recipe"], member["seed"], QUIET, len(member["classes"])
    )
    training.net.load_state_dict(load_file(folder / member["file"]))
    return training.predict(np.arange(len(dataset)))


def _started(
    backbone: str, settings: Any, dataset: Dataset, crop: str, seed: int, reporter: Reporter, k: int = 0
) -> Trainer:
    from headtohead.backbones.catalog import resolve
    from headtohead.preprocess.recipe import get_recipe
    from headtohead.training.data_loader import DatasetImages, get_augmenter
    from headtohead.training.setup import loader, start_training
    from headtohead.training.trainer import Subset

    record = resolve(backbone)
    images = DatasetImages(dataset, record, get_recipe(crop))
    part = Subset(np.arange(len(dataset)), dataset.labels())
    return start_training(
        loader(record), images, get_augmenter(settings.augment), part, settings,
        seed=seed, k=k or len(dataset.classes), reporter=reporter,
    )  # fmt: skip
