"""Features that see no pixel, and probes that see no group twice."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve
from tests.planting.summaries import context_of, record, records

from headtohead.audit.descriptors import shortcut_probes as probes
from headtohead.core.errors import InsufficientDataError


def test_facts_of_files_are_logarithms_and_one_column_for_each_value() -> None:
    samples = [
        record("a", width=200, height=100, n_bytes=1000, mode="L", suffix=".png"),
        record("b", width=50, height=100, n_bytes=0, mode="RGB", suffix=".jpg", format="JPEG"),
    ]
    rows, names = probes.file_fact_features(context_of(samples).dataset)
    found = dict(zip(names, rows.T.tolist(), strict=True))
    assert list(names)[:5] == ["log_width", "log_height", "log_aspect", "log_bytes", "log_bytes_per_pixel"]
    assert found["log_width"] == pytest.approx([np.log(200), np.log(50)])
    assert found["log_aspect"] == pytest.approx([np.log(2), np.log(0.5)])
    assert found["log_bytes"] == pytest.approx([np.log(1000), 0.0]), "an empty file has no logarithm"
    assert found["log_bytes_per_pixel"] == pytest.approx([np.log(1000 / 20_000), np.log(1 / 5000)])
    assert {name: found[name] for name in names[5:]} == {
        "mode=L": [1.0, 0.0], "mode=RGB": [0.0, 1.0], "format=JPEG": [0.0, 1.0], "format=PNG": [1.0, 0.0],
        "suffix=.jpg": [0.0, 1.0], "suffix=.png": [1.0, 0.0],
    }  # fmt: skip


def test_facts_know_neither_name_nor_label_nor_group() -> None:
    first = probes.file_fact_features(context_of(records(4)).dataset)[0]
    other = [
        s.model_copy(update={"id": f"x{i}", "path": f"yes{i}", "group": "g"})
        for i, s in enumerate(records(4))
    ]
    assert (probes.file_fact_features(context_of(other).dataset)[0] == first).all()


LABELS = np.arange(40) % 2
GROUPS = np.array([f"g{i}" for i in range(40)], dtype=object)


def test_the_curve_and_the_area_are_those_of_scikit_learn() -> None:
    rows = np.random.default_rng(0).normal(size=(40, 3)) + LABELS[:, None]
    found = probes.run_shortcut_probe(rows, LABELS, GROUPS, kind="pixels", seed=1)
    score = found.probabilities[:, 1]
    assert found.interval.value == pytest.approx(roc_auc_score(LABELS, score))
    assert (found.interval.n_samples, found.interval.n_groups) == (40, 40)
    fpr, tpr, _ = roc_curve(LABELS, score)
    assert found.curve == tuple(zip(fpr.round(4).tolist(), tpr.round(4).tolist(), strict=True))
    assert found.curve[0] == (0.0, 0.0) and found.curve[-1] == (1.0, 1.0)


def test_a_long_curve_keeps_its_ends_and_at_most_sixty_points() -> None:
    rng = np.random.default_rng(2)
    score = rng.random(800)
    curve = probes._curve(np.column_stack([1 - score, score]), rng.integers(0, 2, 800))
    assert len(curve) <= 60 and curve[0] == (0.0, 0.0) and curve[-1] == (1.0, 1.0)
    assert list(curve) == sorted(curve)
    assert probes._curve(np.full((9, 3), 1 / 3), np.arange(9) % 3) == ()


def test_every_row_is_answered_once_and_sums_to_one() -> None:
    labels = np.arange(60) % 3
    groups = np.array([f"g{i // 2}" for i in range(60)], dtype=object)
    rows = probes.out_of_fold(np.random.default_rng(3).normal(size=(60, 2)), labels, groups)
    assert rows.shape == (60, 3) and not np.isnan(rows).any()
    assert rows.sum(axis=1) == pytest.approx(np.ones(60))


@pytest.mark.parametrize(("labels", "counts"), [([0] * 10, r"\[10\]"), ([0] * 5 + [1] * 4, r"\[5, 4\]")])
def test_too_few_groups_are_refused_with_their_number(labels: list[int], counts: str) -> None:
    n = len(labels)
    with pytest.raises(InsufficientDataError, match=counts):
        probes.out_of_fold(np.zeros((n, 2)), np.array(labels), np.arange(n).astype(object))
    copies = np.array([f"g{i}" for i in range(5)] * 2, dtype=object)
    assert probes.out_of_fold(np.eye(10), np.array([0] * 5 + [1] * 5), copies).shape == (10, 2)


def test_a_classifier_of_pixels_is_linear_and_one_of_facts_is_not() -> None:
    rng = np.random.default_rng(5)
    rows = rng.uniform(-1, 1, (300, 2))
    inside = (np.abs(rows[:, 0]) < 0.5).astype(int)  # an interval of one column
    models = [probes.make_classifier(0, kind).fit(rows, inside) for kind in ("facts", "pixels")]
    facts, pixels = (model.score(rows, inside) for model in models)
    assert facts > 0.95 > 0.7 > pixels
