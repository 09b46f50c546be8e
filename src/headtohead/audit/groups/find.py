"""The search from end to end: hashes, candidates, alignments, groups, names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from headtohead.audit.groups.align import Evidence, Matrix, align, contradicts, is_duplicate, is_similar
from headtohead.audit.groups.components import Link, Refused, Union, join_coherent
from headtohead.audit.groups.naming import given_groups, name_groups
from headtohead.audit.groups.pictures import Distinct, Source, ordered_map
from headtohead.audit.groups.records import Chain, DuplicatePair, Grouping, Kind
from headtohead.audit.groups.search import Candidate, candidates
from headtohead.core.reporter import QUIET, Reporter

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
        reporter: hears how far the work is.
        similar: also join pairs that are possibly one patient (aligned in part, not copies).
        workers: threads; the result does not depend on it. Default: the processor's cores, at most 8.

    Returns:
        Group per sample, the pairs with their evidence, and what was seen but not joined.
    """
    pictures = Distinct(dataset, workers)
    blocks = list(reporter.track(pictures.describe(), "describing pictures", len(pictures)))
    suspects = candidates(np.stack(blocks)) if blocks else []
    links = list(_verified(pictures, suspects, reporter))
    copies = [one for one in links if is_duplicate(one.seen)]
    alike = _best([one for one in links if not is_duplicate(one.seen)], {(c.a, c.b) for c in copies})
    groups, refused = join_coherent(_best(copies, set()), _contradiction(pictures))
    return _grouping(dataset, pictures, groups, refused, _best(copies, set()), alike, len(suspects), similar)


def _verified(pictures: Distinct, suspects: list[Candidate], reporter: Reporter) -> Iterator[Link]:
    def look(one: Candidate) -> Evidence | None:
        return align(pictures.view(one.a), pictures.view(one.b, one.kind), one.kind)

    results = ordered_map(look, suspects, pictures.workers)
    for one, seen in zip(suspects, reporter.track(results, "aligning candidates", len(suspects)), strict=True):
        if seen is not None and is_similar(seen):
            yield Link(one.a, one.b, seen)


def _best(links: list[Link], without: set[tuple[int, int]]) -> list[Link]:
    """Return one link per pair of pictures, the one with most inliers, sorted."""
    kept: dict[tuple[int, int], Link] = {}
    for one in links:
        key = (one.a, one.b)
        if key not in without and (key not in kept or one.seen.inliers > kept[key].seen.inliers):
            kept[key] = one
    return [kept[key] for key in sorted(kept)]


def _contradiction(pictures: Distinct):  # type: ignore[no-untyped-def]
    def check(i: int, j: int, matrix: Matrix, inverted: bool) -> bool:
        return contradicts(pictures.view(i), pictures.view(j), matrix, inverted=inverted)

    return check


def _pair(pictures: Distinct, link: Link, kind: Kind) -> DuplicatePair:
    a, b = pictures.samples[link.a].id, pictures.samples[link.b].id
    seen = link.seen
    zoom, turn = (seen.zoom, seen.turn) if a < b else (1.0 / seen.zoom, -seen.turn)
    return DuplicatePair(
        min(a, b), max(a, b), "mirrored" if kind == "near" and seen.kind & 1 else kind, seen.inliers,
        seen.matches, seen.ncc, seen.detail, seen.overlap, zoom, turn, bool(seen.kind & 2),
    )


def _exact(pictures: Distinct) -> Iterator[DuplicatePair]:
    for ids in pictures.members:
        for other in ids[1:]:
            yield DuplicatePair(ids[0], other, "exact")


def _chain(pictures: Distinct, one: Refused) -> Chain:
    x, y = (pictures.samples[index].id for index in one.witness)
    left, right = (tuple(sorted(i for index in side for i in pictures.members[index])) for side in (one.left, one.right))
    return Chain(_pair(pictures, one.link, "near"), left, right,
                 f"{x} and {y} would become one group but do not agree where they lie on each other")


def _grouping(dataset, pictures, groups, refused, copies, alike, n_suspects, similar):  # type: ignore[no-untyped-def]
    ids = sorted(sample.id for sample in dataset.samples)
    place = {one: index for index, one in enumerate(ids)}
    union = Union(len(ids))
    given = given_groups(dataset.samples)
    for same in [*pictures.members, *given.values()]:
        for other in same[1:]:
            union.join(place[same[0]], place[other])
    for group in groups:
        for other in group[1:]:
            union.join(place[pictures.samples[group[0]].id], place[pictures.samples[other].id])
    if similar:
        for one in alike:
            union.join(place[pictures.samples[one.a].id], place[pictures.samples[one.b].id])
    cut = {(one.link.a, one.link.b) for one in refused}
    near = [_pair(pictures, one, "near") for one in copies if (one.a, one.b) not in cut]
    components = [[ids[index] for index in group] for group in union.sets()]
    return Grouping(
        groups=name_groups(components, given),
        pairs=tuple(sorted([*_exact(pictures), *near], key=lambda p: (p.a, p.b))),
        similar=tuple(sorted((_pair(pictures, one, "similar") for one in alike), key=lambda p: (p.a, p.b))),
        chains=tuple(_chain(pictures, one) for one in refused),
        notes=(),
        counts={"pictures": len(ids), "distinct": len(pictures), "candidates": n_suspects, "verified": len(copies)},
    )
