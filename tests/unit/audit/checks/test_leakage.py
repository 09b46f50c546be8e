"""Leaks: what is counted, what is named, and what does not count as one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.planting.summaries import context_of, record, records

from headtohead.audit.check import Observation
from headtohead.audit.checks import leakage
from headtohead.audit.checks.expected_leakage import expected_leaked_fraction, random_split_leakage
from headtohead.audit.checks.series_names import case_of
from headtohead.audit.context import AuditConfig, AuditContext
from headtohead.audit.duplicates.records import DuplicatePair, Grouping, RejectedLinkRecord
from headtohead.core.records import Sample
from headtohead.data.dataset import GIVEN_GROUP


def pair(a: str, b: str, kind: Any = "near", **facts: Any) -> DuplicatePair:
    return DuplicatePair(a, b, kind, **facts)


def with_pairs(samples: list[Sample], *pairs: DuplicatePair, **more: Any) -> AuditContext:
    """Return a context in which the pairs were found, and their groups joined."""
    groups = {s.id: s.group for s in samples}
    for one in pairs:
        groups[one.b] = groups[one.a]
    fields: dict[str, Any] = {"similar": (), "chains": (), "notes": (), "counts": {"images": len(samples)}}
    return context_of(samples, grouping=Grouping(groups, pairs, **{**fields, **more}))


# ---- copies -------------------------------------------------------------------------------------------------


def test_sets_of_equal_pixels_stand_largest_first_with_the_redundant_files_counted() -> None:
    samples = [
        record("a", pixel_hash="x", sha256="1"), record("b", pixel_hash="x", sha256="1"),
        record("c", pixel_hash="y", sha256="2"), record("d", pixel_hash="y", sha256="3"),
        record("e", pixel_hash="y", sha256="4"), record("f"),
    ]  # fmt: skip
    found = leakage.exact_duplicates(context_of(samples))
    assert found.message == (
        "2 sets of images with equal pixels, 3 redundant files (1 set, 1 file equal byte for byte)"
    )
    assert found.data["sets"] == [["c", "d", "e"], ["a", "b"]]
    assert found.samples == ("c", "d", "e", "a", "b")
    assert leakage.exact_duplicates(context_of(samples[1:3])).outcome == "passed"


def test_near_copies_leave_exact_ones_to_their_own_check() -> None:
    samples = records(6)
    a, b, c, d, e, _ = (s.id for s in samples)
    exact = with_pairs(samples, pair(a, b, "exact"))
    assert leakage.near_duplicates(exact).outcome == "passed"
    found = leakage.near_duplicates(
        with_pairs(samples, pair(a, b, "exact"), pair(c, d), pair(c, e, "mirrored"))
    )
    assert found.message == (
        "2 pairs are near-duplicates (1 of them flipped), in 3 images; with exact copies and given groups, 6 images "
        "make 3 groups, 2 of them with several members"
    )
    assert found.samples == (c, d, e)
    plain = leakage.near_duplicates(with_pairs(samples, pair(c, d)))
    assert plain.message.startswith("1 pair is a near-duplicate, in 2 images")


def parted(*parts: str | None, **facts: Any) -> list[Sample]:
    return [record(f"{i}", split=part, **facts) for i, part in enumerate(parts)]


def test_copies_in_two_parts_are_counted_with_those_in_test() -> None:
    samples = parted("train", "test", "train", "val", "train")
    found = leakage.duplicates_across_splits(with_pairs(samples, pair("0", "1"), pair("2", "3")))
    assert found.message == (
        "2 sets of copies stand in several of the given parts (4 images, 1 of them in `test`): "
        "train:0 / test:1, train:2 / val:3"
    )
    assert found.data["sets"] == [["0", "1"], ["2", "3"]]


def test_a_patient_in_two_parts_is_no_copy() -> None:
    samples = parted("train", "test", "train", group="p1")
    assert leakage.duplicates_across_splits(with_pairs(samples)).outcome == "passed"
    assert leakage.patient_across(with_pairs([*samples, record("9", split="test")])).outcome == "issue"


def test_equal_pixels_in_one_part_or_outside_any_are_no_leak() -> None:
    samples = parted("train", "train", None, "test", pixel_hash="x")[:3]
    other = record("9", split="test")
    context = context_of(
        [*samples, other], grouping=Grouping({**dict.fromkeys("012", "g"), "9": "9"}, (), (), (), (), {})
    )
    assert leakage.duplicates_across_splits(context).outcome == "passed"


@pytest.mark.parametrize("look", [leakage.duplicates_across_splits, leakage.patient_across])
@pytest.mark.parametrize("parts", [(None, None), ("train", "train"), ("train", None)])
def test_one_part_is_no_split(look: Any, parts: tuple[str | None, ...]) -> None:
    assert look(with_pairs(parted(*parts))).outcome == "not_applicable"


def test_patients_in_several_parts_are_named() -> None:
    samples = [
        record("a", group="p2", split="train"), record("b", group="p2", split="test"),
        record("c", group="p1", split="train"), record("d", group="p1", split="val"),
        record("e", group="p3", split="train"), record("f", group="p3", split="train"),
    ]  # fmt: skip
    found = leakage.patient_across(context_of(samples))
    assert found.message == "2 of 3 given groups (patients) stand in several parts: p1, p2"
    assert sorted(found.samples) == ["a", "b", "c", "d"] and found.data["groups"] == ["p1", "p2"]
    assert leakage.patient_across(context_of(samples[4:] + parted("test"))).outcome == "passed"
    assert "no patients" in leakage.patient_across(context_of(parted("train", "test"))).message


def test_one_image_under_two_labels_names_both() -> None:
    samples = [record("n", "no", pixel_hash="x"), record("y", "yes", pixel_hash="x"), record("z", "yes")]
    found = leakage.contradicting_labels(context_of(samples))
    assert found.message == "1 image occurs under more than one label: no:n / yes:y"
    assert found.data["sets"] == [["n", "y"]]
    same = [record("y", "yes", pixel_hash="x"), record("v", "yes", pixel_hash="x"), record("n", "no")]
    assert leakage.contradicting_labels(context_of(same)).outcome == "passed"


# ---- augmentation -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stem",
    ["x_aug", "x_augmented", "aug_3", "flip", "x-flipped", "rot90", "x_rotated_2", "Mirrored", "x_crop2"],
)
def test_names_that_tell_of_augmentation(stem: str) -> None:
    samples = [record(f"d/{stem}.png"), *records(9)]
    found = leakage.augmented_copies(with_pairs(samples))
    assert found.outcome == "issue" and found.data["named"] == [samples[0].id]
    assert "(10 % of the images are concerned)" in found.message


@pytest.mark.parametrize("path", ["august.png", "rotator.png", "aug/x.png", "microcrop.png", "flipper.png"])
def test_words_that_hold_one_of_these_tell_nothing(path: str) -> None:
    assert leakage.augmented_copies(with_pairs([record(path), *records(3)])).outcome == "passed"


@pytest.mark.parametrize(
    ("kind", "turn", "outcome"),
    [("near", 3.0, "passed"), ("near", 3.1, "issue"), ("near", -3.1, "issue"), ("mirrored", 0.0, "issue"),
     ("exact", 90.0, "passed")],
)  # fmt: skip
def test_a_turn_of_three_degrees_is_no_augmentation(kind: Any, turn: float, outcome: str) -> None:
    samples = records(8)
    found = leakage.augmented_copies(with_pairs(samples, pair(samples[0].id, samples[1].id, kind, turn=turn)))
    assert found.outcome == outcome


@pytest.mark.parametrize(("n", "severity"), [(10, "severe"), (11, None)])
def test_three_tenths_of_a_set_make_it_severe(n: int, severity: str | None) -> None:
    samples = [record(f"{i}_aug.png") for i in range(3)] + records(n - 3)
    assert leakage.augmented_copies(with_pairs(samples)).severity == severity


# ---- chains and likeness ------------------------------------------------------------------------------------


def test_a_link_that_was_not_followed_names_both_ends_once() -> None:
    link = RejectedLinkRecord(pair("b", "c"), ("a", "b"), ("c", "b"), "ends differ")
    found = leakage.rejected_links(with_pairs([record(i) for i in "abc"], chains=(link,)))
    assert found.samples == ("a", "b", "c")
    assert found.data["chains"] == [{"left": ["a", "b"], "right": ["c", "b"], "reason": "ends differ"}]
    assert leakage.rejected_links(with_pairs(records(2))).outcome == "passed"


def test_likeness_is_milder_once_it_is_grouped() -> None:
    samples = [record(i) for i in "abc"]
    grouping = Grouping(
        {i: i for i in "abc"},
        (),
        (pair("a", "b", "similar"), pair("b", "c", "similar")),
        (),
        (),
        {"images": 3},
    )
    apart = leakage.possibly_one_patient(context_of(samples, grouping=grouping))
    assert apart.severity is None and apart.message.endswith("they are not grouped")
    assert apart.samples == ("a", "b", "c")
    joined = leakage.possibly_one_patient(
        context_of(samples, grouping=grouping, settings=AuditConfig(similar=True))
    )
    assert joined.severity == "note" and joined.message.endswith("they were put into one group")


# ---- series in names ----------------------------------------------------------------------------------------


def series(cases: int, each: int, alone: int = 0) -> list[Sample]:
    found = [record(f"d/p{c:02d}_slice{i}.png") for c in range(cases) for i in range(each)]
    return found + [record(f"d/photo{'abcdefghijklmnopqrstuvwxyz'[i]}.png") for i in range(alone)]


@pytest.mark.parametrize(
    ("samples", "outcome"),
    [
        (series(5, 2), "tip"),
        (series(4, 3), "passed"),  # too few series
        (series(5, 2, alone=23), "tip"),  # 10 of 33
        (series(5, 2, alone=24), "passed"),  # 10 of 34
        (series(12, 1), "passed"),
    ],
)
def test_five_series_in_three_tenths_of_the_names_make_a_tip(samples: list[Sample], outcome: str) -> None:
    assert leakage.names_of_series(context_of(samples)).outcome == outcome


def test_a_series_is_of_one_folder_and_the_largest_is_the_example() -> None:
    samples = [*series(5, 2), record("d/p03_slice7.png"), *(record(f"e/p0{i}_slice1.png") for i in range(5))]
    found = leakage.names_of_series(context_of(samples))
    assert "11 of 16 names look like 5 series (for example d/p03: 3 images)" in found.message
    assert found.data["series"]["d/p03"] == 3 and next(iter(found.data["series"])) == "d/p03"


def test_groups_that_were_given_answer_the_question() -> None:
    samples = series(5, 2)
    grouped = [s.model_copy(update={"group": "one"}) if i < 2 else s for i, s in enumerate(samples)]
    assert leakage.names_of_series(context_of(grouped)).outcome == "not_applicable"
    alone = [s.model_copy(update={"extra": {GIVEN_GROUP: "x"}}) for s in samples]
    assert leakage.names_of_series(context_of(alone)).outcome == "not_applicable"


@pytest.mark.parametrize(
    ("stem", "case"),
    [
        ("p012_slice3", "p012"), ("p012-img07", "p012"), ("scan 7", "scan"), ("a.b.12", "a.b"), ("case_z12", "case"),
        ("IM_SLICE4", "IM"), ("12", ""), ("_3", ""), ("photo", ""), ("p12", ""), ("", ""),
    ],
)  # fmt: skip
def test_the_case_is_what_stands_before_the_number_of_the_slice(stem: str, case: str) -> None:
    assert case_of(stem) == case


def test_a_name_of_ten_thousand_signs_takes_no_time() -> None:
    assert case_of("_" * 10_000) == ""


# ---- a plain random split -----------------------------------------------------------------------------------


def by_counting(sizes: list[int], test: float) -> float:
    """Return the expected share by going through every split of a small set."""
    from itertools import combinations

    group = [i for i, n in enumerate(sizes) for _ in range(n)]
    held = max(1, round(test * len(group)))
    shares = []
    for part in combinations(range(len(group)), held):
        others = {group[i] for i in range(len(group)) if i not in part}
        shares.append(sum(group[i] in others for i in part) / held)
    return sum(shares) / len(shares)


@pytest.mark.parametrize(
    ("sizes", "test"),
    [([2, 2, 1, 1], 0.2), ([3, 2, 2, 1], 0.5), ([5, 1], 0.3), ([1, 1, 1], 0.2), ([4, 4], 0.25)],
)
def test_the_expected_leak_is_the_mean_over_all_splits(sizes: list[int], test: float) -> None:
    assert expected_leaked_fraction(sizes, test) == pytest.approx(by_counting(sizes, test))


def leak_of(n: int, copies: int) -> Observation:
    samples = records(n)
    return random_split_leakage(
        with_pairs(samples, *(pair(samples[2 * i].id, samples[2 * i + 1].id) for i in range(copies)))
    )


def test_a_leak_of_one_in_a_hundred_is_told() -> None:
    assert leak_of(400, 2).outcome == "passed"  # 4 of 400 images have a copy, 4 times in 5 it leaks
    found = leak_of(400, 3)
    assert found.outcome == "issue" and found.data["n_groups"] == 397
    assert found.data["share"] == pytest.approx(6 / 400 * (1 - 79 / 399), abs=1e-4)
