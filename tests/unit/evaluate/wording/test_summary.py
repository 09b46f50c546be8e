"""Every kind of sentence that a verdict can say, whole, as a clinician would read it."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from tests.planting.verdicts import judge

from headtohead.core.errors import HeadToHeadError, UsageError
from headtohead.core.records import Verdict
from headtohead.evaluate.wording.summary import short_name

BASELINES = ("majority", "file-facts")


def frame(strengths: dict[str, float], n_groups: int = 120, k: int = 2, seed: int = 0) -> pd.DataFrame:
    """Return predictions of one sample per group; a strength of 0 knows nothing, 60 everything."""
    rng = np.random.default_rng(seed)
    label = np.arange(n_groups) % k
    classes = np.array(["no", "yes"] if k == 2 else ["glioma", "meningioma", "none"])
    shared, parts = rng.normal(size=(n_groups, k)), []
    for name, strength in strengths.items():
        logits = strength * np.eye(k)[label] + shared + 0.4 * rng.normal(size=(n_groups, k))
        prob = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        columns = {f"prob_{word}": prob[:, c] for c, word in enumerate(classes)}
        names = [f"s{i:03d}" for i in range(n_groups)]
        parts.append(
            pd.DataFrame(
                {"sample": names, "group": names, "contender": name, "label": classes[label], **columns}
            )
        )
    return pd.concat(parts, ignore_index=True)


def say(table: pd.DataFrame, **more: object) -> Verdict:
    classes = tuple(name.removeprefix("prob_") for name in table.columns if name.startswith("prob_"))
    given = [name for name in BASELINES if name in set(table["contender"])]
    options: dict[str, object] = {
        "positive": "yes" if len(classes) == 2 else None,
        "n_boot": 200,
        "baselines": given,
    }
    return judge(table, classes=classes, **(options | more))


def reads(text: str, pattern: str) -> None:
    """Hold the whole text to a pattern in which # stands for a number and (…) for an interval with sizes."""
    plain = re.escape(pattern).replace(r"\#", r"−?[0-9.]+").replace(r"\(…\)", r"\([^()]*\)")
    assert re.fullmatch(plain, text), text


FACTS = (
    "A classifier that sees only the file's facts (size, type), never the image, reaches AUROC #, so part of what the "
    "images show may be how files were made"
)
ONE = "There is one contender, so there is nothing to compare: a"
FITTED = "This is about these fitted models, not about the methods that made them."


def test_one_contender_is_described_and_set_beside_file_facts() -> None:
    found = say(frame({"a": 3.0, "majority": 0.0, "file-facts": 0.3}))
    reads(
        found.sentence,
        f"{ONE} reaches AUROC # (95 % interval # to #; 120 cases). {FACTS}; a, with #, beats it.",
    )
    assert [c.b for c in found.comparisons] == ["majority", "file-facts"]
    assert not any(c.primary for c in found.comparisons)
    worse = say(frame({"a": 0.3, "majority": 0.0, "file-facts": 4.0}))
    reads(worse.sentence, f"{ONE} reaches AUROC # (…). {FACTS}; a, with #, does worse.")
    same = say(frame({"a": 1.0, "file-facts": 1.0}))
    reads(same.sentence, f"{ONE} reaches AUROC # (…). {FACTS}; a, with #, is not shown to beat it.")


def test_a_lead_that_adjusting_takes_away_is_told_apart_from_none() -> None:
    facts = next(c for c in say(frame({"a": 1.0, "file-facts": 1.0})).comparisons if c.b == "file-facts")
    told = facts.details.model_copy(update={"p_holm": 0.1})
    ahead = facts.model_copy(update={"low": 0.02, "high": 0.2, "verdict": "cannot_tell", "details": told})
    assert ahead.loses_lead_to_adjustment("a", 1) and not ahead.loses_lead_to_adjustment("a", -1)
    assert not facts.model_copy(update={"low": -0.01, "high": 0.2, "details": told}).loses_lead_to_adjustment(
        "a", 1
    )
    shown = facts.details.model_copy(update={"p_holm": 0.01})
    assert not ahead.model_copy(update={"details": shown}).loses_lead_to_adjustment("a", 1), (
        "something else keeps it from winning"
    )


def test_one_contender_beside_majority_alone_or_nothing() -> None:
    good = say(frame({"a": 3.0, "majority": 0.0}))
    reads(
        good.sentence,
        f"{ONE} reaches AUROC # (…). It does better than always answering with the class frequencies.",
    )
    poor = say(frame({"a": 0.0, "majority": 0.0}))
    assert poor.sentence.endswith(
        "It is not shown to do better than always answering with the class frequencies."
    )
    reads(say(frame({"a": 1.0})).sentence, f"{ONE} reaches AUROC # (…).")


def test_one_contender_may_be_refused_or_undefined() -> None:
    table = frame({"a": 1.0, "majority": 0.0})
    leak = say(table, leaks=["7 of 39 test files are copies of training files."])
    assert leak.sentence == (
        "No verdict on a: refused, because there is data leakage: 7 of 39 test files are copies of training files."
    )
    few = say(frame({"a": 1.0, "majority": 0.0}, n_groups=8))
    assert few.sentence == (
        "No verdict on a: refused, because there are too few cases (8 cases; at least 10 are needed)."
    )
    alone = say(table[table.label == "no"])
    assert alone.sentence == f"{ONE} has no AUROC (no sample of class yes)."


def test_no_caveat_says_what_the_headline_says() -> None:
    leaks = ["7 of 39 test files are copies of training files", "3 patients are on both sides"]
    found = say(frame({"a": 1.0, "b": 3.0}), leaks=leaks)
    assert leaks[0] in found.sentence
    assert found.caveats[0] == f"{leaks[1]}."
    assert not any(caveat.rstrip(".") in found.sentence for caveat in found.caveats)


def test_two_contenders_in_each_word() -> None:
    pair, span = "AUROC # against #", "% interval # to #"
    won = say(frame({"a": 0.5, "b": 3.0}, n_groups=400))
    reads(
        won.sentence,
        f"b ranks cases better than a on these data: {pair}, difference # (95 {span}, p < #; 400 cases). {FITTED}",
    )
    assert won.comparisons[0].primary
    near = frame({"a": 2.0, "b": 2.0}, n_groups=400)
    none = "The data show neither a difference between a and b nor that there is none"
    reads(say(near).sentence, f"{none}: {pair} (difference #, 95 {span}, p = #; 400 cases). {FITTED}")
    same = say(near, rope=0.05)
    within = "a and b differ by less than 0.05, the margin given"
    reads(same.sentence, f"{within}: {pair} (difference #, 90 {span}; 400 cases). {FITTED}")
    loose = say(near, rope=0.3)
    assert "A margin above 0.1 of AUROC lets very different contenders pass." in loose.sentence
    wide = say(frame({"a": 1.0, "b": 1.0}, n_groups=40))
    reads(
        wide.sentence,
        f"The data cannot tell a from b: {pair} (…); the half-width of the interval, #, is above 0.05. {FITTED}",
    )


def test_a_difference_within_the_margin_leads_with_the_margin() -> None:
    found = say(frame({"a": 0.5, "b": 3.0}, n_groups=400), rope=0.5)
    assert found.sentence.startswith("The difference is real but smaller than 0.5, the margin given: b ranks")


def test_patients_are_called_so_and_methods_are_told_from_models() -> None:
    table = frame({"a": 0.5, "b": 3.0}, n_groups=200)
    assert "; 200 patients)" in say(table, unit="patient").sentence
    several = table.assign(group=table["group"].str[:3])
    assert "200 samples in 20 groups" in say(several).sentence
    assert "only 20 patients (at least 30 are needed)" in say(several, unit="patient").sentence
    folds = table.assign(fold=table["sample"].str[-1].astype(int), repeat=0)
    assert say(folds).sentence.endswith("This is about the methods, trained on samples like this one.")


def test_of_several_the_best_is_named_whatever_the_order_of_the_rows() -> None:
    table = frame({"a": 0.5, "b": 0.4, "c": 6.0, "d": 5.5})
    found = say(table, contenders=("a", "b", "c", "d"))
    again = say(table[::-1], contenders=("d", "c", "b", "a"))
    assert found.sentence == again.sentence
    reads(
        found.sentence,
        "Of 4 contenders c has the highest AUROC, # (95 % interval # to #; 120 cases). It ranks cases better than "
        "a and b. The data cannot tell it from d. The best may be c or d; with 95 % confidence, the others are not. "
        + FITTED,
    )
    assert found.details.best is not None
    assert found.details.best.candidates == ("c", "d")
    first = found.comparisons[0]
    assert ({first.a, first.b}, first.primary) == ({"c", "d"}, True)
    assert sum(c.primary for c in found.comparisons) == 1


def test_a_clear_best_is_called_so() -> None:
    found = say(frame({"a": 0.5, "b": 0.4, "c": 6.0}))
    assert "It ranks cases better than a and b. It is the best, with 95 % confidence." in found.sentence
    open_ = say(frame({"a": 1.0, "b": 1.0, "c": 1.0}))
    assert "Any of them may be the best; none can be ruled out." in open_.sentence


def test_a_stated_pair_is_told_and_tested_first() -> None:
    table = frame({"a": 1.0, "b": 1.0, "c": 1.9, "d": 0.9}, n_groups=100)
    usual = {frozenset((c.a, c.b)): c.details for c in say(table).comparisons}
    found = say(table, primary=("c", "a"))
    first = found.comparisons[0]
    assert (first.a, first.b, first.primary) == ("c", "a", True)
    assert first.details.p_holm == first.details.p_value
    assert (usual[frozenset("ac")].p_holm or 0) > (first.details.p_holm or 0)
    assert found.sentence.startswith(first.sentence)
    assert all((c.details.p_holm or 0) >= (first.details.p_holm or 0) for c in found.comparisons)
    weak = say(table, primary=("b", "a"))
    assert not any(c.winner for c in weak.comparisons), "what was to be shown first was not"
    assert "c against a first and at the full level" in found.rule


@pytest.mark.parametrize("pair", [("a",), ("a", "a"), ("a", "zzz"), ("a", "majority")])
def test_a_primary_pair_that_cannot_be_is_refused(pair: tuple[str, ...]) -> None:
    with pytest.raises(HeadToHeadError, match="primary"):
        say(frame({"a": 1.0, "b": 1.0, "majority": 0.0}), primary=pair)


def test_named_controls_stand_in_the_answer() -> None:
    table = frame({"a": 3.0, "b": 0.2, "radiologist": 1.2}, n_groups=200)
    found = say(table, baselines=["radiologist"])
    reads(
        found.sentence.split(". ", 1)[1],
        f"Against the control radiologist (AUROC #): a is shown to be better; b is shown to be worse. {FITTED}",
    )
    alone = say(table[table.contender != "b"], baselines=["radiologist"])
    assert "Against the control radiologist" in alone.sentence


def test_giant_groups_name_no_winner() -> None:
    table = frame({"a": 3.0, "b": 0.2}, n_groups=400)
    clear = say(table).comparisons[0]
    assert clear.verdict == "better"
    most = sorted(set(table["sample"]))[:180]
    uneven = say(
        table.assign(group=np.where(table["sample"].isin(most), "giant", table["group"]))
    ).comparisons[0]
    assert (uneven.verdict, uneven.details.reason, uneven.winner) == ("cannot_tell", "uneven", None)
    assert (
        "groups of very unequal size (221 groups count as 4.9 of equal size; at least 6 are"
        in uneven.sentence
    )


def test_a_size_of_study_is_told_for_a_stated_difference_alone() -> None:
    table = frame({"a": 1.0, "b": 1.2}, n_groups=120)
    assert "need" not in say(table).sentence
    told = say(table, matters=0.05)
    reads(
        "To show " + told.sentence.split("To show ", 1)[1],
        "To show a difference of 0.05 in AUROC, the smallest that was said to matter, a new study like this one would "
        f"need roughly # to # cases in all. {FITTED}",
    )
    giant = table.assign(group=np.where(table["sample"] < "s060", "g", table["group"]))
    assert "cannot be estimated from these data" in say(giant, matters=0.05).sentence
    power = told.comparisons[0].details.power
    several = say(frame({"a": 1.0, "b": 1.2, "c": 1.1}, n_groups=120), matters=0.05)
    adjusted = several.comparisons[0].details.power
    assert power is not None and adjusted is not None
    assert power.fewest_groups is not None and power.most_groups is not None
    assert power.fewest_groups < power.most_groups
    assert power.detectable_difference is not None and adjusted.detectable_difference is not None
    with pytest.raises(UsageError, match="matters"):
        say(table, matters=-1.0)


def test_file_facts_refuse_or_stand_beside() -> None:
    refused = say(frame({"a": 0.5, "b": 0.4, "file-facts": 2.0}))
    reads(
        refused.sentence,
        "No verdict on a against b: refused, because the best contender, a, is not shown to beat file facts (a "
        "classifier that never sees the image): AUROC # against #.",
    )
    assert "File facts alone are not shown to predict the label less well" in " ".join(refused.caveats)
    beside = say(frame({"a": 3.0, "b": 0.5, "file-facts": 0.1}))
    assert "a, with" in beside.sentence
    assert "beats it." in beside.sentence


def test_too_little_is_said_as_such_and_not_as_no_difference() -> None:
    few = say(frame({"a": 1.0, "b": 1.5}, n_groups=24))
    assert few.sentence.startswith(
        "The rule gives no verdict on a against b: only 24 cases (at least 30 are needed)."
    )
    table = frame({"a": 0.5, "b": 4.5}, n_groups=90)
    rare = say(table[(table.label == "no") | (table.group < "s013")])
    assert "only 6 cases of class yes (at least 10 are needed). AUROC" in rare.sentence
    for found in (few, rare, say(frame({"a": 1.0, "b": 1.4}, n_groups=60))):
        assert "more cases" not in found.sentence
        assert "None" not in found.sentence


def test_beyond_two_classes_the_mean_is_named_and_thresholds_are_not_spoken_of() -> None:
    found = say(frame({"a": 0.5, "b": 3.0}, k=3))
    reads(
        found.sentence,
        "b ranks cases better than a on these data: AUROC (mean over the 3 classes) # against #, difference # (…). "
        + FITTED,
    )
    assert not any("0.5" in caveat or "threshold" in caveat for caveat in found.caveats)


@pytest.mark.parametrize(
    ("metric", "words"),
    [("log_loss", "has a lower log loss"), ("accuracy", "has a higher accuracy")],
)
def test_other_metrics_keep_their_direction(metric: str, words: str) -> None:
    found = say(frame({"a": 0.3, "b": 3.0}), metric=metric)
    reads(found.sentence, f"b {words} than a on these data: # against #, difference # (…). {FITTED}")


def test_an_undefined_pair_says_why() -> None:
    table = frame({"a": 1.0, "b": 1.0})
    found = say(table[table.label == "no"])
    assert "AUROC of a is not defined (no sample of class yes)" in found.sentence


def test_a_long_list_of_members_does_not_fill_the_answer() -> None:
    members = [
        "efficientnet-lite0@probe:symmetry",
        "dinov2-small@finetune",
        "hybrid(efficientnet-lite0,dinov2-small)",
    ]
    assert short_name(f"ensemble({','.join(members)})") == "the ensemble of 3"
    assert short_name(f"ensemble({','.join(members)}, how=stacked)") == "the ensemble of 3"
    for name in (
        "efficientnet-lite0",
        "ensemble(efficientnet-lite0,dinov2-small)",
        "A net of ours (" + "x," * 40 + ")",
    ):
        assert short_name(name) == name
