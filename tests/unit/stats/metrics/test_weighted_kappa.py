"""Weighted kappa of ordered classes: against scikit-learn, its interval, and the order that a user must state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score
from tests.unit.stats.builders import apart

import headtohead as h2h
from headtohead.cli.app import main
from headtohead.core.errors import NoEffectError, UsageError
from headtohead.core.records import Score, Verdict
from headtohead.stats.metrics.confusion_matrix import linear_kappa, quadratic_kappa

GRADES = ("none", "mild", "moderate", "severe")  # not in the order of the alphabet
Ints = npt.NDArray[np.int64]


def graded(n: int = 120, noise: float = 0.8, seed: int = 0) -> tuple[Ints, pd.DataFrame]:
    """Return grades and one model's probabilities of them, one image per group."""
    rng = np.random.default_rng(seed)
    grade = rng.integers(0, 4, n)
    distance = (grade + noise * rng.normal(size=n))[:, None] - np.arange(4)
    weight = np.exp(-2 * distance**2)
    frame = pd.DataFrame({
        "sample": [f"s{i:03d}" for i in range(n)], "group": [f"g{i:03d}" for i in range(n)], "model": "cnn",
        "label": np.array(GRADES)[grade],
    })  # fmt: skip
    prob = weight / weight.sum(axis=1, keepdims=True)
    return grade, frame.assign(**{f"prob_{name}": prob[:, c] for c, name in enumerate(GRADES)})


def judged(frame: pd.DataFrame, **more: Any) -> Verdict:
    return h2h.verdict(frame, n_boot=200, quiet=True, **{"ordered_classes": GRADES} | more)


def score(verdict: Verdict, metric: str, model: str = "cnn") -> Score:
    return next(s for s in verdict.scores if (s.metric, s.contender) == (metric, model))


@pytest.mark.parametrize(("weights", "of"), [("linear", linear_kappa), ("quadratic", quadratic_kappa)])
def test_it_is_scikit_learns(weights: str, of: Any) -> None:
    rng, matrices, expected = np.random.default_rng(1), [], []
    for _ in range(20):
        truth, said = rng.integers(0, 5, (2, 60))
        said = np.where(rng.random(60) < 0.5, truth, said)
        matrix = np.zeros((5, 5))
        np.add.at(matrix, (truth, said), 1)
        matrices.append(matrix)
        expected.append(cohen_kappa_score(truth, said, weights=weights))
    found = of(np.stack(matrices, axis=-1))
    assert found == pytest.approx(expected)
    other = quadratic_kappa if of is linear_kappa else linear_kappa
    assert apart(float(found[0]), [float(other(matrices[0][..., None])[0])])
    alone = np.zeros((3, 3, 1))
    alone[1, 1] = 9
    assert np.isnan(of(alone)).all(), "one class alone: 0 / 0"


@pytest.mark.parametrize("weights", ["linear", "quadratic"])
def test_a_verdict_takes_the_order_that_was_stated(weights: str) -> None:
    grade, frame = graded()
    said = frame[[f"prob_{name}" for name in GRADES]].to_numpy().argmax(axis=1)
    verdict = judged(frame)
    found = score(verdict, f"kappa_{weights}")
    assert found.value == pytest.approx(cohen_kappa_score(grade, said, weights=weights))
    by_alphabet = (
        [sorted(GRADES).index(GRADES[g]) for g in grade],
        [sorted(GRADES).index(GRADES[g]) for g in said],
    )
    assert found.value is not None
    assert apart(found.value, [float(cohen_kappa_score(*by_alphabet, weights=weights))])
    assert verdict.details.classes == GRADES
    backwards = score(judged(frame, ordered_classes=GRADES[::-1]), f"kappa_{weights}")
    assert backwards.value == pytest.approx(found.value)


def test_its_interval_is_as_long_as_the_bootstraps() -> None:
    grade, frame = graded(150, 1.0, seed=3)
    said = frame[[f"prob_{name}" for name in GRADES]].to_numpy().argmax(axis=1)
    found = score(judged(frame), "kappa_quadratic")
    rng, drawn = np.random.default_rng(0), []
    for _ in range(150):
        lines = rng.integers(0, 150, 150)
        drawn.append(cohen_kappa_score(grade[lines], said[lines], weights="quadratic"))
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert found.low is not None and found.high is not None
    assert 0.85 < (found.high - found.low) / (high - low) < 1.4


def test_a_constant_answer_is_at_chance_and_a_perfect_one_has_a_bound() -> None:
    _, frame = graded()
    constant = frame.assign(
        model="constant", **dict(zip([f"prob_{g}" for g in GRADES], (0.4, 0.3, 0.2, 0.1), strict=True))
    )
    perfect = frame.assign(
        model="perfect", **{f"prob_{g}": (frame["label"] == g) * 0.96 + 0.01 for g in GRADES}
    )
    verdict = judged(pd.concat([constant, perfect]))
    nothing = score(verdict, "kappa_quadratic", "constant")
    assert (nothing.value, nothing.low, nothing.high) == (0.0, 0.0, 0.0) and "constant score" in nothing.note
    whole = score(verdict, "kappa_quadratic", "perfect")
    plain = score(verdict, "kappa", "perfect")
    assert (whole.value, whole.high) == (1.0, 1.0)
    assert whole.low is not None and plain.low is not None
    assert whole.low < plain.low, "the missed may be as far off as can be"


def test_without_the_order_there_is_no_weighted_kappa_and_asking_for_it_says_how() -> None:
    _, frame = graded()
    assert not [s for s in judged(frame, ordered_classes=()).scores if s.metric.startswith("kappa_")]
    with pytest.raises(UsageError, match=r"never guessed.*--ordered-classes") as refused:
        judged(frame, ordered_classes=(), metric="kappa_linear")
    assert "(mild, moderate, none, severe)" in str(refused.value)


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        (("none", "mild", "severe"), "it lacks moderate"),
        (("none", "mild", "modrate", "severe"), "it lacks moderate; there is no class modrate"),
        (("none", "mild", "mild", "moderate", "severe"), "twice: mild"),
    ],
)
def test_an_order_that_does_not_name_each_class_once_is_refused(stated: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        judged(graded()[1], ordered_classes=stated)


def test_two_classes_have_no_weights() -> None:
    frame = pd.DataFrame({"sample": list("abcd"), "label": ["no", "yes"] * 2, "score": [0.1, 0.9, 0.2, 0.8]})
    with pytest.raises(NoEffectError, match="two classes"):
        judged(frame, ordered_classes=("no", "yes"))


def test_the_command_compares_on_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = pd.concat(
        [graded(200, noise)[1].assign(model=name) for name, noise in (("cnn", 0.6), ("vit", 1.4))]
    )
    path = tmp_path / "grades.csv"
    frame.to_csv(path, index=False)
    command = ["verdict", str(path), "--metric", "kappa_quadratic", "--replicates", "200", "--json"]
    assert main([*command, "--ordered-classes", ",".join(GRADES)]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["comparisons"][0]["winner"] == "cnn"
    assert "weighted kappa (quadratic)" in content["sentence"]
