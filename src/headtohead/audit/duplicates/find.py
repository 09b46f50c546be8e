"""The search from end to end: hashes, candidates, alignments, groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

from headtohead.audit.duplicates.alignment import (
    Evidence,
    Matrix,
    align,
    is_duplicate,
    is_similar,
    is_widespread,
    lies_on,
    may_agree,
)
from headtohead.audit.duplicates.candidates import ALL_PAIRS, VOTED, Candidate, candidates
from headtohead.audit.duplicates.clustering import Link, join_coherent
from headtohead.audit.duplicates.distinct_images import Distinct, Source, ordered_map
from headtohead.audit.duplicates.grouping import Found, assemble
from headtohead.audit.duplicates.keypoint_votes import FEW, MANY, Vote, partners, sampled
from headtohead.audit.duplicates.keypoints import NOTHING, View, inside
from headtohead.audit.duplicates.records import Grouping
from headtohead.core.progress import QUIET, Reporter

__all__ = ["find_groups"]


def find_groups(
    dataset: Source, *, reporter: Reporter = QUIET, similar: bool = False, workers: int | None = None
) -> Grouping:
    """Find which samples show the same scene, and join that with the groups that the data bring.

    Equal pixels are one scene. Other pictures become candidates when their coarse shape, turned
    and mirrored at will, is among the nearest; each candidate is then proven or dropped by laying
    the one picture on the other. Precision comes first: what is not proven is not joined.

    Args:
        dataset: samples and their pixels (`headtohead.data.dataset.Dataset`).
        reporter: hears how far the work is, and what was seen but not joined.
        similar: also join pairs that are possibly one patient (aligned in part, not copies).
        workers: threads; the result does not depend on it. Default: the processor's cores, at most 8.

    Returns:
        Group per sample, the pairs with their evidence, and what was seen but not joined.
    """
    pictures = Distinct(dataset, workers)
    blocks = list(reporter.track(pictures.describe(), "describing pictures", len(pictures)))
    suspects = candidates(np.stack(blocks), reporter) if blocks else []
    if len(pictures) > ALL_PAIRS:
        if len(pictures) <= VOTED:
            suspects = _with_parts(pictures, pictures.glance, MANY, suspects, reporter)
        tried = _worth_a_look(pictures, suspects, reporter)
    else:
        tried = suspects = _with_parts(pictures, pictures.view, FEW, suspects, reporter)
    links = _best(_verified(pictures, tried, reporter))
    copies = [one for one in links if is_duplicate(one.seen)]
    joined, refused = join_coherent(copies, _Contradiction(pictures))
    alike = _on_subject(pictures, [one for one in links if not is_duplicate(one.seen)])
    found = Found(suspects, copies, alike, joined, refused)
    grouping = assemble(dataset.samples, pictures, found, join_similar=similar)
    for note in grouping.notes:
        reporter.say(note)
    return grouping


def _with_parts(
    pictures: Distinct,
    made_ready: Callable[[int], View],
    vote: Vote,
    suspects: list[Candidate],
    reporter: Reporter,
) -> list[Candidate]:
    """Add the pairs that share a part."""
    if len(pictures) < 2:
        return suspects

    def features(index: int) -> View:
        return NOTHING if pictures.id(index) in pictures.unread else inside(made_ready(index))

    def views(indices: range) -> Iterator[View]:
        made = ordered_map(features, indices, pictures.workers)
        return iter(reporter.track(made, "looking for features", len(indices)))

    found = partners(views(range(len(pictures))), views(sampled(len(pictures))), vote)
    known = {(one.a, one.b, one.kind) for one in suspects}
    return sorted([*suspects, *(Candidate(*one, 0.0) for one in found if one not in known)])


def _worth_a_look(pictures: Distinct, suspects: list[Candidate], reporter: Reporter) -> list[Candidate]:
    """Keep the candidates in which a quick try finds a transform; saves most of the time in a large set.

    Pairs are taken in an order that keeps neighbours together (reverse Cuthill-McKee), so that a
    picture is seldom made ready twice.
    """
    n, pairs = len(pictures), np.array([(one.a, one.b) for one in suspects], np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n)).tocsr()
    place = np.empty(n, np.int64)
    place[reverse_cuthill_mckee((graph + graph.T).tocsr(), symmetric_mode=True)] = np.arange(n)
    near = np.argsort(place[pairs].max(axis=1), kind="stable")
    ordered = [suspects[index] for index in near]

    def quick(one: Candidate) -> bool:
        return may_agree(pictures.glance(one.a), pictures.glance(one.b), one.kind)

    results = ordered_map(quick, ordered, pictures.workers)
    tries = reporter.track(results, "trying candidates", len(ordered))
    return sorted(one for one, good in zip(ordered, tries, strict=True) if good)


def _verified(pictures: Distinct, suspects: list[Candidate], reporter: Reporter) -> Iterator[Link]:
    def look(one: Candidate) -> Evidence | None:
        return align(pictures.view(one.a), pictures.view(one.b), one.kind)

    results = ordered_map(look, suspects, pictures.workers)
    for one, seen in zip(
        suspects, reporter.track(results, "aligning candidates", len(suspects)), strict=True
    ):
        if seen is not None and is_similar(seen):
            yield Link(one.a, one.b, seen)


def _on_subject(pictures: Distinct, links: list[Link]) -> list[Link]:
    """Keep partial alignments that rest on the subject, not on the letters and frames around it."""

    def rests(one: Link) -> bool:
        a, b = inside(pictures.view(one.a)), inside(pictures.view(one.b))
        seen = align(a, b, one.seen.kind)
        return seen is not None and is_similar(seen) and is_widespread(seen)

    return [one for one, kept in zip(links, ordered_map(rests, links, pictures.workers), strict=True) if kept]


def _best(links: Iterable[Link]) -> list[Link]:
    """Return one link per pair of pictures, copies before others, most inliers first; sorted."""
    kept: dict[tuple[int, int], Link] = {}
    for one in links:
        rank = (is_duplicate(one.seen), one.seen.inliers)
        rival = kept.get((one.a, one.b))
        if rival is None or rank > (is_duplicate(rival.seen), rival.seen.inliers):
            kept[one.a, one.b] = one
    return [kept[key] for key in sorted(kept)]


class _Contradiction:
    """Tells whether two far ends of a chain clearly differ: neither the chain nor a fresh try aligns them."""

    def __init__(self, pictures: Distinct) -> None:
        self._pictures = pictures

    def __call__(self, i: int, j: int, matrix: Matrix, inverted: bool) -> bool:
        agrees = lies_on(self._pictures.view(i), self._pictures.view(j), matrix, inverted=inverted)
        return agrees is False and not self._proven(i, j)

    def _proven(self, i: int, j: int) -> bool:
        for kind in range(4):
            seen = align(self._pictures.view(i), self._pictures.view(j), kind)
            if seen is not None and is_duplicate(seen):
                return True
        return False
