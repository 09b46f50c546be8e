"""The search from end to end: hashes, candidates, alignments, groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import TypeVar

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import reverse_cuthill_mckee
from threadpoolctl import threadpool_limits

from headtohead.audit.duplicates.alignment import (
    AlignmentResult,
    Matrix,
    agrees_under_transform,
    align,
    inliers_cover_image,
    is_duplicate,
    is_similar,
)
from headtohead.audit.duplicates.candidates import ALL_PAIRS, IN_FULL, VOTED, Candidate, find_candidates
from headtohead.audit.duplicates.clustering import Link, merge_consistent_groups
from headtohead.audit.duplicates.distinct_images import DistinctImages, Measured
from headtohead.audit.duplicates.grouping import SearchResult, build_grouping
from headtohead.audit.duplicates.keypoint_votes import FEW, MANY, VotingParams, match_by_votes, sampled
from headtohead.audit.duplicates.keypoints import NOTHING, Keypoints, inside
from headtohead.audit.duplicates.matching import quick_matches
from headtohead.audit.duplicates.records import Grouping
from headtohead.core.parallel import ordered_map
from headtohead.core.progress import QUIET, Reporter

__all__ = ["search_groups"]

A = TypeVar("A")
B = TypeVar("B")


def search_groups(measured: Measured, *, reporter: Reporter = QUIET, similar: bool = False) -> Grouping:
    """Find which samples show the same scene, and join that with the groups that the data bring.

    Equal pixels are one scene. Other images become candidates when their coarse shape, turned
    and mirrored at will, is among the nearest; each candidate is then proven or dropped by laying
    the one image on the other. Precision comes first: what is not proven is not joined.

    Args:
        measured: what is known of the images (`headtohead.audit.image_index.ImageIndex`).
        reporter: hears how far the work is, and what was seen but not joined.
        similar: also join pairs that are possibly one patient (aligned in part, not copies).

    Returns:
        Group per sample, the pairs with their evidence, and what was seen but not joined.
    """
    images = DistinctImages(measured)
    blocks = list(reporter.progress(images.describe(), "describing images", len(images)))
    suspects = find_candidates(np.stack(blocks), reporter) if blocks else []
    if len(images) <= IN_FULL:
        tried = suspects = _with_parts(images, images.keypoints, FEW, suspects, reporter)
    else:
        if len(images) <= VOTED:
            vote = FEW if len(images) <= ALL_PAIRS else MANY
            suspects = _with_parts(images, images.coarse_keypoints, vote, suspects, reporter)
        tried = _worth_a_look(images, suspects, reporter)
    links = _best(_verified(images, tried, reporter))
    copies = [one for one in links if is_duplicate(one.seen)]
    joined, refused = merge_consistent_groups(copies, _Contradiction(images))
    alike = _on_subject(images, [one for one in links if not is_duplicate(one.seen)])
    found = SearchResult(suspects, copies, alike, joined, refused)
    grouping = build_grouping(measured.samples, images, found, join_similar=similar)
    for note in grouping.notes:
        reporter.info(note)
    return grouping


def _mapped(work: Callable[[A], B], items: Iterable[A], workers: int) -> Iterator[B]:
    """Map in threads, with linear algebra on one thread: its matrices are small here."""
    with threadpool_limits(1, "blas"):
        yield from ordered_map(work, items, workers=workers)


def _with_parts(
    images: DistinctImages,
    made_ready: Callable[[int], Keypoints],
    vote: VotingParams,
    suspects: list[Candidate],
    reporter: Reporter,
) -> list[Candidate]:
    """Add the pairs that share a part."""
    if len(images) < 2:
        return suspects

    drawn: dict[int, Keypoints] = {}

    def features(index: int) -> Keypoints:
        if (known := drawn.pop(index, None)) is not None:
            return known
        return NOTHING if images.id(index) in images.unread else inside(made_ready(index))

    def views(indices: range) -> Iterator[Keypoints]:
        made = _mapped(features, indices, images.workers)
        return iter(reporter.progress(made, "looking for features", len(indices)))

    chance = sampled(len(images))
    drawn.update(zip(chance, views(chance), strict=True))
    found = match_by_votes(views(range(len(images))), list(drawn.values()), vote)
    known = {(one.a, one.b, one.kind) for one in suspects}
    return sorted([*suspects, *(Candidate(*one, 0.0) for one in found if one not in known)])


def _worth_a_look(images: DistinctImages, suspects: list[Candidate], reporter: Reporter) -> list[Candidate]:
    """Keep the candidates in which a quick try finds a transform; saves most of the time in a large set.

    Pairs are taken in an order that keeps neighbours together (reverse Cuthill-McKee), so that a
    image is seldom made ready twice.
    """
    n, pairs = len(images), np.array([(one.a, one.b) for one in suspects], np.int64).reshape(-1, 2)
    kinds = np.array([one.kind for one in suspects], np.int64)
    # kinds of one pair add up, to four at most, which a byte holds
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n)).tocsr()
    place = np.empty(n, np.int64)
    place[reverse_cuthill_mckee((graph + graph.T).tocsr(), symmetric_mode=True)] = np.arange(n)
    near = np.lexsort((place[pairs[:, 1]], kinds, place[pairs[:, 0]]))
    tried = [list(same) for _, same in groupby((suspects[i] for i in near), lambda one: (one.a, one.kind))]

    def quick(same: list[Candidate]) -> list[Candidate]:
        others = [images.coarse_keypoints(one.b) for one in same]
        good = quick_matches(images.coarse_keypoints(same[0].a), others, same[0].kind)
        return [one for one, kept in zip(same, good, strict=True) if kept]

    results = _mapped(quick, tried, images.workers)
    return sorted(one for kept in reporter.progress(results, "trying candidates", len(tried)) for one in kept)


def _verified(images: DistinctImages, suspects: list[Candidate], reporter: Reporter) -> Iterator[Link]:
    def look(one: Candidate) -> AlignmentResult | None:
        return align(images.keypoints(one.a), images.keypoints(one.b), one.kind)

    results = _mapped(look, suspects, images.workers)
    for one, seen in zip(
        suspects, reporter.progress(results, "aligning candidates", len(suspects)), strict=True
    ):
        if seen is not None and is_similar(seen):
            yield Link(one.a, one.b, seen)


def _on_subject(images: DistinctImages, links: list[Link]) -> list[Link]:
    """Keep partial alignments that rest on the subject, not on the letters and frames around it."""

    def rests(one: Link) -> bool:
        a, b = inside(images.keypoints(one.a)), inside(images.keypoints(one.b))
        seen = align(a, b, one.seen.kind)
        return seen is not None and is_similar(seen) and inliers_cover_image(seen)

    return [one for one, kept in zip(links, _mapped(rests, links, images.workers), strict=True) if kept]


def _best(links: Iterable[Link]) -> list[Link]:
    """Return one link per pair of images, copies before others, most inliers first; sorted."""
    kept: dict[tuple[int, int], Link] = {}
    for one in links:
        rank = (is_duplicate(one.seen), one.seen.inliers)
        rival = kept.get((one.a, one.b))
        if rival is None or rank > (is_duplicate(rival.seen), rival.seen.inliers):
            kept[one.a, one.b] = one
    return [kept[key] for key in sorted(kept)]


class _Contradiction:
    """Tells whether two far ends of a chain clearly differ: neither the chain nor a fresh try aligns them."""

    def __init__(self, images: DistinctImages) -> None:
        self._images = images

    def __call__(self, i: int, j: int, matrix: Matrix, inverted: bool) -> bool:
        agrees = agrees_under_transform(
            self._images.keypoints(i), self._images.keypoints(j), matrix, inverted=inverted
        )
        # None, too little overlap, contradicts nothing
        return agrees is False and not self._proven(i, j)

    def _proven(self, i: int, j: int) -> bool:
        for kind in range(4):
            seen = align(self._images.keypoints(i), self._images.keypoints(j), kind)
            if seen is not None and is_duplicate(seen):
                return True
        return False
