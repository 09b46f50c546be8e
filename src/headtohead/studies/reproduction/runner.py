"""Where the states of the study are trained and scored; finished trainings are kept in the folder."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.atomic_io import write_atomic
from headtohead.core.progress import Reporter
from headtohead.core.run_folder import slug
from headtohead.studies.reproduction.protocol import Arm, Correction, NetworkPair, ReproductionPlan

if TYPE_CHECKING:
    from headtohead.backbones.record import BackboneRecord
    from headtohead.data.dataset import Dataset
    from headtohead.training.data_loader import DatasetImages

__all__ = ["ProtocolRunner", "draw_parts", "leak_share"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
SCORED = 0.2


def draw_parts(
    labels: Ints, groups: npt.NDArray[Any], pool: Ints, *, grouped: bool, seed: int
) -> tuple[Ints, Ints]:
    """Return (train, scored) indices: a stratified fifth of the pool is scored, whole groups if asked."""
    rng = np.random.default_rng([seed, 11])
    units = groups[pool] if grouped else pool
    scored: list[Ints] = []
    for label in np.unique(labels[pool]):
        here = pool[labels[pool] == label]
        names = units[labels[pool] == label]
        order = rng.permutation(np.unique(names.astype(str)))
        wanted, taken = round(SCORED * len(here)), 0
        for name in order:
            if taken >= wanted:
                break
            members = here[names.astype(str) == name]
            scored.append(members)
            taken += len(members)
    chosen = np.sort(np.concatenate(scored))
    if grouped:  # a group with both labels must not straddle the split
        chosen = np.sort(pool[np.isin(groups[pool], np.unique(groups[chosen]))])
    return np.setdiff1d(pool, chosen), chosen


def leak_share(
    train: npt.NDArray[np.int64], scored: npt.NDArray[np.int64], groups: npt.NDArray[Any]
) -> float:
    """Return the share of scored images that have a copy (a member of their group) in training."""
    return float(np.isin(groups[scored], np.unique(groups[train])).mean())


class ProtocolRunner:
    """Trains what a state of the study asks for, and keeps it."""

    def __init__(
        self, dataset: Dataset, networks: NetworkPair, plan: ReproductionPlan, out: Path, reporter: Reporter
    ) -> None:
        self.dataset, self.networks, self.plan, self.out, self.reporter = (
            dataset,
            networks,
            plan,
            out,
            reporter,
        )
        self.labels, self.groups = dataset.labels(), dataset.groups()
        self._images: dict[tuple[str, str, bool], DatasetImages] = {}
        self._rows: dict[tuple[str, bool], npt.NDArray[np.float32]] = {}

    def predictions(self, step: Correction, side: Arm) -> list[dict[str, Any]]:
        """Return one line per scored image and draw: sample index, draw, correct."""
        found = []
        for draw, (train, scored) in enumerate(self.parts(step, side)):
            told = self._told(step, side, draw, train, scored)
            hits = told.argmax(axis=2) == self.labels[scored]
            epoch = int(hits.mean(axis=1).argmax()) if step.peeks else len(told) - 1
            found += [
                {"sample": int(i), "draw": draw, "correct": bool(hit)}
                for i, hit in zip(scored, hits[epoch], strict=True)
            ]
        return found

    def leaks(self, step: Correction, side: Arm) -> float:
        """Return the mean share of scored images that have a copy in training."""
        return float(np.mean([leak_share(*part, self.groups) for part in self.parts(step, side)]))

    def parts(self, step: Correction, side: Arm) -> list[tuple[Ints, Ints]]:
        """Return (train, scored) of every draw of a state."""
        if step.folds:
            from headtohead.data.splits.folds import make_folds

            repeats = 3 if side == "cnn" else 1
            plan = make_folds(self.dataset, folds=5, repeats=repeats, seed=self.plan.seed)
            return [(fold.train, fold.test) for fold in plan.folds]
        pool = self.pool(step, side)
        many = side == "cnn" and not step.shared
        draws = self.plan.many_splits if many else self.plan.splits
        apart = 0 if step.shared else 1000 * (side == "vit")
        first = 10_000 * self.plan.seed + apart
        return [
            draw_parts(self.labels, self.groups, pool, grouped=step.grouped, seed=first + draw)
            for draw in range(draws)
        ]

    def pool(self, step: Correction, side: Arm) -> Ints:
        """Return the images that a side uses; the study's transformer saw lower-case file names only.

        The study's counts say so: 36 scored of 179 names in lower case, where the CNN scored 50 of 253.
        """
        every = np.arange(len(self.labels))
        if step.shared or side == "cnn":
            return every
        lower = np.asarray([not Path(s.path).suffix.isupper() for s in self.dataset.samples])
        counts = np.bincount(self.labels[lower], minlength=len(self.dataset.classes))
        return every[lower] if counts.min() >= 10 else every

    def _told(self, step: Correction, side: Arm, draw: int, train: Ints, scored: Ints) -> Floats:
        """Return (epochs, n, k) probabilities, from the folder if they were computed before."""
        state = (step.grouped, step.shared, step.normalised, step.recipe, step.folds)
        folder = self.out / "cells" / side / slug("-".join(str(part) for part in state)) / str(draw)
        path = folder / "told.npy"
        facts = {
            "train": train.tolist(),
            "scored": scored.tolist(),
            "plan": repr(self.plan),
            "record": self._record(side).name,
        }
        from headtohead.training.checkpoint import fingerprint

        key = fingerprint(facts)
        if path.is_file() and (folder / "key").is_file() and (folder / "key").read_text() == key:
            return np.asarray(np.load(path), dtype=np.float64)
        told = (self._cnn if side == "cnn" else self._vit)(step, train, scored, draw, folder)
        _write_array(path, told)
        write_atomic(folder / "key", key)
        return told

    def _cnn(self, step: Correction, train: Ints, scored: Ints, draw: int, folder: Path) -> Floats:
        del folder
        from headtohead.studies.reproduction.epoch_replay import augmented_rows, train_head_per_epoch

        key = (step.recipe, step.normalised)
        if key not in self._rows:
            images = self._source("cnn", *key)
            every = np.arange(len(self.labels))
            self._rows[key] = augmented_rows(
                self._as_fed("cnn", step.normalised), images, every, 2, self.plan.seed, self.reporter
            )
        rows = self._rows[key]
        learned = np.concatenate(list(rows[:, train]))
        labels = np.tile(self.labels[train], len(rows))
        k = len(self.dataset.classes)
        return train_head_per_epoch(
            learned, labels, rows[0][scored], k, epochs=self.plan.head_epochs, seed=draw
        )

    def _vit(self, step: Correction, train: Ints, scored: Ints, draw: int, folder: Path) -> Floats:
        from headtohead.studies.reproduction.epoch_replay import train_network_per_epoch

        return train_network_per_epoch(
            self._as_fed("vit", step.normalised),
            self._source("vit", step.recipe, step.normalised),
            (train, self.labels[train]),
            (scored, self.labels[scored]),
            self.plan.settings(),
            k=len(self.dataset.classes),
            seed=self.plan.seed * 100 + draw,
            workdir=folder,
            reporter=self.reporter,
        )

    def _record(self, side: Arm) -> BackboneRecord:
        return self.networks.cnn if side == "cnn" else self.networks.vit

    def _as_fed(self, side: Arm, normalised: bool) -> BackboneRecord:
        record = self._record(side)
        if normalised:
            return record
        return record.model_copy(update={"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)})

    def _source(self, side: Arm, recipe: str, normalised: bool) -> DatasetImages:
        from headtohead.preprocess.recipe import get_recipe
        from headtohead.training.data_loader import DatasetImages

        key = (side, recipe, normalised)
        if key not in self._images:
            fed = self._as_fed(side, normalised)
            self._images[key] = DatasetImages(self.dataset, fed, get_recipe(recipe))
            self._images[key].prepare(self.reporter)
        return self._images[key]


def _write_array(path: Path, array: Floats) -> None:
    buffer = io.BytesIO()
    np.save(buffer, array)
    write_atomic(path, buffer.getvalue())
