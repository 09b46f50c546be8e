"""The trainings of one network inside a cell, each with a checkpoint from which it goes on after an interruption."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.core.progress import Reporter
from headtohead.heads.base import SampleLabels
from headtohead.training.checkpoint import fingerprint
from headtohead.training.data_loader import DatasetImages, ImageSource, get_augmenter
from headtohead.training.records import Ints
from headtohead.training.settings import FinetuneSettings

if TYPE_CHECKING:
    from torch import nn

    from headtohead.backbones.record import BackboneRecord
    from headtohead.training.trainer import Subset, Trainer

__all__ = ["NetworkTraining", "TrainingJob"]


@dataclass(frozen=True)
class TrainingJob:
    """One training of a cell.

    Attributes:
        name: of its checkpoint in the work folder.
        indices: samples to learn from.
        settings: of the training.
        seed: of its draws.
        until: epochs to train.
    """

    name: str
    indices: Ints
    settings: FinetuneSettings
    seed: int
    until: int


@dataclass(frozen=True)
class NetworkTraining:
    """One network and its images, ready to be trained any number of times.

    Attributes:
        record: which network.
        images: where its images come from.
        recipe_digest: of their preprocessing; part of what a checkpoint belongs to.
        device: "auto", "cpu", "cuda", "mps"; precision: "auto", "fp32", "bf16".
        build: makes the backbone from (seed, drop_path); the record's own if None.
        on_epoch_end: called with the epoch log of the training after each epoch.
    """

    record: BackboneRecord
    images: ImageSource
    recipe_digest: str = ""
    device: str = "auto"
    precision: str = "auto"
    build: Callable[[int, float], nn.Module] | None = None
    on_epoch_end: Callable[[Path], None] | None = None

    def prepare(self, reporter: Reporter) -> None:
        """Decode the images of a data set before the first training."""
        if isinstance(self.images, DatasetImages):
            self.images.prepare(reporter)

    def train(
        self,
        job: TrainingJob,
        data: SampleLabels,
        validation: Subset | None,
        workdir: Path,
        reporter: Reporter,
    ) -> Trainer:
        """Return a finished training; it goes on from its checkpoint where there is one."""
        from headtohead.training.setup import TrainingSetup, loader
        from headtohead.training.trainer import Subset

        setup = TrainingSetup(
            self.build or loader(self.record),
            self.images,
            get_augmenter(job.settings.augment),
            job.settings,
            self.device,
            self.precision,
        )
        part = Subset(job.indices, data.labels[job.indices])
        training = setup.start(part, seed=job.seed, k=len(data.classes), reporter=reporter)
        training.on_epoch_end = self.on_epoch_end
        key = self.key(job, data, validation, training)
        training.run(job.until, validation, workdir / f"{job.name}.pt", key, reporter)
        return training

    def key(self, job: TrainingJob, data: SampleLabels, validation: Subset | None, training: Trainer) -> str:
        """Return what a checkpoint must have been made with to be continued or kept."""
        return fingerprint(
            {
                "record": self.record.model_dump(mode="json"),
                "recipe": self.recipe_digest,
                # No digit depends on them.
                "settings": job.settings.model_dump(mode="json", exclude={"workers"}),
                "seed": job.seed,
                "images": [self.images.number(int(index)) for index in job.indices],
                "labels": hashlib.sha256(data.labels[job.indices].tobytes()).hexdigest(),
                "held": [] if validation is None else validation.indices.tolist(),
                "bf16": training.bf16,  # "auto" means another arithmetic on another machine
                "network": [list(p.shape) for p in training.net.parameters()],
            }
        )
