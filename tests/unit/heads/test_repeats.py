"""Seeds and folds of one contender: means of models that made no new choice; the order of a line-up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.contenders.expression import parse, parse_list
from headtohead.contenders.plan import ContenderPlan, _keys_needing_inner, _with_members
from headtohead.core.errors import NoEffectError, UsageError
from headtohead.core.progress import QUIET
from headtohead.heads.base import FoldJob, FoldResult, RefitJob, SampleLabels
from headtohead.heads.linear_probe import ProbeHead
from headtohead.heads.mlp import MlpHead, MlpSettings
from headtohead.heads.replicates import FoldEnsembleHead, SeedEnsembleHead
from headtohead.training.logistic import fit_probe
from headtohead.training.records import fit_metrics

N, TRAIN = 120, 80
RNG = np.random.default_rng(0)
LABELS = (np.arange(N) % 2).astype(np.int64)
ROWS = (RNG.normal(size=(N, 6)) + 0.8 * LABELS[:, None]).astype(np.float32)
GROUPS = np.asarray([f"g{i // 2}" for i in range(N)], dtype=object)
DATA = SampleLabels(LABELS, GROUPS, ("no", "yes"))
CELL = FoldJob(0, 0, np.arange(TRAIN), np.arange(TRAIN, N), 5)
QUICK = MlpSettings(hidden=8, epochs=10, decays=(0.1,), members=1)


def lookup(result: FoldResult) -> Any:
    return lambda name, cell: result


def test_folds_of_a_probe_are_the_probes_without_one_fold_each(tmp_path: Path) -> None:
    from headtohead.data.splits.folds import inner_folds

    single = ProbeHead(lambda: ROWS)
    first = single.fit_predict(CELL, DATA, tmp_path, QUIET)
    joined = FoldEnsembleHead("a", single, lookup(first), 4).fit_predict(CELL, DATA, tmp_path)
    parts = inner_folds(LABELS[:TRAIN], GROUPS[:TRAIN], 4, CELL.seed)
    probes = [fit_probe(ROWS[fit], LABELS[fit], first.chosen["C"]) for fit, _ in parts]
    expected = np.mean([probe.predict_proba(ROWS[TRAIN:]) for probe in probes], axis=0)
    np.testing.assert_allclose(joined.probabilities, expected, atol=1e-9)
    for probe, (_, held) in zip(probes, parts, strict=True):
        np.testing.assert_allclose(
            joined.inner_probabilities[held], probe.predict_proba(ROWS[held]), atol=1e-9
        )


def test_seeds_begin_with_the_single_one_and_differ(tmp_path: Path) -> None:
    single = MlpHead(lambda: ROWS, QUICK)
    first = single.fit_predict(CELL, DATA, tmp_path)
    two, three = (
        SeedEnsembleHead("a", single, lookup(first), n).fit_predict(CELL, DATA, tmp_path) for n in (2, 3)
    )
    second = 2 * two.probabilities - first.probabilities
    assert (second >= -1e-9).all() and not np.allclose(second, first.probabilities)
    assert not np.allclose(two.probabilities, three.probabilities)
    assert not np.isnan(two.inner_probabilities).any() and two.inner.loss is not None
    again = SeedEnsembleHead("a", single, lookup(first), 2).fit_predict(CELL, DATA, tmp_path)
    assert np.array_equal(two.probabilities, again.probabilities)


class Recorder:
    """Answers chance and remembers what it was given."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, npt.NDArray[np.int64]]] = []

    def inner_folds(self, cell: FoldJob, data: SampleLabels) -> list[tuple[Any, Any]]:
        places = np.arange(len(cell.train))
        return [(places[:60], places[60:])]

    def refit(self, job: RefitJob, queries: Sequence[Any], data: SampleLabels, **_: Any) -> list[Any]:
        self.seen.append((job.name, job.seed, job.fit))
        return [np.full((len(indices), 2), 0.5) for indices in queries]


def test_repeats_never_fit_on_what_is_scored_and_take_other_seeds(tmp_path: Path) -> None:
    known = np.full((TRAIN, 2), np.nan)
    first = FoldResult(
        np.full((N - TRAIN, 2), 0.5), known, fit_metrics(LABELS, known), fit_metrics(LABELS, known)
    )
    recorder = Recorder()
    seeds = SeedEnsembleHead("a", recorder, lookup(first), 3).fit_predict(CELL, DATA, tmp_path)
    FoldEnsembleHead("a", recorder, lookup(first), 3).fit_predict(CELL, DATA, tmp_path)
    assert np.isnan(seeds.inner_probabilities).all()  # the single one has none, so the mean has none
    assert [name for name, _, _ in recorder.seen] == [
        "seed1", "seed1.inner0", "seed2", "seed2.inner0", "fold0", "fold1", "fold2",
    ]  # fmt: skip
    assert len({seed for _, seed, _ in recorder.seen}) == len(recorder.seen)
    assert all(set(fit) <= set(CELL.train) for _, _, fit in recorder.seen)


def test_what_a_contender_is_made_of_comes_before_it() -> None:
    specs = parse_list("ensemble(seeds(a@mlp,2),b,how=weighted),folds(c)")
    assert [spec.name for spec in _with_members(specs)] == [
        "a@mlp", "b", "c", "folds(c)", "seeds(a@mlp,2)", "ensemble(seeds(a@mlp,2),b,how=weighted)",
    ]  # fmt: skip
    plan = ContenderPlan.parse("seeds(scratch-cnn@finetune,2)")
    assert plan.members == {"seeds(scratch-cnn@finetune,2)": ["scratch-cnn@finetune"]}
    with pytest.raises(UsageError, match="joins another ensemble"):
        _with_members([parse("ensemble(a,ensemble(b,c))")])


@pytest.mark.parametrize(
    ("text", "dear"),
    [
        ("ensemble(a@finetune,b)", []),
        ("ensemble(a@finetune,b,how=weighted)", ["a@finetune"]),
        ("ensemble(seeds(a@lora,2),b,how=stacked)", ["a@lora"]),
        ("ensemble(snapshots(a@finetune,2),b,how=greedy)", ["a@finetune", "snapshots(a@finetune,2)"]),
        ("ensemble(a@mlp,b,how=stacked),c@finetune", []),
    ],
)
def test_only_weighed_members_need_inner_folds(text: str, dear: list[str]) -> None:
    specs = _with_members(parse_list(text))
    needing = _keys_needing_inner(specs)
    assert sorted(spec.name for spec in specs if spec.key in needing) == dear


@pytest.mark.parametrize("text", ["seeds(scratch-cnn@probe,3)", "snapshots(scratch-cnn@mlp,3)"])
def test_repeats_that_would_change_nothing_are_refused(text: str) -> None:
    with pytest.raises(NoEffectError, match="write"):
        ContenderPlan.from_specs([parse(text)])
