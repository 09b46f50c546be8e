"""The maps of fine-tuned networks: the network of each fold is trained again, to the same digits, and kept."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from headtohead.contenders.mode import PlannedContender
from headtohead.core.errors import RunFolderError, UsageError
from headtohead.data.splits.folds import Fold
from headtohead.explain.attribution import Attribution, of_mean_probability
from headtohead.explain.linear_head import LinearHead
from headtohead.explain.linear_model import LinearModel, explain_images
from headtohead.heads.fine_tuning import FineTuningHead
from headtohead.preprocess.recipe import Prepared

if TYPE_CHECKING:
    from headtohead.explain.run.finished import FinishedRun
    from headtohead.training.trainer import Trainer

__all__ = ["TunedMaps"]

BATCH = 8
MOST_GAP = 1e-3  # of probabilities; the same training on the same machine gives the same digits


class TunedMaps:
    """Exact maps of a fine-tuned network with its linear layer.

    A run keeps no weights of its folds, so each fold that tested a wanted image is trained again from its recorded
    settings and seed: as long as it took in the run. Its probabilities must be the recorded ones.
    """

    def __init__(self, contender: PlannedContender, run: FinishedRun) -> None:
        self.contender, self.run = contender, run
        self._known: dict[tuple[int, int, int], Attribution] = {}

    def per_repeat(self, indices: Sequence[int], targets: Sequence[int]) -> list[list[Attribution]]:
        """Return for each sample one attribution per repeat that tested it."""
        pairs = list(zip(indices, targets, strict=True))
        for fold in self.run.folds:
            tested = set(fold.test.tolist())
            wanted = [p for p in pairs if p[0] in tested and (fold.repeat, *p) not in self._known]
            if wanted:
                training = self._trained(fold)
                for start in range(0, len(wanted), BATCH):
                    self._explain(training, fold, wanted[start : start + BATCH])
        return [
            [self._known[fold.repeat, index, target] for fold in self.run.testing(index)]
            for index, target in pairs
        ]

    def by_method(self, method: str, indices: Sequence[int], targets: Sequence[int]) -> list[Attribution]:
        """Refuse: other methods are for frozen networks."""
        del indices, targets
        raise UsageError(
            f"{self.contender.name!r}: {method} is for probes on frozen networks; use contributions, which is exact "
            "for fine-tuned networks too."
        )

    def _trained(self, fold: Fold) -> Trainer:
        from headtohead.heads.base import RefitJob
        from headtohead.heads.cross_validation import make_fold_job

        run, name = self.run, self.contender.name
        assert self.contender.mode is not None
        head = cast(FineTuningHead, self.contender.mode.mode.build(self.contender, run.context))
        cell = run.cell(name, fold)
        # beside the run's own folder of this cell, whose checkpoints stay untouched
        workdir = run.folder.work_folder(name, fold.repeat, fold.fold).with_suffix(".explain")
        workdir.mkdir(parents=True, exist_ok=True)
        run.reporter.info(
            f"{name}, repeat {fold.repeat + 1}, fold {fold.fold + 1}: trained again for its maps."
        )
        job = RefitJob(fold.train, cell.chosen, make_fold_job(fold, run.config.seed).seed, "main")
        training = head.fitted(job, run.labels, workdir, run.reporter)
        gap = float(np.abs(training.predict(fold.test) - cell.probabilities).max())
        shutil.rmtree(workdir)
        if gap > MOST_GAP:
            raise RunFolderError(
                f"{name}, fold {fold.fold + 1}, trained again, differs by {gap:.2g} from the recorded probabilities: "
                "another machine, or other versions. Explain the run where it was made."
            )
        return training

    def _explain(self, training: Trainer, fold: Fold, pairs: Sequence[tuple[int, int]]) -> None:
        """Explain some samples with a fold's network: the mean over snapshots, and over flips where it predicts so."""
        images = [self.run.prepared(index) for index, _ in pairs]
        targets = [target for _, target in pairs]
        views: list[list[Attribution]] = [[] for _ in pairs]
        for state in training.predicting_states():
            with state:
                training.net.eval()
                head = LinearHead.from_classifier(training.net)
                model = LinearModel((training.net.backbone,), self.contender.records[:1], self.run.recipe)
                heads = [[head]] * len(pairs)
                for own, found in zip(views, explain_images(model, images, heads, targets), strict=True):
                    own.append(found)
                if training.flips:
                    flipped = explain_images(model, [_flipped(image) for image in images], heads, targets)
                    for own, found in zip(views, flipped, strict=True):
                        own.append(replace(found, grid=found.grid[:, ::-1]))
        for (index, target), own in zip(pairs, views, strict=True):
            self._known[fold.repeat, index, target] = of_mean_probability(own)


def _flipped(image: Prepared) -> Prepared:
    return replace(image, pixels=np.ascontiguousarray(image.pixels[:, ::-1]))
