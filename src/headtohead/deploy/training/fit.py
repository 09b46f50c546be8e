"""Fit a contender on all images: what its head chooses is chosen as in a fold of the run, on inner grouped folds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headtohead.contenders.mode import BuildContext, PlannedContender
from headtohead.contenders.plan import ContenderPlan
from headtohead.core.errors import UsageError
from headtohead.core.progress import QUIET, Reporter
from headtohead.deploy.bundle.records import CombinationSpec, MemberSpec
from headtohead.deploy.training.parts import PartsList, lora_merged
from headtohead.heads.base import FoldJob, FoldResult, RefitJob, SampleLabels
from headtohead.heads.ensemble import combine
from headtohead.heads.fine_tuning import FineTuningHead
from headtohead.heads.linear_probe import ProbeHead
from headtohead.heads.mlp import MlpHead
from headtohead.heads.replicates import FOLD_NUMBER, replicate_seed

if TYPE_CHECKING:
    from headtohead.training.trainer import Trainer

__all__ = ["FittedContender", "fit_contender", "whole_job"]

# What sets the seed of the final model apart from those of the folds: no run has so many repeats.
FINAL_STREAM = 1_000_003


@dataclass
class FittedContender:
    """A contender fitted on all images.

    Attributes:
        parts: bodies, members and tensors. combination: how the members are combined.
        chosen: what each trained contender chose, by name.
    """

    parts: PartsList
    combination: CombinationSpec
    chosen: dict[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass
class _Finished:
    """A contender below another one: its result and where its members are."""

    result: FoldResult
    combination: CombinationSpec


def whole_job(n: int, seed: int) -> FoldJob:
    """Return the job of training on all n samples."""
    state = np.random.SeedSequence([seed, FINAL_STREAM]).generate_state(1)
    return FoldJob(0, 0, np.arange(n), np.arange(0), int(state[0]))


def fit_contender(
    plan: ContenderPlan,
    name: str,
    context: BuildContext,
    data: SampleLabels,
    workdir: Path,
    reporter: Reporter = QUIET,
) -> FittedContender:
    """Fit a contender of a plan, and what it is made of, on all samples.

    Args:
        plan: of this contender.
        name: of the contender in the plan.
        context: what heads are built from; features in float32.
        data: labels and groups of all samples.
        workdir: for checkpoints of unfinished trainings.

    Raises:
        UsageError: a head that cannot be put into a bundle.
    """
    parts = PartsList(context.features.recipe, data.classes, context.config.seed)
    fitter = _Fitter(plan, context, data, workdir, reporter, parts)
    done = fitter.fit(name)
    return FittedContender(parts, done.combination, fitter.chosen)


class _Fitter:
    """Fits contenders of a plan, each once."""

    def __init__(
        self,
        plan: ContenderPlan,
        context: BuildContext,
        data: SampleLabels,
        workdir: Path,
        reporter: Reporter,
        parts: PartsList,
    ) -> None:
        self._contenders = {contender.name: contender for contender in plan.contenders}
        self._context, self._data, self._parts = context, data, parts
        self._workdir, self._reporter = workdir, reporter
        self._job = whole_job(len(data.labels), context.config.seed)
        self._done: dict[str, _Finished] = {}
        self._heads: dict[str, Any] = {}
        self._trained: dict[str, tuple[FoldResult, Callable[[], Any]]] = {}
        self.chosen: dict[str, Mapping[str, Any]] = {}

    def fit(self, name: str) -> _Finished:
        """Return a contender fitted on all samples."""
        if name not in self._done:
            contender = self._contenders[name]
            if contender.mode is not None:
                self._done[name] = self._fit_trained(contender)
            elif contender.combination is not None:
                self._done[name] = self._fit_ensemble(contender)
            else:
                self._done[name] = self._fit_replicates(contender)
            self.chosen[name] = self._done[name].result.chosen
        return self._done[name]

    def _fit_trained(self, contender: PlannedContender) -> _Finished:
        """Return a contender that is trained by itself."""
        result, fitted = self._train(contender)
        numbers = self._add(contender, fitted())
        return _Finished(result, _mean_of([CombinationSpec(member=number) for number in numbers]))

    def _train(self, contender: PlannedContender) -> tuple[FoldResult, Callable[[], Any]]:
        """Return the result of a training on all samples and what gives the fitted head; trained once."""
        if contender.name not in self._trained:
            self._trained[contender.name] = self._train_anew(contender)
        return self._trained[contender.name]

    def _train_anew(self, contender: PlannedContender) -> tuple[FoldResult, Callable[[], Any]]:
        assert contender.mode is not None
        folder = self._folder(contender.name)
        head = contender.mode.mode.build(contender, self._context)
        self._heads[contender.name] = head
        job, data = self._job, self._data
        if isinstance(head, FineTuningHead):
            trainer, result = head.fit(job, data, folder, self._reporter)
            return result, lambda: trainer
        result = head.fit_predict(job, data, folder, self._reporter)
        if isinstance(head, ProbeHead):
            return result, lambda: head.fitted(job.train, data, result.chosen)
        if isinstance(head, MlpHead):
            return result, lambda: head.fitted(job.train, data, result.chosen, job.seed)
        raise UsageError(f"{contender.name!r} is trained in a way that no bundle can hold yet.")

    def _fit_ensemble(self, contender: PlannedContender) -> _Finished:
        assert contender.combination is not None
        kinds = {self._contenders[name].spec.kind for name in contender.members}
        if contender.combination != "mean" and kinds & {"seeds", "folds"}:
            raise UsageError(
                f"{contender.name!r} learns weights for seeds(…) or folds(…), which no bundle can hold yet; "
                "use how=mean, or name single contenders."
            )
        members = [self.fit(name) for name in contender.members]
        data = self._data
        result = combine(
            [member.result for member in members], contender.combination, data.labels, data.groups,
            seed=self._job.seed, names=contender.members,
        )  # fmt: skip
        parts = tuple(member.combination for member in members)
        return _Finished(result, _combination(parts, result.chosen))

    def _fit_replicates(self, contender: PlannedContender) -> _Finished:
        """Return the models of seeds(…) or folds(…); what was chosen is the single contender's choice."""
        from headtohead.data.splits.folds import inner_folds

        (single,) = contender.members
        job, data, count = self._job, self._data, contender.spec.count
        chosen_by = self._train(self._contenders[single])[0]
        if contender.spec.kind == "seeds":
            # number 0 is the single contender itself
            fits = [(job.train, number) for number in range(1, count)]
            specs = [self.fit(single).combination]
        else:
            folds = inner_folds(data.labels, data.groups, count, job.seed)
            fits = [(fit, FOLD_NUMBER + number) for number, (fit, _) in enumerate(folds)]
            specs = []
        for fit, number in fits:
            found = self._refit(single, fit, chosen_by.chosen, number)
            specs += [CombinationSpec(member=i) for i in self._add(self._contenders[single], found)]
        result = FoldResult(
            chosen_by.probabilities,
            chosen_by.inner_probabilities,
            chosen_by.train,
            chosen_by.inner,
            {"how": contender.spec.kind, "models": len(specs), "single": single},
        )
        return _Finished(result, _mean_of(specs))

    def _refit(self, name: str, fit: Any, chosen: Mapping[str, Any], number: int) -> Any:
        head, seed = self._heads[name], replicate_seed(self._job.seed, number)
        if isinstance(head, ProbeHead):
            return head.fitted(fit, self._data, chosen)
        if isinstance(head, MlpHead):
            return head.fitted(fit, self._data, chosen, seed)
        job = RefitJob(fit, chosen, seed, f"model{number}")
        return head.fitted(job, self._data, self._folder(name), self._reporter)

    def _add(self, contender: PlannedContender, found: Any) -> list[int]:
        """Put a fitted head into the parts list and return the numbers of its members."""
        assert contender.mode is not None
        if isinstance(self._heads.get(contender.name), FineTuningHead):
            return _add_network(self._parts, contender, found)
        return [self._parts.add_frozen(contender, found)]

    def _folder(self, name: str) -> Path:
        from headtohead.core.run_folder import slug

        folder = self._workdir / slug(name)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _add_network(parts: PartsList, contender: PlannedContender, training: Trainer) -> list[int]:
    """Add each state with which a finished training predicts."""
    kind = "hybrid" if len(contender.records) == 2 else "backbone"
    assert contender.mode is not None
    kind = "reader" if contender.mode.mode.name == "reader" else kind
    numbers = []
    for state in training.final_states():
        body = {n.removeprefix("backbone."): t for n, t in state.items() if n.startswith("backbone.")}
        body_number = parts.add_tuned_body(
            kind, contender.records, training.net.backbone, lora_merged(body, training.net)
        )
        head = {name: state[name] for name in ("mean", "scale", "linear.weight", "linear.bias")}
        input_number = parts.input_of(contender.records[0])
        spec = MemberSpec(
            head="linear", bodies=(body_number,), inputs=(input_number,), flip_test=training.flips
        )
        numbers.append(parts.add_member(spec, head))
    return numbers


def _mean_of(specs: list[CombinationSpec]) -> CombinationSpec:
    if len(specs) == 1:
        return specs[0]
    return CombinationSpec(parts=tuple(specs), weights=(1 / len(specs),) * len(specs))


def _combination(parts: tuple[CombinationSpec, ...], chosen: Mapping[str, Any]) -> CombinationSpec:
    """Return how an ensemble combines its parts, from the record of what was fitted."""
    if "coefficients" in chosen:
        rows = tuple(tuple(map(float, row)) for row in chosen["coefficients"])
        return CombinationSpec(
            parts=parts, coefficients=rows, intercept=tuple(map(float, chosen["intercept"]))
        )
    weights = chosen.get("weights") or [1 / len(parts)] * len(parts)
    return CombinationSpec(parts=parts, weights=tuple(map(float, weights)))
