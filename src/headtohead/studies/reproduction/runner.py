"""Training and scoring of the two networks in every state of the protocol; finished trainings are stored."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from headtohead.core.atomic_io import write_atomic
from headtohead.core.config import ReproductionConfig
from headtohead.core.errors import RunFolderError
from headtohead.core.progress import Reporter
from headtohead.core.run_folder import RunFolder
from headtohead.studies.reproduction.protocol import Arm, Correction, NetworkPair, transformer_settings
from headtohead.studies.reproduction.splits import Split, draw_split, leak_share
from headtohead.training.records import Floats, Ints

if TYPE_CHECKING:
    from headtohead.backbones.record import BackboneRecord
    from headtohead.data.dataset import Dataset
    from headtohead.training.data_loader import DatasetImages

__all__ = ["ProtocolRunner", "ScoredImages"]

COPIES = 2  # augmented copies of each training image, on which the head of the frozen CNN learns too
CNN_REPEATS = 3  # of the grouped folds; the transformer, fine-tuned at many times the cost, has one
MIN_POOL = 10  # images of the rarer class; with fewer, lower-case names are no pool to draw from


@dataclass(frozen=True, slots=True, eq=False)
class ScoredImages:
    """The predictions of one network in one state, one row per scored image and draw.

    Attributes:
        samples: (m,) sample indices.
        draws: (m,) number of the draw.
        probabilities: (m, k) at the epoch that counts.
        correct: (m,) whether the most probable class is the true one.
    """

    samples: Ints
    draws: Ints
    probabilities: Floats
    correct: npt.NDArray[np.bool_]


class ProtocolRunner:
    """Trains what a state of the study needs, and stores it.

    Args:
        dataset: the grouped samples, of two classes.
        networks: the CNN and the transformer.
        config: how much is computed.
        run: the run folder.
        reporter: hears how far the training is.
    """

    def __init__(
        self,
        dataset: Dataset,
        networks: NetworkPair,
        config: ReproductionConfig,
        run: RunFolder,
        reporter: Reporter,
    ) -> None:
        self.dataset, self.networks, self.config = dataset, networks, config
        self._run, self._reporter = run, reporter
        self.labels, self.groups = dataset.labels(), dataset.groups()
        self._images: dict[tuple[Arm, str, bool], DatasetImages] = {}
        self._rows: dict[tuple[str, bool], npt.NDArray[np.float32]] = {}

    def score(self, step: Correction, arm: Arm) -> ScoredImages:
        """Return the predictions of a state's scored images, at the epoch that its protocol chooses."""
        samples, draws, probabilities = [], [], []
        for draw, split in enumerate(self.splits(step, arm)):
            by_epoch = self._probabilities(step, arm, draw, split)
            hits = by_epoch.argmax(axis=2) == self.labels[split.scored]
            # The flaw that is measured: an epoch chosen on the scored images.
            epoch = int(hits.mean(axis=1).argmax()) if step.peeks else len(by_epoch) - 1
            samples.append(split.scored)
            draws.append(np.full(len(split.scored), draw))
            probabilities.append(by_epoch[epoch])
        rows, indices = np.concatenate(probabilities), np.concatenate(samples)
        correct = rows.argmax(axis=1) == self.labels[indices]
        return ScoredImages(indices, np.concatenate(draws), rows, correct)

    def leaks(self, step: Correction, arm: Arm) -> float:
        """Return the mean share of scored images that have a copy in training."""
        return float(np.mean([leak_share(split, self.groups) for split in self.splits(step, arm)]))

    def splits(self, step: Correction, arm: Arm) -> list[Split]:
        """Return the split of every draw of a state."""
        if step.folds:
            from headtohead.data.splits.folds import make_folds

            repeats = CNN_REPEATS if arm == "cnn" else 1
            plan = make_folds(self.dataset, folds=5, repeats=repeats, seed=self.config.seed)
            return [Split(fold.train, fold.test) for fold in plan.folds]
        pool = self.pool(step, arm)
        own_images = not step.shared
        # The CNN's head takes seconds, so it is drawn more often where nothing else shares its splits.
        draws = self.config.many_splits if arm == "cnn" and own_images else self.config.splits
        # Once the images are shared, both networks get the same draws.
        first = 10_000 * self.config.seed + (1000 if arm == "vit" and own_images else 0)
        return [
            draw_split(self.labels, self.groups, pool, grouped=step.grouped, seed=first + draw)
            for draw in range(draws)
        ]

    def pool(self, step: Correction, arm: Arm) -> Ints:
        """Return the images that an arm uses; the study's transformer saw lower-case file names only.

        The study's counts say so: 36 scored of 179 names in lower case, where the CNN scored 50 of 253.
        """
        every = np.arange(len(self.labels))
        if step.shared or arm == "cnn":
            return every
        lower = np.asarray([not Path(s.path).suffix.isupper() for s in self.dataset.samples])
        counts = np.bincount(self.labels[lower], minlength=len(self.dataset.classes))
        return every[lower] if counts.min() >= MIN_POOL else every

    def _probabilities(self, step: Correction, arm: Arm, draw: int, split: Split) -> Floats:
        """Return (epochs, n_scored, k) probabilities, from the run folder if they were computed before."""
        from headtohead.training.checkpoint import fingerprint

        # Not `peeks`: it chooses another epoch of the same training, which need not be repeated.
        flags = (arm, step.grouped, step.shared, step.normalised, step.recipe, step.folds)
        name = "-".join(str(flag) for flag in flags)
        path = self._run.cell_path(name, draw, 0).with_suffix(".npz")
        facts = {
            "train": split.train.tolist(),
            "scored": split.scored.tolist(),
            "config": self.config.model_dump(mode="json", include=DECIDING),
            "record": self._record(arm).name,
        }
        key = fingerprint(facts)
        stored = _read_cell(path, key)
        if stored is not None:
            return stored
        workdir = self._run.work_folder(name, draw, 0)
        train = self._train_cnn if arm == "cnn" else self._train_vit
        by_epoch = train(step, split, draw, workdir)
        _write_cell(path, key, by_epoch)
        shutil.rmtree(workdir, ignore_errors=True)
        return by_epoch

    def _train_cnn(self, step: Correction, split: Split, draw: int, workdir: Path) -> Floats:
        """Train the head on the frozen network; it takes seconds and needs no checkpoint."""
        del workdir
        from headtohead.studies.reproduction.epoch_replay import augmented_rows, train_head_per_epoch

        key = (step.recipe, step.normalised)  # frozen features do not depend on the split
        if key not in self._rows:
            every = np.arange(len(self.labels))
            record = self._as_fed("cnn", step.normalised)
            images = self._source("cnn", *key)
            self._rows[key] = augmented_rows(record, images, every, COPIES, self.config.seed, self._reporter)
        rows = self._rows[key]
        learned = np.concatenate(list(rows[:, split.train]))
        labels = np.tile(self.labels[split.train], len(rows))
        k = len(self.dataset.classes)
        return train_head_per_epoch(
            learned, labels, rows[0][split.scored], k, epochs=self.config.head_epochs, seed=draw
        )

    def _train_vit(self, step: Correction, split: Split, draw: int, workdir: Path) -> Floats:
        """Fine-tune the transformer; an interrupted training goes on from its checkpoint."""
        from headtohead.studies.reproduction.epoch_replay import train_network_per_epoch

        return train_network_per_epoch(
            self._as_fed("vit", step.normalised),
            self._source("vit", step.recipe, step.normalised),
            transformer_settings(self.config),
            (split.train, self.labels[split.train]),
            (split.scored, self.labels[split.scored]),
            k=len(self.dataset.classes),
            seed=self.config.seed * 100 + draw,
            workdir=workdir,
            reporter=self._reporter,
        )

    def _record(self, arm: Arm) -> BackboneRecord:
        return self.networks.cnn if arm == "cnn" else self.networks.vit

    def _as_fed(self, arm: Arm, normalised: bool) -> BackboneRecord:
        """Return the record with the normalisation of the state: the weights' own, or pixels / 255 alone."""
        record = self._record(arm)
        if normalised:
            return record
        return record.model_copy(update={"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)})

    def _source(self, arm: Arm, recipe: str, normalised: bool) -> DatasetImages:
        from headtohead.preprocess.recipe import get_recipe
        from headtohead.training.data_loader import DatasetImages

        key = (arm, recipe, normalised)
        if key not in self._images:
            self._images[key] = DatasetImages(self.dataset, self._as_fed(arm, normalised), get_recipe(recipe))
            self._images[key].prepare(self._reporter)
        return self._images[key]


# The settings on which a training depends; how many splits there are is none of them.
DECIDING = {"seed", "head_epochs", "full", "epochs"}


def _write_cell(path: Path, key: str, by_epoch: Floats) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, key=np.array(key), probabilities=by_epoch)
    write_atomic(path, buffer.getvalue())


def _read_cell(path: Path, key: str) -> Floats | None:
    """Return the probabilities of a finished cell, or None where there is none.

    Raises:
        RunFolderError: it was computed from something else.
    """
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as stored:
        if str(stored["key"]) != key:
            raise RunFolderError(
                f"The cell {path} was computed from other images, networks or settings. "
                "Remove it, or choose another --out."
            )
        return np.asarray(stored["probabilities"], dtype=np.float64)
