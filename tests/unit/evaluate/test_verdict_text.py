"""Every kind of sentence that a verdict can say, whole, as a clinician would read it."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from tests.planting.verdicts import judge

from headtohead.core.records import Verdict
from headtohead.evaluate import verdict_text as wording

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


FACTS = "A classifier that sees only the file's facts (size, type), never the image, reaches AUROC #"
ONE = "There is one contender, so there is nothing to compare: a"


def test_one_contender_is_described_and_set_beside_file_facts() -> None:
    found = say(frame({"a": 3.0, "majority": 0.0, "file-facts": 0.3}))
    reads(
        found.sentence,
        f"{ONE} reaches AUROC # (95 % interval # to #; 120 samples). {FACTS}; a, with #, beats it.",
    )
    assert [c.b for c in found.comparisons] == ["majority", "file-facts"]
    worse = say(frame({"a": 0.3, "majority": 0.0, "file-facts": 4.0}))
    reads(worse.sentence, f"{ONE} reaches AUROC # (…). {FACTS}; a, with #, does worse.")
    same = say(frame({"a": 1.0, "file-facts": 1.0}))
    reads(same.sentence, f"{ONE} reaches AUROC # (…). {FACTS}; a, with #, is not shown to beat it.")


def test_a_winner_outside_the_primary_pair_is_named() -> None:
    found = say(frame({"a": 0.5, "b": 0.5, "c": 6.0}))
    assert found.comparisons[0].verdict != "better"
    assert found.sentence.endswith("Among the other pairs, c is better than a and b.")
    assert "Among" not in say(frame({"a": 0.5, "b": 0.5, "majority": 0.0})).sentence


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
        "No verdict on a: refused, because the data leak: 7 of 39 test files are copies of training files."
    )
    few = say(frame({"a": 1.0, "majority": 0.0}, n_groups=8))
    assert few.sentence == (
        "No verdict on a: refused, because there are too few groups (8 groups; at least 10 are needed)."
    )
    alone = say(table[table.label == "no"])
    assert alone.sentence == f"{ONE} has no AUROC (no sample of class yes)."


def test_two_contenders_in_each_word() -> None:
    pair, span = "AUROC # against #", "% interval # to #; 400 samples)"
    won = say(frame({"a": 0.5, "b": 3.0}, n_groups=400))
    reads(won.sentence, f"b is better than a: {pair}, by # (95 {span}.")
    near = frame({"a": 2.0, "b": 2.0}, n_groups=400)
    none = "No evidence of a difference between a and b"
    reads(say(near).sentence, f"{none}: {pair} (difference #, 95 {span}.")
    same = say(near, rope=0.05)
    reads(same.sentence, f"a and b are equivalent within 0.05: {pair} (difference #, 90 {span}.")
    wide = say(frame({"a": 1.0, "b": 1.0}, n_groups=40))
    more = "it would take about # more groups to show a difference of #"
    reads(wide.sentence, f"The data cannot tell a from b: {pair} (…); {more}.")


def test_file_facts_refuse_or_stand_beside() -> None:
    refused = say(frame({"a": 0.5, "b": 0.4, "file-facts": 2.0}))
    reads(
        refused.sentence,
        "No verdict on a against b: refused, because the best contender, a, does not beat file facts (a classifier "
        "that never sees the image): AUROC # against #.",
    )
    assert "File facts alone predict the label" in " ".join(refused.caveats)
    beside = say(frame({"a": 3.0, "b": 0.5, "file-facts": 0.1}))
    assert beside.sentence.count(". ") == 1
    assert beside.sentence.endswith("beats it.")


def test_what_it_would_take_is_never_nothing() -> None:
    """Planted: no difference anywhere, too few groups, and enough groups but a wide interval."""
    same = say(frame({"a": 60.0, "b": 60.0}, n_groups=40))
    assert same.sentence.endswith(
        "no group tells them apart, so it cannot be said how many more it would take."
    )
    few = say(frame({"a": 1.0, "b": 1.5}, n_groups=24))
    assert "; 24 groups are fewer than the 30 that are needed; it would take about" in few.sentence
    table = frame({"a": 1.0, "b": 1.5}, n_groups=90)
    rare = say(table[(table.label == "no") | (table.group < "s013")])
    assert (
        "; only 6 groups hold the rarer class, at least 10 are needed; it would take about" in rare.sentence
    )
    for found in (same, few, rare, say(frame({"a": 1.0, "b": 1.4}, n_groups=60))):
        assert "about 0 more" not in found.sentence
        assert "None" not in found.sentence


def test_beyond_two_classes_the_mean_is_named_and_thresholds_are_not_spoken_of() -> None:
    found = say(frame({"a": 0.5, "b": 3.0}, k=3))
    reads(found.sentence, "b is better than a: AUROC (mean over the 3 classes) # against #, by # (…).")
    assert not any("0.5" in caveat or "threshold" in caveat for caveat in found.caveats)


@pytest.mark.parametrize(
    ("metric", "words"),
    [("log_loss", "log loss # against #, by #"), ("accuracy", "accuracy # against #, by #")],
)
def test_other_metrics_keep_their_direction(metric: str, words: str) -> None:
    reads(say(frame({"a": 0.3, "b": 3.0}), metric=metric).sentence, f"b is better than a: {words} (…).")


def test_an_undefined_pair_says_why() -> None:
    table = frame({"a": 1.0, "b": 1.0})
    found = say(table[table.label == "no"])
    assert (
        found.sentence == "The data cannot tell a from b: AUROC of a is not defined (no sample of class yes)."
    )


def test_a_long_list_of_members_does_not_fill_the_answer() -> None:
    members = [
        "efficientnet-lite0@probe:symmetry",
        "dinov2-small@finetune",
        "hybrid(efficientnet-lite0,dinov2-small)",
    ]
    assert wording._short(f"ensemble({','.join(members)})") == "the ensemble of 3"
    assert wording._short(f"ensemble({','.join(members)}, how=stacked)") == "the ensemble of 3"
    for name in (
        "efficientnet-lite0",
        "ensemble(efficientnet-lite0,dinov2-small)",
        "A net of ours (" + "x," * 40 + ")",
    ):
        assert wording._short(name) == name
