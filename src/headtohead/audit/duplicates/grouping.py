"""From what was proven to the result: pairs, groups, names, and what was seen but not joined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headtohead.audit.duplicates.candidates import Candidate, scope
from headtohead.audit.duplicates.clustering import Link, Refused, Union
from headtohead.audit.duplicates.distinct_images import Distinct
from headtohead.audit.duplicates.group_names import given_groups, name_groups
from headtohead.audit.duplicates.records import Chain, DuplicatePair, Grouping, Kind
from headtohead.core.formatting import percent
from headtohead.core.records import Sample

__all__ = ["Found", "assemble"]

SWALLOW_SHARE = 0.25
SWALLOW_LEAST = 20


@dataclass(frozen=True, slots=True)
class Found:
    """What the search brought: candidates, proven copies, partial alignments, groups, refused links."""

    suspects: Sequence[Candidate]
    copies: Sequence[Link]
    alike: Sequence[Link]
    joined: Sequence[Sequence[int]]
    refused: Sequence[Refused]


def assemble(samples: Sequence[Sample], pictures: Distinct, found: Found, *, join_similar: bool) -> Grouping:
    """Join exact copies, proven groups and the data's own groups, and name the result.

    Args:
        samples: all samples.
        pictures: the distinct ones.
        found: positions refer to `pictures`.
        join_similar: also join pairs that are possibly one patient, unless that would swallow a class.
    """
    ids = sorted(sample.id for sample in samples)
    given = given_groups(samples)
    union = Union(ids)
    for together in [
        *pictures.members,
        *given.values(),
        *([pictures.id(i) for i in one] for one in found.joined),
    ]:
        union.join_all(together)
    notes = _notes(pictures, found) + _large(union.sets(), samples)
    alike = [one for one in found.alike if not union.same(pictures.id(one.a), pictures.id(one.b))]
    if join_similar:
        notes += _join_similar(union, pictures, alike, samples)
    components = union.sets()
    cut = {(one.link.a, one.link.b) for one in found.refused}
    near = [_pair(pictures, one, "near") for one in found.copies if (one.a, one.b) not in cut]
    exact = list(_exact(pictures))
    return Grouping(
        groups=name_groups(components, given),
        pairs=tuple(sorted([*exact, *near], key=lambda one: (one.a, one.b))),
        similar=tuple(sorted((_pair(pictures, one, "similar") for one in alike), key=lambda p: (p.a, p.b))),
        chains=tuple(_chain(pictures, one) for one in found.refused),
        notes=(*notes, *_shared_patients(components, given)),
        counts={
            "pictures": len(ids),
            "distinct": len(pictures),
            "candidates": len(found.suspects),
            "exact": len(exact),
            "near": len(near),
            "similar": len(alike),
            "chains": len(found.refused),
        },
    )


def _join_similar(
    union: Union[str], pictures: Distinct, alike: Sequence[Link], samples: Sequence[Sample]
) -> list[str]:
    """Join partial alignments, strongest first, and say which were left apart to save a class."""
    label = {sample.id: sample.label for sample in samples}
    sizes = Counter(label.values())
    left = 0
    for link in sorted(alike, key=lambda one: (-one.seen.inliers, one.a, one.b)):
        a, b = pictures.id(link.a), pictures.id(link.b)
        held = Counter(label[one] for one in {*union.members(a), *union.members(b)})
        if any(held[name] > max(SWALLOW_LEAST, SWALLOW_SHARE * sizes[name]) for name in held):
            left += 1
        else:
            union.join(a, b)
    if left == 0:
        return []
    return [
        f"{left} possibly-one-patient pairs were left apart: joined, one group would hold more than "
        f"{percent(SWALLOW_SHARE)} of a class"
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
                    f"one group, that of {ids[0]}, holds {held} of the {sizes[name]} pictures of class {name!r}; "
                    "look whether they are one scene"
                )
    return notes


def _notes(pictures: Distinct, found: Found) -> list[str]:
    notes = [scope(len(pictures))] if scope(len(pictures)) else []
    if pictures.featureless:
        notes.append(
            f"{pictures.featureless} pictures have hardly any contrast and can only match by equal pixels"
        )
    if pictures.unread:
        notes.append(
            f"{len(pictures.unread)} pictures could not be read again and match by equal pixels only"
        )
    if found.refused:
        notes.append(
            f"{len(found.refused)} links were not followed: the groups at their ends do not agree (see chains)"
        )
    return notes


def _shared_patients(components: Sequence[Sequence[str]], given: dict[str, list[str]]) -> list[str]:
    owner = {one: name for name, ids in given.items() for one in ids}
    shared = [sorted({owner[one] for one in ids if one in owner}) for ids in components]
    return [
        f"the given groups {', '.join(names[:10])} share a picture and were joined"
        for names in shared
        if len(names) > 1
    ]


def _pair(pictures: Distinct, link: Link, kind: Kind) -> DuplicatePair:
    a, b, seen = pictures.id(link.a), pictures.id(link.b), link.seen
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


def _exact(pictures: Distinct) -> Iterator[DuplicatePair]:
    """Yield each further copy of a picture with the first of them."""
    for ids in pictures.members:
        for other in ids[1:]:
            yield DuplicatePair(ids[0], other, "exact")


def _chain(pictures: Distinct, one: Refused) -> Chain:
    def all_ids(side: Sequence[int]) -> tuple[str, ...]:
        return tuple(sorted(name for index in side for name in pictures.members[index]))

    x, y = (pictures.id(index) for index in one.witness)
    reason = f"{x} and {y} would be in one group, but do not agree where they lie on each other"
    return Chain(_pair(pictures, one.link, "near"), all_ids(one.left), all_ids(one.right), reason)
