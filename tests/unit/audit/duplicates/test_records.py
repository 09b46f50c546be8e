"""Pairs and groups: what is stored comes back, what a reviewer decided is taken as it is, and links are directed."""

from __future__ import annotations

import json
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.planting.summaries import record

from headtohead.audit.duplicates.alignment import AlignmentResult
from headtohead.audit.duplicates.candidates import n_neighbours, search_limits_note
from headtohead.audit.duplicates.clustering import Link, RejectedLink
from headtohead.audit.duplicates.distinct_images import DistinctImages
from headtohead.audit.duplicates.find import _best
from headtohead.audit.duplicates.group_names import given_groups, name_groups
from headtohead.audit.duplicates.grouping import SearchResult, build_grouping
from headtohead.audit.duplicates.records import DuplicatePair, Grouping, RejectedLinkRecord
from headtohead.audit.outputs import grouping_record
from headtohead.core.records import Sample
from headtohead.data.dataset import Dataset


def test_a_grouping_comes_back_from_json() -> None:
    near = DuplicatePair("a", "b", "near", 40, 44, 0.2, 0.98, 0.9, 0.8, 1.5, -7.0, True)
    whole = Grouping(
        {"a": "g1", "b": "g1", "c": "g2"}, (near,), (DuplicatePair("b", "c", "similar"),),
        (RejectedLinkRecord(near, ("a",), ("b", "c"), "ends differ"),), ("a note",), {"images": 3},
    )  # fmt: skip
    assert Grouping.from_record(json.loads(json.dumps(asdict(whole)))) == whole
    assert whole.n_groups == 2
    assert list(near.evidence.values()) == [40, 44, 0.2, 0.98, 0.9, 0.8, 1.5, -7.0, True]


def test_a_reviewers_groups_have_no_pairs_and_say_where_they_are_from() -> None:
    given = {"a": "x", "b": "x", "c": "y"}
    found = Grouping.from_reviewer(given)
    assert found.groups == given and not (found.pairs or found.similar or found.chains or found.counts)
    assert found.notes == ("Groups were given by the reviewer: 2 groups of 3 images.",)


def test_the_record_of_groups_names_shared_ones_and_knows_no_numpy() -> None:
    pair = DuplicatePair("a", "b", "near", np.int64(40), ncc=np.float32(0.5), inverted=np.bool_(True))  # type: ignore[arg-type]
    data = Dataset("x", (record("a"), record("b"), record("c", "yes")), ("no", "yes"))
    found = grouping_record(data, Grouping({"a": "g1", "b": "g1", "c": "g2"}, (pair,), (), (), (), {}))
    assert found["n_groups"] == 2 and found["shared"] == {"g1": ["a", "b"]}
    evidence = json.loads(json.dumps(found))["pairs"][0]["evidence"]
    assert (evidence["inliers"], evidence["ncc"], evidence["inverted"], evidence["matches"]) == (
        40,
        0.5,
        True,
        None,
    )


# ---- names --------------------------------------------------------------------------------------------------


def test_a_sample_that_is_its_own_group_was_given_none() -> None:
    samples = [record("a"), record("b", group=""), record("c", group="p"), record("d", group="p")]
    assert given_groups(samples) == {"p": ["c", "d"]}


def test_names_depend_on_ids_and_not_on_their_order() -> None:
    parts = [["c", "a"], ["b"], ["e", "d"]]
    assert name_groups(parts, {}) == name_groups([p[::-1] for p in parts[::-1]], {})
    shared = name_groups([["a", "b", "c"]], {"q": ["b"], "p": ["a"], "r": ["c"]})
    assert set(shared.values()) == {"p+q+r"}, "three names are shown"
    four = name_groups([["a", "b", "c", "d"]], {"q": ["b"], "p": ["a"], "r": ["c"], "s": ["d"]})
    assert set(four.values()) == {"p+3 more"}


# ---- from links to groups -----------------------------------------------------------------------------------


def seen(inliers: int = 50, kind: int = 0, **more: Any) -> AlignmentResult:
    known: dict[str, Any] = {
        "inliers": inliers, "matches": inliers, "residual": 0.1, "ncc": 0.99, "detail": 0.95, "overlap": 0.9,
        "zoom": 2.0, "turn": 30.0, "matrix": np.eye(3), "kind": kind, "structure": 0.9,
    }  # fmt: skip
    return AlignmentResult(**{**known, **more})


def images(samples: list[Sample]) -> DistinctImages:
    measured: Any = SimpleNamespace(samples=tuple(samples), workers=1)
    return DistinctImages(measured)


def built(samples: list[Sample], similar: bool = False, **parts: Any) -> Grouping:
    fields: dict[str, Any] = {"suspects": (), "copies": (), "alike": (), "joined": (), "refused": ()}
    return build_grouping(samples, images(samples), SearchResult(**{**fields, **parts}), join_similar=similar)


def test_distinct_images_are_one_for_each_hash_whatever_the_order() -> None:
    samples = [
        record("d", pixel_hash="1"),
        record("b", pixel_hash="2"),
        record("a", pixel_hash="2"),
        record("c", pixel_hash="0"),
    ]
    for order in (samples, samples[::-1]):
        found = images(order)
        assert [s.id for s in found.samples] == ["c", "d", "a"] and found.members == [
            ["c"],
            ["d"],
            ["a", "b"],
        ]
        assert found.id(2) == "a" and len(found) == 3


def test_a_pair_points_from_the_smaller_id_to_the_larger() -> None:
    """Positions follow hashes: there the second id stands first, so zoom and turn are turned round."""
    samples = [record("b", pixel_hash="0"), record("a", pixel_hash="1")]
    (pair,) = built(samples, copies=[Link(0, 1, seen())], joined=[(0, 1)]).pairs
    assert (pair.a, pair.b, pair.kind, pair.zoom, pair.turn) == ("a", "b", "near", 0.5, -30.0)
    straight = [record("a", pixel_hash="0"), record("b", pixel_hash="1")]
    (pair,) = built(straight, copies=[Link(0, 1, seen(kind=3))], joined=[(0, 1)]).pairs
    assert (pair.kind, pair.zoom, pair.turn, pair.inverted) == ("mirrored", 2.0, 30.0, True)


def test_a_refused_link_is_no_pair_but_a_chain_with_all_copies_at_its_ends() -> None:
    samples = [record("a", pixel_hash="0"), record("a2", pixel_hash="0"), record("b", pixel_hash="1")]
    link = Link(0, 1, seen())
    found = built(samples, copies=[link], refused=[RejectedLink(link, (0,), (1,), (0, 1))])
    assert [(p.a, p.b, p.kind) for p in found.pairs] == [("a", "a2", "exact")]
    (chain,) = found.chains
    assert (chain.left, chain.right) == (("a", "a2"), ("b",))
    assert chain.reason == "a and b would be in one group, but do not agree where they lie on each other"
    assert "1 links were not followed" in " ".join(found.notes) and found.counts["chains"] == 1
    assert found.n_groups == 2


def test_likeness_within_one_group_is_not_told_and_joins_on_demand_alone() -> None:
    samples = [record(i, pixel_hash=str(n), group="p" if i in "ab" else i) for n, i in enumerate("abcd")]
    alike = [Link(0, 1, seen()), Link(2, 3, seen())]
    apart = built(samples, alike=alike)
    assert [(p.a, p.b, p.kind) for p in apart.similar] == [("c", "d", "similar")] and apart.n_groups == 3
    assert built(samples, similar=True, alike=alike).n_groups == 2


@pytest.mark.parametrize(("together", "told"), [(20, False), (21, True)])
def test_a_group_that_swallows_a_class_is_told(together: int, told: bool) -> None:
    samples = [record(f"{i:02d}", pixel_hash="same" if i < together else f"{i:02d}") for i in range(60)]
    assert any("holds 21 of the 60 images of class 'no'" in n for n in built(samples).notes) is told
    large = [record(f"{i:03d}", pixel_hash="same" if i < together else f"{i:03d}") for i in range(90)]
    assert not any("look whether" in n for n in built(large).notes), "a quarter of 90 is 22"


def test_a_pair_keeps_its_best_link() -> None:
    bad, copy, weaker = Link(0, 1, seen(90, ncc=0.1)), Link(0, 1, seen(40, kind=1)), Link(0, 1, seen(30))
    other = Link(0, 2, seen(20))
    for order in ([bad, copy, weaker, other], [other, weaker, copy, bad]):
        assert _best(order) == [copy, other], "a copy stands before more inliers that prove none"


# ---- how far a search goes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "k"), [(0, 24), (104, 24), (105, 23), (250, 10), (2000, 10), (2500, 8), (5000, 4), (10**6, 3)]
)
def test_neighbours_are_many_in_a_small_set_and_at_least_three(n: int, k: int) -> None:
    assert n_neighbours(n) == k


def test_what_a_large_search_leaves_out_is_said() -> None:
    assert search_limits_note(4000) == "" != search_limits_note(4001)
    few, many = search_limits_note(30_000), search_limits_note(30_001)
    assert "cropped to a quarter, may be missed" in few and "share local features" in few
    assert "or cropped, may be missed" in many and "local features" not in many
