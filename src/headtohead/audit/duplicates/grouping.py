"""From what was proven to the result: pairs, groups, names, and what was seen but not joined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headtohead.audit.duplicates.candidates import Candidate, search_limits_note
from headtohead.audit.duplicates.clustering import Link, PoseUnionFind, RejectedLink
from headtohead.audit.duplicates.distinct_images import DistinctImages
from headtohead.audit.duplicates.group_names import given_groups, name_groups
from headtohead.audit.duplicates.records import DuplicatePair, Grouping, Kind, RejectedLinkRecord
from headtohead.core.formatting import format_percent
from headtohead.core.records import Sample

__all__ = ["SearchResult", "build_grouping"]

SWALLOW_SHARE = 0.25  # a group with a quarter of a class is more likely a wrong chain than copies
SWALLOW_LEAST = 20  # in small classes a quarter is a handful, and may be true


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What the search brought: candidates, proven copies, partial alignments, groups, refused links."""

    suspects: Sequence[Candidate]
    copies: Sequence[Link]
    alike: Sequence[Link]
    joined: Sequence[Sequence[int]]
    refused: Sequence[RejectedLink]


def build_grouping(
    samples: Sequence[Sample], images: DistinctImages, found: SearchResult, *, join_similar: bool
) -> Grouping:
    """Join exact copies, proven groups and the data's own groups, and name the result.

    Args:
        samples: all samples.
        images: the distinct ones.
        found: positions refer to `images`.
        join_similar: also join pairs that are possibly one patient, unless that would swallow a class.
    """
    ids = sorted(sample.id for sample in samples)
    given = given_groups(samples)
    union = PoseUnionFind(ids)
    for together in [
        *images.members,
        *given.values(),
        *([images.id(i) for i in one] for one in found.joined),
    ]:
        union.join_all(together)
    notes = _notes(images, found) + _large(union.sets(), samples)
    alike = [one for one in found.alike if not union.same(images.id(one.a), images.id(one.b))]
    if join_similar:
        notes += _join_similar(union, images, alike, samples)
    components = union.sets()
    cut = {(one.link.a, one.link.b) for one in found.refused}
    near = [_pair(images, one, "near") for one in found.copies if (one.a, one.b) not in cut]
    exact = list(_exact(images))
    return Grouping(
        groups=name_groups(components, given),
        pairs=tuple(sorted([*exact, *near], key=lambda one: (one.a, one.b))),
        similar=tuple(sorted((_pair(images, one, "similar") for one in alike), key=lambda p: (p.a, p.b))),
        chains=tuple(_chain(images, one) for one in found.refused),
        notes=(*notes, *_shared_patients(components, given)),
        counts={
            "images": len(ids),
            "distinct": len(images),
            "candidates": len(found.suspects),
            "exact": len(exact),
            "near": len(near),
            "similar": len(alike),
            "chains": len(found.refused),
        },
    )


def _join_similar(
    union: PoseUnionFind[str], images: DistinctImages, alike: Sequence[Link], samples: Sequence[Sample]
) -> list[str]:
    """Join partial alignments, strongest first, and say which were left apart to save a class."""
    label = {sample.id: sample.label for sample in samples}
    sizes = Counter(label.values())
    left = 0
    for link in sorted(alike, key=lambda one: (-one.seen.inliers, one.a, one.b)):
        a, b = images.id(link.a), images.id(link.b)
        held = Counter(label[one] for one in {*union.members(a), *union.members(b)})
        if any(held[name] > max(SWALLOW_LEAST, SWALLOW_SHARE * sizes[name]) for name in held):
            left += 1
        else:
            union.join(a, b)
    if left == 0:
        return []
    return [
        f"{left} possibly-one-patient pairs were left apart: joined, one group would hold more than "
        f"{format_percent(SWALLOW_SHARE)} of a class"
    ]


def _large(components: Sequence[Sequence[str]], samples: Sequence[Sample]) -> list[str]:
    """Say where one group holds much of a class."""
    label = {sample.id: sample.label for sample in samples}
    sizes = Counter(label.values())
    notes = []
    for ids in components:
        for name, held in sorted(Counter(label[one] for one in ids).items()):
            if held > max(SWALLOW_LEAST, SWALLOW_SHARE * sizes[name]):
                notes.append(
                    f"one group, that of {ids[0]}, holds {held} of the {sizes[name]} images of class {name!r}; "
                    "look whether they are one scene"
                )
    return notes


def _notes(images: DistinctImages, found: SearchResult) -> list[str]:
    notes = [search_limits_note(len(images))] if search_limits_note(len(images)) else []
    if images.featureless:
        notes.append(
            f"{images.featureless} images have hardly any contrast and can only match by equal pixels"
        )
    if images.unread:
        notes.append(f"{len(images.unread)} images could not be read again and match by equal pixels only")
    if found.refused:
        notes.append(
            f"{len(found.refused)} links were not followed: the groups at their ends do not agree (see chains)"
        )
    return notes


def _shared_patients(components: Sequence[Sequence[str]], given: dict[str, list[str]]) -> list[str]:
    owner = {one: name for name, ids in given.items() for one in ids}
    shared = [sorted({owner[one] for one in ids if one in owner}) for ids in components]
    return [
        f"the given groups {', '.join(names[:10])} share an image and were joined"
        for names in shared
        if len(names) > 1
    ]


def _pair(images: DistinctImages, link: Link, kind: Kind) -> DuplicatePair:
    a, b, seen = images.id(link.a), images.id(link.b), link.seen
    # a link's direction follows positions, a pair's follows ids
    zoom, turn = (seen.zoom, seen.turn) if a < b else (1.0 / seen.zoom, -seen.turn)
    return DuplicatePair(
        a=min(a, b),
        b=max(a, b),
        kind="mirrored" if kind == "near" and seen.kind & 1 else kind,
        inliers=seen.inliers,
        matches=seen.matches,
        residual=seen.residual,
        ncc=seen.ncc,
        detail=seen.detail,
        overlap=seen.overlap,
        zoom=zoom,
        turn=turn,
        inverted=bool(seen.kind & 2),
    )


def _exact(images: DistinctImages) -> Iterator[DuplicatePair]:
    """Yield each further copy of an image with the first of them."""
    for ids in images.members:
        for other in ids[1:]:
            yield DuplicatePair(ids[0], other, "exact")


def _chain(images: DistinctImages, one: RejectedLink) -> RejectedLinkRecord:
    def all_ids(side: Sequence[int]) -> tuple[str, ...]:
        return tuple(sorted(name for index in side for name in images.members[index]))

    x, y = (images.id(index) for index in one.witness)
    reason = f"{x} and {y} would be in one group, but do not agree where they lie on each other"
    return RejectedLinkRecord(_pair(images, one.link, "near"), all_ids(one.left), all_ids(one.right), reason)
