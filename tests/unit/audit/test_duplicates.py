"""The parts of the search for duplicates, and what its result promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from headtohead.audit import image_index
from headtohead.audit.duplicates import DuplicatePair, find, fingerprint, keypoints, matching
from headtohead.audit.duplicates import alignment as align
from headtohead.audit.duplicates import candidates as search
from headtohead.audit.duplicates import grouping as assemble
from headtohead.audit.duplicates import lsh as tables
from headtohead.audit.duplicates.clustering import Link, PoseUnionFind, merge_consistent_groups
from headtohead.audit.duplicates.group_names import name_groups
from headtohead.audit.image_index import find_groups
from headtohead.core.records import Image

Pixels = npt.NDArray[Any]
Source = Callable[..., Any]


def scene(seed: int, side: int = 128, dtype: type = np.uint8) -> Pixels:
    """Return blobs on a dark ground: rich in features, different for each seed."""
    rng = np.random.default_rng(seed)
    blobs = cv2.GaussianBlur(rng.normal(size=(side, side)), (0, 0), 2.5)
    y, x = np.mgrid[:side, :side] / side - 0.5
    shape = (y / 0.42) ** 2 + (x / (0.3 + 0.01 * (seed % 10))) ** 2 < 1
    top = 255 if dtype is np.uint8 else 4000
    return np.where(shape, np.clip(0.5 + blobs / blobs.std() / 6, 0, 1) * top, 0).astype(dtype)


def several() -> dict[str, Pixels]:
    """Six scenes, two of them with copies."""
    found = {f"a{seed}": scene(seed) for seed in range(6)}
    smaller = np.asarray(cv2.resize(found["a0"], None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA))
    return found | {"a0 small": smaller, "b1 same": found["a1"].copy(), "b1 mirror": found["a1"][:, ::-1]}


def test_kinds_of_pairs_and_names_of_groups(in_memory: Source) -> None:
    grouping = find_groups(in_memory(several()))
    assert [(pair.a, pair.b, pair.kind) for pair in grouping.pairs] == [
        ("a0", "a0 small", "near"),
        ("a1", "b1 mirror", "mirrored"),
        ("a1", "b1 same", "exact"),
    ]
    assert grouping.groups == {
        **dict.fromkeys(["a0", "a0 small"], "g0001"),
        **dict.fromkeys(["a1", "b1 mirror", "b1 same"], "g0002"),
        "a2": "g0003",
        "a3": "g0004",
        "a4": "g0005",
        "a5": "g0006",
    }
    near = grouping.pairs[0]
    assert near.zoom == pytest.approx(0.7, rel=0.02)
    assert near.evidence["inliers"] == near.inliers


def test_order_of_files_and_number_of_workers_change_nothing(in_memory: Source) -> None:
    images = several()
    backwards = dict(reversed(images.items()))
    assert find_groups(in_memory(images), workers=1) == find_groups(in_memory(backwards), workers=3)


def test_equal_pixels_are_read_once(in_memory: Source) -> None:
    source = in_memory({name: scene(0) for name in ("a", "b", "c", "d")})
    grouping = find_groups(source)
    assert grouping.n_groups == 1
    assert source.reads == 1
    assert [pair.kind for pair in grouping.pairs] == ["exact"] * 3


def test_depth_and_colour_do_not_hide_a_copy(in_memory: Source) -> None:
    deep, coloured = scene(3, dtype=np.uint16), np.dstack([scene(3)] * 3)
    grouping = find_groups(in_memory({"a": scene(3), "b": deep, "c": coloured, "d": scene(4)}))
    assert grouping.n_groups == 2
    assert grouping.groups["a"] == grouping.groups["b"] == grouping.groups["c"]


def test_given_groups_are_joined_with_found_ones(in_memory: Source) -> None:
    given = {"a0": "p7", "a2": "p7", "a1": "p9", "a3": "p9"}
    grouping = find_groups(in_memory(several(), groups=given))
    assert {name for name, group in grouping.groups.items() if group == "p7"} == {"a0", "a0 small", "a2"}
    assert sum(group == "p9" for group in grouping.groups.values()) == 4


def test_two_given_groups_with_one_image_become_one_and_this_is_said(in_memory: Source) -> None:
    grouping = find_groups(in_memory(several(), groups={"a0": "p7", "a0 small": "p8"}))
    assert grouping.groups["a0"] == grouping.groups["a0 small"] == "p7+p8"
    assert any("p7, p8" in note for note in grouping.notes)


def test_blank_images_match_only_by_equal_pixels(in_memory: Source) -> None:
    blank = {f"a{value}": np.full((40, 40), value, np.uint8) for value in (0, 7, 255)}
    grouping = find_groups(in_memory(blank | {"b0": blank["a0"].copy(), "c": np.zeros((3, 500), np.uint8)}))
    assert grouping.groups["a0"] == grouping.groups["b0"]
    assert grouping.n_groups == 4
    assert any("hardly any contrast" in note for note in grouping.notes)


def test_tiny_images_do_not_break_the_search(in_memory: Source) -> None:
    rng = np.random.default_rng(0)
    shapes = [(1, 1), (2, 9), (9, 2), (5, 5), (28, 28)]
    tiny = {f"a{i}": rng.integers(0, 255, shape).astype(np.uint8) for i, shape in enumerate(shapes)}
    assert find_groups(in_memory(tiny)).n_groups == len(tiny)


def test_a_image_that_cannot_be_read_again_is_left_to_its_hash(in_memory: Source) -> None:
    grouping = find_groups(in_memory(several(), broken=("a0",)))
    assert grouping.groups["a0"] != grouping.groups["a0 small"]
    assert any("could not be read again" in note for note in grouping.notes)


def test_nothing_and_one_image(in_memory: Source) -> None:
    assert find_groups(in_memory({})).groups == {}
    assert find_groups(in_memory({"a": scene(0)})).groups == {"a": "g0001"}


def _corner_matrix(turn: int) -> npt.NDArray[np.float64]:
    """Return the linear part of a turn from where it takes two marks next to the middle."""
    marks = []
    for row, column in ((1, 3), (3, 5)):
        board = np.zeros((7, 7), np.uint8)
        board[row, column] = 1
        where = np.argwhere(fingerprint.rotate_pixels(board, turn & 7) == 1)[0]
        marks.append((where - 3).astype(float))
    return np.array(marks) @ np.linalg.inv(np.array([[-2.0, 0.0], [0.0, 2.0]]))


@pytest.mark.parametrize("turn", range(fingerprint.ORIENTATIONS))
def test_turning_coefficients_equals_turning_pixels(turn: int) -> None:
    image = scene(2)
    pixels = fingerprint.rotate_pixels(image, turn)
    whole, direct = (fingerprint.fingerprint(Image(p, 8, "L", "PNG"), p)[0] for p in (image, pixels))
    np.testing.assert_allclose(fingerprint.rotate_coefficients(whole, turn), direct, atol=2e-3)
    assert fingerprint.is_flipped(turn) == (np.linalg.det(_corner_matrix(turn)) < 0)


def many(n: int, rng: np.random.Generator, common: float) -> npt.NDArray[np.float16]:
    """Return fingerprints that share a mean, as images of one organ do."""
    side = fingerprint.FINE
    decay = 1 / (1 + np.hypot(*np.mgrid[:side, :side])) ** 1.5
    mean = common * decay * rng.normal(size=(1, 1, side, side))
    blocks = rng.normal(size=(n, fingerprint.VIEWS, side, side)) * decay + mean
    blocks[..., 0, 0] = 0
    return unit(blocks)


def unit(blocks: npt.NDArray[Any]) -> npt.NDArray[np.float16]:
    return np.asarray(blocks / np.linalg.norm(blocks, axis=(2, 3), keepdims=True), np.float16)


@pytest.mark.parametrize("common", [0.0, 1.5])
def test_hash_tables_find_turned_copies_among_many(common: float) -> None:
    rng = np.random.default_rng(1)
    blocks = many(6000, rng, common)
    turns = rng.integers(0, fingerprint.ORIENTATIONS, 200)
    for i, turn in enumerate(turns):
        blocks[5000 + i] = fingerprint.rotate_coefficients(blocks[i], int(turn))
    found = {
        (one.a, one.b, one.kind) for one in search.find_candidates(unit(blocks + 0.03 * many(6000, rng, 0.0)))
    }
    wanted = {(i, 5000 + i, fingerprint.kind_of(int(turn))) for i, turn in enumerate(turns)}
    assert len(wanted & found) >= 198
    assert len(found) < 3 * 6000


def test_hash_tables_stay_bounded_where_all_images_are_alike() -> None:
    rng = np.random.default_rng(2)
    blocks = unit(np.repeat(many(1, rng, 0.0), 5000, axis=0) + 1e-3 * many(5000, rng, 0.0))
    first, second, _, alike = tables.approximate_neighbours(fingerprint.coarse(blocks), 3, 0.97)
    assert 0 < len(first) <= 3 * 5000
    assert (first != second).all()
    assert (alike > 0.97).all()


def test_the_small_and_the_large_search_agree_on_copies(
    monkeypatch: pytest.MonkeyPatch, in_memory: Source
) -> None:
    whole = find_groups(in_memory(several()))
    for name in ("ALL_PAIRS", "IN_FULL"):
        monkeypatch.setattr(find, name, 2)
    monkeypatch.setattr(search, "ALL_PAIRS", 2)
    large = find_groups(in_memory(several()))
    assert large.groups == whole.groups
    assert any("too many to compare all pairs" in note for note in large.notes)
    assert any("share local features" in note for note in large.notes)


def test_a_quick_try_first_finds_what_aligning_every_candidate_finds(
    monkeypatch: pytest.MonkeyPatch, in_memory: Source
) -> None:
    images = several() | {
        "a2 part": scene(2)[20:-10, 16:-12],
        "b3 dark": 255 - scene(3),
        "a4 turn": scene(4).T,
    }
    whole = find_groups(in_memory(images))
    for module in (find, image_index):
        monkeypatch.setattr(module, "IN_FULL", 2)
    tried: list[int] = []
    align_in_full = align.align

    def counted(*views: Any) -> Any:
        tried.append(1)
        return align_in_full(*views)

    monkeypatch.setattr(find, "align", counted)
    quick = find_groups(in_memory(images), workers=3)
    assert quick == whole
    assert whole.n_groups == 6
    assert len(tried) < 30, "the quick try holds back most of the 400 candidates"


def test_images_tried_together_are_judged_as_each_alone() -> None:
    one, small = (
        scene(0),
        np.asarray(cv2.resize(scene(0), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)),
    )
    images: list[Pixels] = [small, scene(1), np.zeros((64, 64), np.uint8), one.T]
    others = [keypoints.coarse_keypoints(grey) for grey in images]
    view = keypoints.coarse_keypoints(one)
    for kind, found in ((0, [True, False, False, False]), (1, [False, False, False, True])):
        assert matching.quick_matches(view, others, kind) == found
        assert [matching.quick_matches(view, [other], kind)[0] for other in others] == found
    assert matching.quick_matches(keypoints.NOTHING, others, 0) == [False] * 4
    assert matching.quick_matches(view, [], 0) == []


def test_a_small_image_is_not_enlarged_for_a_quick_try() -> None:
    sides = {side: keypoints.coarse_keypoints(scene(0, side)).grey.shape for side in (40, 80, 200)}
    assert sides == {40: (64, 64), 80: (80, 80), 200: (128, 128)}


def test_features_on_the_subject_are_told_by_the_mask_of_the_image() -> None:
    half = np.zeros((100, 100), bool)
    half[:, :50] = True
    texture = np.random.default_rng(0).integers(0, 255, (100, 100)).astype(np.uint8)
    view = keypoints.find_keypoints(texture, half)
    kept = keypoints.inside(view)
    assert 0 < len(kept.points) < len(view.points)
    assert (kept.points[:, 0] < 128).all()
    assert (view.points[~view.subject][:, 0] > 127).all()


def test_a_very_large_set_is_searched_without_votes_and_says_so(
    monkeypatch: pytest.MonkeyPatch, in_memory: Source
) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("votes were taken")

    monkeypatch.setattr(find, "match_by_votes", never)
    monkeypatch.setattr(find, "IN_FULL", 2)
    for module in (search, find):
        monkeypatch.setattr(module, "ALL_PAIRS", 2)
        monkeypatch.setattr(module, "VOTED", 3)
    notes = find_groups(in_memory(several())).notes
    assert any("too many to compare all pairs" in note and "local features" not in note for note in notes)


def _link(a: int, b: int, inliers: int, shift: float = 0.0) -> Link:
    matrix = np.eye(3)
    matrix[0, 2] = shift
    return Link(a, b, align.AlignmentResult(inliers, inliers, 0.1, 1.0, 1.0, 1.0, 1.0, 0.0, matrix))


def test_a_chain_is_cut_at_its_weakest_link_and_reported() -> None:
    links = [_link(0, 1, 90), _link(1, 2, 20), _link(2, 3, 80)]
    groups, refused = merge_consistent_groups(links, lambda i, j, matrix, inverted: abs(i - j) >= 3)
    assert groups == [(0, 1), (2, 3)]
    assert [(one.link.a, one.link.b, one.witness) for one in refused] == [(1, 2, (0, 3))]
    assert merge_consistent_groups(links, lambda *_: False)[0] == [(0, 1, 2, 3)]


def test_the_way_along_a_chain_is_composed() -> None:
    seen: dict[tuple[int, int], float] = {}

    def watch(i: int, j: int, matrix: npt.NDArray[Any], inverted: bool) -> bool:
        seen[min(i, j), max(i, j)] = float(matrix[0, 2]) * (1 if i < j else -1)
        return False

    merge_consistent_groups(
        [_link(0, 1, 50, shift=3.0), _link(1, 2, 40, shift=4.0), _link(2, 3, 30, shift=-1.0)], watch
    )
    assert seen == pytest.approx({(0, 2): 7.0, (0, 3): 6.0, (1, 3): 3.0})


def test_possibly_one_patient_never_swallows_a_class(
    monkeypatch: pytest.MonkeyPatch, in_memory: Source
) -> None:
    monkeypatch.setattr(assemble, "SWALLOW_LEAST", 3)
    links = [_link(i, i + 1, 50 - i) for i in range(11)]
    samples = in_memory({f"a{i:02d}": scene(i, 16) for i in range(12)}).samples
    union = PoseUnionFind([sample.id for sample in samples])

    class Known:
        def id(self, index: int) -> str:
            return f"a{index:02d}"

    notes = assemble._join_similar(union, Known(), links, samples)  # type: ignore[arg-type]
    assert max(map(len, union.sets())) == 3
    assert len(notes) == 1
    assert "left apart" in notes[0]


def test_union_of_overlapping_sets() -> None:
    union = PoseUnionFind("abcdef")
    union.join_all("ab")
    union.join_all("cd")
    union.join("d", "a")
    assert union.sets() == [["a", "b", "c", "d"], ["e"], ["f"]]
    assert union.same("b", "c")
    assert not union.same("b", "e")


def test_names_never_clash_with_given_ones() -> None:
    assert name_groups([["a"], ["b"]], {"g0001": ["b"]}) == {"a": "scene-g0001", "b": "g0001"}
    owners = {f"p{i}": [f"s{i}"] for i in range(5)}
    assert set(name_groups([[f"s{i}" for i in range(5)]], owners).values()) == {"p0+4 more"}


def test_an_exact_pair_has_no_features() -> None:
    assert DuplicatePair("a", "b", "exact").evidence["inliers"] is None
