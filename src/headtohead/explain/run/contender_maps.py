"""The maps of each kind of contender: probes, fine-tuned networks and ensembles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from headtohead.contenders.mode import PlannedContender
from headtohead.core.errors import RunFolderError, UsageError
from headtohead.data.splits.folds import Fold
from headtohead.explain.attribution import Attribution, log_odds, weighted_attribution
from headtohead.explain.linear_head import LinearHead, target_log_odds
from headtohead.explain.linear_model import LinearModel, explain_heads
from headtohead.explain.methods.scored_network import mean_head

if TYPE_CHECKING:
    from torch import Tensor

    from headtohead.explain.run.finished import FinishedRun

__all__ = ["ContenderMaps", "EnsembleMaps", "ProbeMaps", "maps_of"]

Floats = npt.NDArray[np.float64]
BATCH = 8
LINEAR_MODES = ("finetune", "partial", "bitfit", "lora")  # a linear layer on the network's own features
# Rebuilt from the same features, a head gives the recorded probabilities up to the last digits.
MOST_GAP = 1e-4
NO_GAP = 1e-9  # of log-odds: a single repeat has no mean over repeats


class ContenderMaps(Protocol):
    """Exact maps of one contender of a run."""

    def per_repeat(self, indices: Sequence[int], targets: Sequence[int]) -> list[list[Attribution]]:
        """Return for each sample one attribution per repeat that tested it, by the head that did not see it.

        Args:
            indices: positions of samples, each tested in at least one fold.
            targets: of each the class whose log-odds are explained.
        """

    def by_method(self, method: str, indices: Sequence[int], targets: Sequence[int]) -> list[Attribution]:
        """Return for each sample the map by another method, of the mean score of the heads that did not see it.

        Raises:
            UsageError: the contender is not one network with one head.
        """


def maps_of(name: str, run: FinishedRun) -> ContenderMaps:
    """Return what makes the exact maps of a contender; made once for each run.

    Raises:
        UsageError: the contender's score is no sum over places.
    """
    contender = next(c for c in run.plan.contenders if c.name == name)
    if name not in run.makers:
        run.makers[name] = _maker(contender, run)
    made: ContenderMaps = run.makers[name]
    return made


def _maker(contender: PlannedContender, run: FinishedRun) -> ContenderMaps:
    if contender.combination is not None:
        return EnsembleMaps(contender, run)
    if contender.mode is not None and contender.mode.mode.name == "probe":
        return ProbeMaps(contender, run)
    if contender.mode is not None and contender.mode.mode.name in LINEAR_MODES:
        from headtohead.explain.run.tuned_maps import TunedMaps

        return TunedMaps(contender, run)
    raise UsageError(
        f"{contender.name!r} has no linear head on pooled features that the run keeps; "
        "use the method occlusion or rise."
    )


class ProbeMaps:
    """Exact maps of a linear probe on one backbone or several.

    Each fold's head is fitted again on the cached features at the recorded C; it must give the recorded
    probabilities.
    """

    def __init__(self, contender: PlannedContender, run: FinishedRun) -> None:
        self.contender, self.run = contender, run
        self._heads: dict[tuple[int, int], LinearHead] = {}
        self._known: dict[tuple[int, int], list[Attribution]] = {}

    @cached_property
    def rows(self) -> npt.NDArray[np.float32]:
        """Features (n, D) of all samples."""
        mode = self.contender.mode
        assert mode is not None
        source = self.run.features
        return np.concatenate([source.matrix(r, mode.view) for r in self.contender.records], axis=1)

    @cached_property
    def model(self) -> LinearModel:
        """The contender's networks with their recipe."""
        from headtohead.backbones.load import load_backbone
        from headtohead.training.mixed_precision import pick_device

        config, mode = self.run.config, self.contender.mode
        assert mode is not None
        device = pick_device(config.device)
        if device.type == "mps":  # has no float64, in which contributions are summed
            device = pick_device("cpu")
        networks = tuple(load_backbone(r, seed=config.seed, device=device) for r in self.contender.records)
        for network in networks:
            self.run.check_weights(network.record.name, network.weights.sha256)
        return LinearModel(networks, self.contender.records, self.run.recipe, mode.view)

    def head(self, fold: Fold) -> LinearHead:
        """Return the head of a fold.

        Raises:
            RunFolderError: it does not give the recorded probabilities.
        """
        key = (fold.repeat, fold.fold)
        if key not in self._heads:
            self._heads[key] = self._fitted(fold)
        return self._heads[key]

    def _fitted(self, fold: Fold) -> LinearHead:
        from threadpoolctl import threadpool_limits

        from headtohead.training.logistic import fit_probe

        cell = self.run.cell(self.contender.name, fold)
        # as the run fitted it: with more threads BLAS sums in another order
        with threadpool_limits(limits=1):
            probe = fit_probe(self.rows[fold.train], self.run.labels.labels[fold.train], cell.chosen["C"])
            made = probe.predict_proba(self.rows[fold.test])
        gap = float(np.abs(made - cell.probabilities).max())
        if gap > MOST_GAP:
            raise RunFolderError(
                f"The head of {self.contender.name}, fold {fold.fold + 1}, fitted again, differs by {gap:.2g} from the "
                "recorded probabilities: weights or versions have changed since the run. Run compare again in a "
                "new folder."
            )
        return LinearHead.from_probe(probe)

    def per_repeat(self, indices: Sequence[int], targets: Sequence[int]) -> list[list[Attribution]]:
        """Return for each sample one attribution per repeat that tested it."""
        run = self.run
        keys = list(zip(indices, targets, strict=True))
        missing = [key for key in keys if key not in self._known]
        starts = range(0, len(missing), BATCH)
        for start in run.reporter.progress(starts, f"maps of {self.contender.name}", len(starts)):
            part = missing[start : start + BATCH]
            heads = [[self.head(fold) for fold in run.testing(index)] for index, _ in part]
            images = [run.prepared(index) for index, _ in part]
            made = explain_heads(self.model, images, heads, [target for _, target in part])
            self._known |= dict(zip(part, made, strict=True))
        return [self._known[key] for key in keys]

    def by_method(self, method: str, indices: Sequence[int], targets: Sequence[int]) -> list[Attribution]:
        """Return for each sample the map by another method."""
        from headtohead.explain.image_map import INTEGRATED
        from headtohead.explain.methods.registry import attribute
        from headtohead.explain.methods.scored_network import ScoredNetwork

        model, run = self.model, self.run
        if len(model.networks) > 1 or str(model.view) != "plain":
            raise UsageError(
                f"{self.contender.name!r}: {method} explains one network with its own features; use contributions."
            )
        found = []
        label = f"{method} of {self.contender.name}"
        pairs = list(zip(indices, targets, strict=True))
        for index, target in run.reporter.progress(pairs, label, len(pairs)):
            folds = run.testing(index)
            head = mean_head([self.head(fold) for fold in folds])
            average = self._average(folds) if method == INTEGRATED else None
            network = ScoredNetwork(model.networks[0], model.records[0], head, target, average)
            made = attribute(method, network, run.prepared(index).pixels)
            found.append(self._of_repeats(made, index, folds) if made.is_sum else made)
        return found

    def _average(self, folds: Sequence[Fold]) -> Tensor:
        """Return what the explained stage gives for the average training image of these folds."""
        import torch

        return torch.stack([self._averages[fold.repeat, fold.fold] for fold in folds]).mean(dim=0)

    @cached_property
    def _averages(self) -> dict[tuple[int, int], Tensor]:
        from headtohead.explain.run.head_maps import averages_of

        return averages_of(self.model.networks[0], self.model.records[0], self.run)

    def _of_repeats(self, made: Attribution, index: int, folds: Sequence[Fold]) -> Attribution:
        """Return the map of the mean score of heads as one of the log-odds of their mean probability."""
        rows = self.rows[index : index + 1].astype(np.float64)
        values = [target_log_odds(self.head(fold).scores(rows)[0], made.target)[2] for fold in folds]
        own = target_log_odds(mean_head([self.head(fold) for fold in folds]).scores(rows)[0], made.target)[2]
        final = float(log_odds(np.mean([1.0 / (1.0 + np.exp(-value)) for value in values])))
        if abs(final - own) < NO_GAP:
            return made
        return replace(made, log_odds=made.log_odds + final - own).with_parts(
            mean_of_probabilities=final - own
        )


class EnsembleMaps:
    """Exact maps of an ensemble: those of its members, weighted as it weighs their log-odds.

    A mean of probabilities is no mean of log-odds; the difference has no place and is reported separately.
    """

    def __init__(self, contender: PlannedContender, run: FinishedRun) -> None:
        self.contender, self.run = contender, run
        self._members = [maps_of(name, run) for name in contender.members]

    def per_repeat(self, indices: Sequence[int], targets: Sequence[int]) -> list[list[Attribution]]:
        """Return for each sample one attribution per repeat that tested it."""
        parts = [member.per_repeat(indices, targets) for member in self._members]
        return [
            [
                self._joined([part[i][r] for part in parts], index, fold, targets[i])
                for r, fold in enumerate(self.run.testing(index))
            ]
            for i, index in enumerate(indices)
        ]

    def by_method(self, method: str, indices: Sequence[int], targets: Sequence[int]) -> list[Attribution]:
        """Refuse: other methods explain one network."""
        del indices, targets
        raise UsageError(
            f"{self.contender.name!r}: {method} explains one network; name a member, or use contributions."
        )

    def _joined(self, members: Sequence[Attribution], index: int, fold: Fold, target: int) -> Attribution:
        cell = self.run.cell(self.contender.name, fold)
        place = int(np.searchsorted(fold.test, index))  # a fold's samples are sorted
        final = float(log_odds(cell.probabilities[place, target]))
        weights, intercept = self._weights(cell.chosen, target)
        found = weighted_attribution(members, weights)
        joined = Attribution(
            found.grid,
            target,
            final,
            None if found.offset is None else found.offset + intercept,
            found.elsewhere,
            found.high_norm_share,
            found.notes,
        )
        return joined.with_parts(mean_of_probabilities=final - found.log_odds - intercept)

    def _weights(self, chosen: Any, target: int) -> tuple[list[float], float]:
        """Return the members' weights on log-odds and the intercept of the combination."""
        n = len(self._members)
        if chosen["how"] == "stacked":
            if len(self.run.dataset.classes) > 2:
                raise UsageError(
                    f"{self.contender.name!r}: the map of a stacked ensemble is defined for two classes. "
                    "Explain its members."
                )
            sign = 1.0 if target == 1 else -1.0
            return [float(c) for c in chosen["coefficients"][0]], sign * float(chosen["intercept"][0])
        return [float(w) for w in chosen.get("weights", [1.0 / n] * n)], 0.0
