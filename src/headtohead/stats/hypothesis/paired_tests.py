"""All tests of one pair of contenders, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.records import TestResult
from headtohead.stats.hypothesis.corrected_ttest import fold_differences, fold_tests
from headtohead.stats.hypothesis.mcnemar import mcnemar_tests
from headtohead.stats.hypothesis.paired_difference import Difference
from headtohead.stats.hypothesis.permutation import permutation_test
from headtohead.stats.intervals.delong import StructuralComponents, auroc_components, auroc_test
from headtohead.stats.intervals.resampling import two_sided_p
from headtohead.stats.metrics.confusion_matrix import FromConfusion, accuracy, predicted_labels
from headtohead.stats.metrics.fold_values import FoldValue
from headtohead.stats.metrics.metric import FoldMean, Metric
from headtohead.stats.metrics.ranking import FromRanks
from headtohead.stats.resampled import ResampledPredictions

__all__ = ["PairTests", "prepare_tests"]

Floats = npt.NDArray[np.float64]
_ROLES = ("decides", "same", "other")


@dataclass(frozen=True, slots=True)
class PairTests:
    """The tests of any pair of contenders, with what they share computed once per contender.

    Attributes:
        rope: half-width of the region of practical equivalence, in the metric's unit.
        by_sample, by_group: structural components of AUROC by contender. folds: the metric within each fold.
    """

    resampled: ResampledPredictions
    metric: Metric
    rope: float | None
    by_sample: Mapping[str, StructuralComponents]
    by_group: Mapping[str, StructuralComponents]
    folds: Mapping[str, Sequence[FoldValue]]

    def run(
        self, difference: Difference, boot: Floats, n_permutations: int
    ) -> tuple[dict[str, TestResult], dict[str, Any]]:
        """Return the tests of the pair by name, and further numbers.

        Args:
            boot: bootstrap replicates of the difference.
        """
        table, a, b = self.resampled.table, difference.a, difference.b
        first, second = table.of(a), table.of(b)
        tests = {
            "interval": TestResult(
                statistic=difference.value,
                p_value=None if difference.value is None else difference.p,
                note=difference.note
                if difference.value is None
                else "p-value of the interval of the difference (used by the rule)",
            )
        }
        tests["cluster_bootstrap"] = _bootstrap(difference, boot)
        if self.metric.delong_test:
            tests["delong"] = _auroc(self.by_sample[a], self.by_sample[b], "z, samples taken as independent")
            tests["obuchowski"] = _auroc(
                self.by_group[a], self.by_group[b], "z, groups as units; needs many groups of like size"
            )
        discordant: list[dict[str, Any]] = []
        if not table.ranks_only:
            predicted = [
                (predicted_labels(x, None), predicted_labels(y, None))
                for x, y in zip(first, second, strict=True)
            ]
            mcnemar, discordant = mcnemar_tests(first, second, predicted, table.n_groups)
            tests |= mcnemar
        tests |= self._over_folds(a, b)
        if any(self.metric.undefined_on(table.kind(name)) for name in (a, b)):
            tests["permutation"] = TestResult(statistic=None, note=difference.note)
        else:
            tests["permutation"] = permutation_test(
                first, second, self.metric, table.classes, table.n_groups,
                n_permutations=n_permutations, seed=self.resampled.seed,
            )  # fmt: skip
        return self._named(tests, difference), {"discordant": discordant}

    def _named(self, tests: Mapping[str, TestResult], difference: Difference) -> dict[str, TestResult]:
        """Return the tests with the quantity that each is of; that of the rule first, those of others last."""
        table, metric = self.resampled.table, self.metric
        several = table.n_samples > table.n_groups
        pooled = "AUROC pooled over folds" if table.has_folds else metric.title
        right = "accuracy at 0.5" if table.binary else "accuracy"
        over_folds = metric.title if isinstance(metric.kernel, FoldMean) else f"{metric.title}, mean of folds"
        fitted = " of the models as fitted" if difference.stretch > 1 else ""
        of = {
            "interval": metric.title,
            "cluster_bootstrap": f"{metric.title}{fitted}",
            "delong": f"{pooled}{fitted}",
            "obuchowski": f"{pooled}{fitted}",
            **dict.fromkeys(("mcnemar_exact", "mcnemar_midp", "mcnemar_clustered"), right),
            **dict.fromkeys(("nadeau_bengio", "bayes_rope"), over_folds),
            "permutation": f"{metric.title}{fitted}",
        }
        # By its function, since no statistic branches on the name of a metric.
        is_accuracy = isinstance(metric.kernel, FromConfusion) and metric.kernel.compute is accuracy
        same = {"cluster_bootstrap", "permutation"}
        same |= (
            {"delong", "obuchowski"} if not table.has_folds or isinstance(metric.kernel, FromRanks) else set()
        )
        same |= {"mcnemar_exact", "mcnemar_midp", "mcnemar_clustered"} if is_accuracy else set()
        same |= {"nadeau_bengio", "bayes_rope"} if isinstance(metric.kernel, FoldMean) else set()
        named = {
            name: test.model_copy(
                update={
                    "of": of[name],
                    "role": "decides" if name == "interval" else "same" if name in same else "other",
                    "ignores_groups": several and name in ("delong", "mcnemar_exact", "mcnemar_midp"),
                }
            )
            for name, test in tests.items()
        }
        return dict(sorted(named.items(), key=lambda item: _ROLES.index(item[1].role)))

    def _over_folds(self, a: str, b: str) -> dict[str, TestResult]:
        if not self.resampled.table.has_folds:
            note = "the predictions do not say which fold they come from"
            return {name: TestResult(statistic=None, note=note) for name in ("nadeau_bengio", "bayes_rope")}
        differences = fold_differences(self.resampled.table, self.folds[a], self.folds[b])
        return fold_tests(differences, self.rope, self.metric.sign)


def prepare_tests(
    resampled: ResampledPredictions,
    metric: Metric,
    rope: float | None,
    folds: Mapping[str, Sequence[FoldValue]],
) -> PairTests:
    """Compute what the tests of all pairs share: the structural components of AUROC, by sample and by group."""
    table = resampled.table
    by_sample, by_group = {}, {}
    for name in table.contenders:
        by_sample[name] = auroc_components(table.of(name), table.n_samples, by_group=False)
        by_group[name] = auroc_components(table.of(name), table.n_groups, by_group=True)
    return PairTests(resampled, metric, rope, by_sample, by_group, folds)


def _bootstrap(difference: Difference, boot: Floats) -> TestResult:
    known = boot[~np.isnan(boot)]
    spread = float(known.std(ddof=1)) if len(known) > 1 else 0.0
    if difference.value is None or not spread > 0:
        return TestResult(statistic=None, note=difference.note or "the difference does not vary")
    note = f"difference over its standard error {spread:.4f}; p from {len(known)} replicates"
    return TestResult(statistic=difference.value / spread, p_value=two_sided_p(known), note=note)


def _auroc(a: StructuralComponents, b: StructuralComponents, note: str) -> TestResult:
    test = auroc_test(a, b)
    if test is None:
        return TestResult(statistic=None, note="the difference has no variance, or a class is missing")
    return TestResult(statistic=test[0], p_value=test[1], note=note)
