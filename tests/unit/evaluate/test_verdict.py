"""The whole battery: what it reports on planted situations, and that nothing outside the data moves it."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from tests.planting.verdicts import judge

from headtohead.core.errors import (
    LeakageError,
    ManifestError,
    NoEffectError,
    UndefinedMetricError,
    UnknownNameError,
    UnpairedError,
    UsageError,
)
from headtohead.core.records import Score, Verdict

CLASSES = ("no", "yes")


def predictions(
    strengths: dict[str, float],
    n_groups: int = 120,
    per_group: int = 2,
    repeats: int = 2,
    seed: int = 0,
    k: int = 2,
) -> pd.DataFrame:
    """Return out-of-fold lines; a contender's strength is how far apart its classes lie."""
    rng = np.random.default_rng(seed)
    n = n_groups * per_group
    group = np.repeat(np.arange(n_groups), per_group)
    label = (np.arange(n_groups) % k)[group]
    classes = CLASSES if k == 2 else ("a", "b", "c")
    shared = rng.normal(size=(n_groups, k))[group]
    parts = []
    for repeat in range(repeats):
        fold = (rng.permutation(n_groups) % 4)[group]
        for name, strength in strengths.items():
            logits = strength * np.eye(k)[label] + shared + 0.4 * rng.normal(size=(n, k))
            prob = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            frame = pd.DataFrame(
                {"sample": [f"s{i:04d}" for i in range(n)], "group": [f"g{g:04d}" for g in group], "repeat": repeat,
                 "fold": fold, "contender": name, "label": np.array(classes)[label]}
            )  # fmt: skip
            for c, word in enumerate(classes):
                frame[f"prob_{word}"] = prob[:, c]
            parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def inner_of(frame: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for (repeat, fold), _ in frame.groupby(["repeat", "fold"]):
        parts.append(frame[(frame.repeat == repeat) & (frame.fold != fold)].assign(fold=int(str(fold))))
    return pd.concat(parts, ignore_index=True)


def run(frame: pd.DataFrame, **more: object) -> Verdict:
    options: dict[str, object] = {"classes": CLASSES, "positive": "yes", "n_boot": 300} | more
    return judge(frame, **options)


def score(verdict: Verdict, contender: str, metric: str) -> Score:
    return next(s for s in verdict.scores if (s.contender, s.metric) == (contender, metric))


def test_a_planted_winner_wins_and_the_sentence_names_it() -> None:
    verdict = run(predictions({"weak": 0.8, "strong": 3.0}))
    first = verdict.comparisons[0]
    assert (first.a, first.b, first.verdict, first.winner) == ("weak", "strong", "better", "strong")
    assert first.high is not None
    assert first.high < 0
    assert verdict.sentence.startswith("strong ranks cases better than weak on these data: AUROC 0.")
    assert first.tests["obuchowski"].p_value is not None
    assert first.tests["obuchowski"].p_value < 0.001


def test_equals_are_no_evidence_and_within_a_rope_equivalent() -> None:
    frame = predictions({"a": 2.0, "b": 2.0}, n_groups=300)
    assert run(frame).comparisons[0].verdict == "no_evidence"
    found = run(frame, rope=0.05)
    assert found.comparisons[0].verdict == "equivalent"
    assert found.sentence.startswith("a and b differ by less than 0.05, the margin given: AUROC")
    assert "90 % interval" in found.sentence


def test_too_few_groups_cannot_tell_or_are_refused() -> None:
    few = run(predictions({"a": 2.0, "b": 1.0}, n_groups=24))
    assert few.comparisons[0].verdict == "cannot_tell"
    assert "only 24 groups (at least 30 are needed)" in few.sentence
    fewer = run(predictions({"a": 2.0, "b": 1.0}, n_groups=8))
    assert fewer.comparisons[0].verdict == "refused"
    assert "too few groups (8 groups" in fewer.sentence


def test_one_group_is_refused_and_no_number_is_made_up() -> None:
    frame = predictions({"a": 2.0, "b": 1.0}).assign(group="all")
    verdict = run(frame)
    assert verdict.comparisons[0].verdict == "refused"
    assert all(
        s.value is None and "one group" in s.note for s in verdict.scores if s.metric in ("auroc", "accuracy")
    )


def test_leaks_refuse_every_comparison_and_are_said_once() -> None:
    verdict = run(
        predictions({"weak": 0.8, "strong": 3.0}), leaks=["7 of 39 test files are copies of training files"]
    )
    assert {c.verdict for c in verdict.comparisons} == {"refused"}
    assert "7 of 39 test files are copies" in verdict.sentence
    assert not any("7 of 39" in caveat for caveat in verdict.caveats), "the answer says so already"
    assert score(verdict, "strong", "auroc").value is not None


def test_contenders_that_do_not_beat_file_facts_are_refused() -> None:
    frame = predictions({"a": 1.0, "b": 1.1, "file-facts": 1.2, "majority": 0.0})
    verdict = run(frame, baselines=["majority", "file-facts"])
    assert [(c.a, c.b) for c in verdict.comparisons] == [
        ("a", "b"), ("a", "majority"), ("a", "file-facts"), ("b", "majority"), ("b", "file-facts"),
    ]  # fmt: skip
    assert verdict.comparisons[0].verdict == "refused"
    assert "is not shown to beat file facts" in verdict.sentence
    good = run(predictions({"a": 3.0, "b": 3.1, "file-facts": 0.5}), baselines=["file-facts"])
    assert good.comparisons[0].verdict != "refused"
    assert "never the image, reaches AUROC" in good.sentence


def test_many_contenders_are_adjusted_and_ranked() -> None:
    verdict = run(predictions({"a": 1.0, "b": 1.0, "c": 1.1, "d": 6.0}, n_groups=160))
    assert len(verdict.comparisons) == 6
    p = [(c.details.p_value or 0.0, c.details.p_holm or 0.0) for c in verdict.comparisons]
    assert all(raw <= holm for raw, holm in p)
    ranks = verdict.details.model_dump()["ranks"]
    assert ranks["contenders"]["d"]["share_first"] > 0.95
    assert all("d" not in clique for clique in ranks["cliques"])


def test_row_order_and_extra_columns_do_not_move_a_digit() -> None:
    frame = predictions({"a": 1.5, "b": 1.2}, n_groups=60)
    mixed = frame.sample(frac=1, random_state=1).assign(note="x")
    assert run(frame) == run(mixed, contenders=["a", "b"])
    assert run(frame) != run(frame, seed=1)


def test_values_do_not_depend_on_names_of_groups_or_samples() -> None:
    frame = predictions({"a": 1.5, "b": 1.2}, n_groups=60)
    renamed = frame.assign(
        group=frame.group.map(lambda g: "z" + g[::-1]), sample=frame["sample"].map(lambda s: s[::-1])
    )
    one, two = run(frame), run(renamed)
    for first, second in zip(one.scores, two.scores, strict=True):
        assert first.value == pytest.approx(second.value)
    assert one.comparisons[0].low == pytest.approx(two.comparisons[0].low, abs=1e-9)


def test_swapped_contenders_mirror_the_difference() -> None:
    frame = predictions({"a": 1.5, "b": 1.2}, n_groups=60)
    forward = run(frame, contenders=["a", "b"]).comparisons[0]
    back = run(frame, contenders=["b", "a"]).comparisons[0]
    assert forward.difference == pytest.approx(-(back.difference or 0))
    assert (forward.low, forward.high) == pytest.approx((-(back.high or 0), -(back.low or 0)))


def test_the_unit_is_the_group_not_the_image() -> None:
    """Planted error: ten copies of each image. With groups nothing narrows; taken as images it does."""
    frame = predictions({"a": 1.2, "b": 1.0}, n_groups=60, per_group=1, repeats=1)
    copies = pd.concat([frame.assign(sample=frame["sample"] + f"-{i}") for i in range(10)])
    honest, grouped = run(frame), run(copies)
    naive = run(copies.assign(group=copies["sample"]))

    def width(verdict: Verdict) -> float:
        found = score(verdict, "a", "auroc")
        assert found.low is not None
        assert found.high is not None
        return found.high - found.low

    assert width(grouped) == pytest.approx(width(honest), rel=1e-6)
    assert width(naive) < 0.5 * width(honest)


def test_lower_is_better_for_losses() -> None:
    verdict = run(predictions({"weak": 0.3, "strong": 3.0}), metric="log_loss")
    first = verdict.comparisons[0]
    assert first.difference is not None
    assert first.difference > 0
    assert first.winner == "strong"


def test_repeats_are_averaged_not_pooled() -> None:
    frame = predictions({"a": 1.0, "b": 1.0}, repeats=3)
    whole = score(run(frame), "a", "accuracy").value
    single = [score(run(frame[frame.repeat == r]), "a", "accuracy").value for r in range(3)]
    assert whole == pytest.approx(np.mean([s for s in single if s is not None]))


def test_inner_lines_choose_thresholds_and_temperatures_and_nothing_else_does() -> None:
    frame = predictions({"a": 2.0, "b": 1.0})
    for word in CLASSES:  # planted: overconfident probabilities
        frame[f"prob_{word}"] = 1 / (
            1 + np.exp(-4 * np.log(frame[f"prob_{word}"] / (1 - frame[f"prob_{word}"])))
        )
    frame["prob_no"] = 1 - frame["prob_yes"]
    verdict = run(frame, inner=inner_of(frame), prevalence=0.02)
    points = verdict.details.model_dump()["operating_points"]
    assert {"half", "youden", "sensitivity_90"} <= set(points)
    kept = points["sensitivity_90"]["contenders"]["a"]
    assert points["sensitivity_90"]["chosen_on"] == "inner folds"
    assert len(kept["thresholds"]) == 2
    found = {s["metric"]: s["value"] for s in kept["scores"]}
    assert found["sensitivity"] == pytest.approx(0.9, abs=0.08)
    assert kept["at_prevalence"]["ppv"]["value"] < found["ppv"]
    change = verdict.details.model_dump()["recalibration"]["a"]["temperature_log_loss_change"]
    assert change["high"] < 0
    venn = verdict.details.model_dump()["recalibration"]["a"]
    assert venn["venn_abers_log_loss_change"]["low"] < 0
    assert 0 < venn["venn_abers_width"] < 0.2
    sets = verdict.details.model_dump()["conformal"]["contenders"]["a"]
    assert sets["coverage"]["value"] == pytest.approx(0.9, abs=0.07)
    assert verdict.scores == run(frame).scores


def test_inner_lines_of_the_tested_group_are_a_leak() -> None:
    frame = predictions({"a": 2.0, "b": 1.0})
    with pytest.raises(LeakageError, match="tested in that fold"):
        run(frame, inner=frame)


def test_without_inner_lines_it_is_said() -> None:
    verdict = run(predictions({"a": 2.0, "b": 1.0}))
    assert any("Classes were called at 0.5" in caveat for caveat in verdict.caveats)
    assert set(verdict.details.model_dump()["operating_points"]) == {"half"}
    assert "refused" in verdict.details.model_dump()["conformal"]["contenders"]["a"]


def test_subgroups_with_a_planted_failure_and_a_small_one() -> None:
    frame = predictions({"a": 3.0, "b": 3.0}, n_groups=200)
    bad = frame["group"].str[-1].isin(list("01"))
    rng = np.random.default_rng(0)
    frame.loc[bad, "prob_yes"] = rng.random(int(bad.sum()))
    frame["prob_no"] = 1 - frame["prob_yes"]
    site = {s: ("bad" if g[-1] in "01" else "tiny" if g in ("g0003", "g0005") else "good")
            for s, g in zip(frame["sample"], frame["group"], strict=True)}  # fmt: skip
    table = run(frame, by={"site": site}).details.model_dump()["subgroups"]["site"]["values"]
    assert table["bad"]["contenders"]["a"]["p_holm"] < 0.05
    assert table["bad"]["contenders"]["a"]["difference"]["high"] < 0
    assert "too few" in table["tiny"]["too_few"]
    with pytest.raises(ManifestError, match="have no 'site'"):
        run(frame, by={"site": {}})


def test_three_classes_go_all_the_way() -> None:
    frame = predictions({"a": 1.0, "b": 3.0}, k=3)
    verdict = run(frame, classes=("a", "b", "c"), positive=None, inner=inner_of(frame))
    assert verdict.comparisons[0].winner == "b"
    assert score(verdict, "b", "sensitivity_c").value is not None
    assert set(verdict.details.model_dump()["roc"]["b"]) == {"a", "b", "c"}
    with pytest.raises(UndefinedMetricError):
        run(frame, classes=("a", "b", "c"), positive=None, metric="partial_auroc")
    with pytest.raises(NoEffectError, match="with 3 classes"):
        run(frame, classes=("a", "b", "c"), positive=None, prevalence=0.02)


def test_a_perfect_contender_gets_a_bound_not_certainty() -> None:
    frame = predictions({"a": 60.0, "b": 1.0}, n_groups=40, per_group=1, repeats=1)
    verdict = run(frame)
    for name in (
        "auroc",
        "accuracy",
        "sensitivity",
        "balanced_accuracy",
        "f1",
        "mcc",
        "kappa",
        "average_precision",
    ):
        found = score(verdict, "a", name)
        assert found.value == 1.0, name
        assert found.low is not None, name
        assert 0.55 < found.low < 0.95, name
    assert score(verdict, "a", "auroc").low == pytest.approx(0.025 ** (1 / 20))


def test_a_constant_contender_and_a_missing_class_are_not_defined() -> None:
    frame = predictions({"a": 1.0, "b": 1.0})
    frame.loc[frame.contender == "b", ["prob_no", "prob_yes"]] = [0.7, 0.3]
    verdict = run(frame)
    assert score(verdict, "b", "auroc").value == 0.5
    assert score(verdict, "b", "ppv").value is None
    assert "predicted positive" in score(verdict, "b", "ppv").note
    assert score(verdict, "b", "mcc").value is None
    alone = run(frame[frame.label == "no"])
    assert score(alone, "a", "auroc").value is None
    assert "no sample of class yes" in score(alone, "a", "auroc").note
    assert alone.comparisons[0].verdict == "cannot_tell"


def test_one_contender_alone_is_described() -> None:
    verdict = run(predictions({"a": 1.0}))
    assert verdict.comparisons == ()
    assert verdict.sentence.startswith("There is one contender")


def test_lines_without_folds_or_repeats_do() -> None:
    frame = predictions({"a": 1.0, "b": 1.0}, repeats=1).drop(columns=["repeat", "fold"])
    verdict = run(frame)
    assert all(s.metric != "auroc_fold_mean" for s in verdict.scores)
    assert "do not say which fold" in verdict.comparisons[0].tests["nadeau_bengio"].note


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"metric": "auc"}, UnknownNameError),
        ({"metric": "calibration_slope"}, UsageError),
        ({"baselines": ["nobody"]}, UnknownNameError),
        ({"rope": -1.0}, UsageError),
        ({"level": 95}, UsageError),
        ({"prevalence": 2.0}, UsageError),
        ({"positive": "maybe"}, ManifestError),
        ({"classes": ("no", "perhaps")}, ManifestError),
    ],
)
def test_wrong_calls_are_explained(more: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        run(predictions({"a": 1.0, "b": 1.0}, n_groups=20), **more)


def test_contenders_on_other_folds_or_samples_are_refused() -> None:
    frame = predictions({"a": 1.0, "b": 1.0}, n_groups=30)
    other = frame.copy()
    other.loc[other.contender == "b", "fold"] = (other.fold + 1) % 4
    with pytest.raises(UnpairedError, match="different folds"):
        run(other)
    with pytest.raises(UnpairedError, match="has no prediction for 60 of 60"):
        run(frame[~((frame.contender == "b") & (frame.repeat == 1))])


def test_everything_is_plain_json() -> None:
    frame = predictions({"a": 1.0, "b": 1.0, "file-facts": 0.2})
    verdict = run(frame, inner=inner_of(frame), baselines=["file-facts"], rope=0.02)
    text = verdict.model_dump_json()
    assert Verdict.model_validate_json(text).sentence == verdict.sentence

    def finite(node: object) -> bool:
        if isinstance(node, dict):
            return all(isinstance(k, str) and finite(v) for k, v in node.items())
        if isinstance(node, list | tuple):
            return all(finite(v) for v in node)
        return (
            node is None or isinstance(node, str | int) or (isinstance(node, float) and math.isfinite(node))
        )

    assert finite(json.loads(json.dumps(verdict.model_dump(mode="python"), default=str)))
