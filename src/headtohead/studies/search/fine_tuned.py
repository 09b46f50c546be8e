"""The networks that `best` fine-tunes: their heads, the ones fitted on all images, and their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headtohead.core.atomic_io import write_atomic
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.run_folder import RunFolder, slug
from headtohead.data.dataset import Dataset
from headtohead.studies.search.deadline import DeadlineReporter, TimeOverError
from headtohead.training.records import Floats

if TYPE_CHECKING:
    from headtohead.data.splits.folds import Fold
    from headtohead.heads.base import SampleLabels
    from headtohead.heads.fine_tuning import FineTuningHead
    from headtohead.training.settings import FinetuneSettings
    from headtohead.training.trainer import Trainer

__all__ = ["FineTuner", "FineTuningResult", "fit_on_all", "tuned_heads", "tuned_probabilities"]

MODE = "@finetune"
GO_ON = "It is in neither the estimate nor the model; the same command with more --minutes goes on."


@dataclass(frozen=True)
class FineTuningResult:
    """What fine-tuning could finish in its time.

    Attributes:
        names: of the fine-tuned contenders.
        folds: of the repeats that are finished.
        models: the networks fitted on all images; empty where anything is missing.
        notes: what is left out, in sentences.
    """

    names: tuple[str, ...]
    folds: list[Fold]
    models: list[dict[str, Any]]
    notes: list[str]


@dataclass(frozen=True)
class FineTuner:
    """Fine-tunes networks of a run as far as the time goes.

    Attributes:
        heads: contender name -> head.
        dataset: the grouped samples.
        labels: of all samples.
        crop: name of the preprocessing.
        run_folder: where finished cells and networks lie.
        seed: of the study.
    """

    heads: Mapping[str, FineTuningHead]
    dataset: Dataset
    labels: SampleLabels
    crop: str
    run_folder: RunFolder
    seed: int

    def run(self, folds: Sequence[Fold], deadline: DeadlineReporter) -> FineTuningResult:
        """Fine-tune one repeat, then on all images, then the other repeats, until the deadline.

        Args:
            folds: the outer folds.
            deadline: the end of the time; training stops there in the middle of an epoch.
        """
        from headtohead.heads.cross_validation import fit_cells

        names = tuple(self.heads)
        repeats = sorted({fold.repeat for fold in folds}) if names else []
        finished: list[Fold] = []
        models: list[dict[str, Any]] = []
        try:
            for number, repeat in enumerate(repeats):
                current = [fold for fold in folds if fold.repeat == repeat]
                fit_cells(
                    self.heads, current, self.labels, self.run_folder, seed=self.seed, reporter=deadline
                )
                finished += current
                if number == 0:
                    models = [self._fit_on_all(name, deadline) for name in names]
        except TimeOverError:
            return self._cut_short(finished, models, len(repeats))
        return FineTuningResult(names, finished, models, [])

    def _fit_on_all(self, name: str, deadline: DeadlineReporter) -> dict[str, Any]:
        path = self.run_folder.path
        return fit_on_all(name, self.heads[name], self.dataset, self.crop, path, self.seed, deadline)

    def _cut_short(
        self, finished: list[Fold], models: list[dict[str, Any]], n_repeats: int
    ) -> FineTuningResult:
        """Return the result with a sentence on what the time did not suffice for."""
        backbones = " and ".join(name.removesuffix(MODE) for name in self.heads)
        n_finished = len({fold.repeat for fold in finished})
        note = f"The time was over before fine-tuning of {backbones} had finished"
        if not models:
            missing = "on all images" if n_finished else "one repeat"
            return FineTuningResult(tuple(self.heads), [], [], [f"{note} {missing}. {GO_ON}"])
        note = f"{note}: all rows are of {n_finished} of {n_repeats} repeats."
        return FineTuningResult(tuple(self.heads), finished, models, [note])


def tuned_heads(
    names: Sequence[str], dataset: Dataset, crop: str, *, epochs: int, augment: str
) -> dict[str, FineTuningHead]:
    """Return a fine-tuning head per backbone, with the fixed policy, which chooses nothing."""
    from headtohead.backbones.catalog import resolve
    from headtohead.contenders.training_modes import parse_mode
    from headtohead.contenders.tuned_modes import settings_for
    from headtohead.core.config import TrainConfig
    from headtohead.heads.fine_tuning import FineTuningHead
    from headtohead.heads.network_training import NetworkTraining
    from headtohead.preprocess.recipe import get_recipe
    from headtohead.training.data_loader import DatasetImages

    train = TrainConfig(workers=1, epochs=epochs, augment=augment, policy="fixed")
    heads, recipe = {}, get_recipe(crop)
    for name in names:
        record = resolve(name)
        settings = settings_for(train, parse_mode("finetune"), [record])
        images = DatasetImages(dataset, record, recipe)
        networks = NetworkTraining(record, images, recipe_digest=recipe.digest())
        heads[name + MODE] = FineTuningHead(networks, settings)
    return heads


def fit_on_all(
    name: str, head: FineTuningHead, dataset: Dataset, crop: str, out: Path, seed: int, reporter: Reporter
) -> dict[str, Any]:
    """Train as the head would, on all images, and write the network.

    It goes on from its checkpoint where there is one; a network that is there already is kept.

    Args:
        name: of the contender.
        head: with its settings.
        dataset: all images.
        crop: name of the preprocessing.
        out: the run folder.
        seed: of the training.
        reporter: hears how far the training is, and may end it.

    Returns:
        What `tuned_probabilities` needs: name, file, backbone, recipe and settings.

    Raises:
        TimeOverError: the reporter's deadline has passed; finished epochs are kept for the next call.
    """
    from safetensors.torch import save

    key = f"{head.record.name}:{dataset.digest()}:{head.settings.model_dump_json()}:{crop}:{seed}"
    file = f"model-{slug(name.removesuffix(MODE))}.safetensors"
    if _stored_key(out / file) != key:
        training = _start(head.record.name, head.settings, dataset, crop, seed, reporter)
        checkpoint = out / f"whole-{slug(name)}.pt"
        training.run(head.settings.epochs, None, checkpoint, key, reporter)
        # safetensors refuses tensors that are not contiguous, as those in channels-last order.
        tensors = {k: tensor.contiguous() for k, tensor in training.net.state_dict().items()}
        write_atomic(out / file, save(tensors, {"key": key}))
        checkpoint.unlink(missing_ok=True)
    return {
        "name": name, "file": file, "backbone": head.record.name, "recipe": crop, "seed": seed,
        "classes": list(dataset.classes), "settings": head.settings.model_dump(mode="json"),
    }  # fmt: skip


def _stored_key(path: Path) -> str | None:
    """Return the key of what a network was made from, or None where there is no network."""
    from safetensors import safe_open

    if not path.is_file():
        return None
    with safe_open(path, "pt") as file:
        return str((file.metadata() or {}).get("key"))


def tuned_probabilities(member: dict[str, Any], folder: Path, dataset: Dataset) -> Floats:
    """Return (n, k) probabilities of a network that `fit_on_all` wrote, with flips if it was trained with them.

    Args:
        member: what `fit_on_all` returned.
        folder: the run folder.
        dataset: images with any labels.
    """
    from safetensors.torch import load_file

    from headtohead.training.settings import FinetuneSettings

    # The stored weights replace the head, so that none need be fitted on these images first.
    settings = FinetuneSettings.model_validate({**member["settings"], "head_start": "random"})
    training = _start(
        member["backbone"], settings, dataset, member["recipe"], member["seed"], QUIET, len(member["classes"])
    )
    training.net.load_state_dict(load_file(folder / member["file"]))
    return training.predict(np.arange(len(dataset)))


def _start(
    backbone: str,
    settings: FinetuneSettings,
    dataset: Dataset,
    crop: str,
    seed: int,
    reporter: Reporter,
    k: int = 0,
) -> Trainer:
    from headtohead.backbones.catalog import resolve
    from headtohead.preprocess.recipe import get_recipe
    from headtohead.training.data_loader import DatasetImages, get_augmenter
    from headtohead.training.setup import TrainingSetup, loader
    from headtohead.training.trainer import Subset

    record = resolve(backbone)
    images = DatasetImages(dataset, record, get_recipe(crop))
    part = Subset(np.arange(len(dataset)), dataset.labels())
    setup = TrainingSetup(loader(record), images, get_augmenter(settings.augment), settings)
    return setup.start(part, seed=seed, k=k or len(dataset.classes), reporter=reporter)
