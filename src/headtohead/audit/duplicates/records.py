"""What the search for duplicates hands on: pairs with their evidence, and the groups they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

_FIGURES = ("inliers", "matches", "residual", "ncc", "detail", "overlap", "zoom", "turn", "inverted")

__all__ = ["DuplicatePair", "Grouping", "Kind", "RejectedLinkRecord"]

Kind = Literal["exact", "near", "mirrored", "similar"]


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two samples that show the same scene (or, for `similar`, perhaps the same patient).

    Attributes:
        a, b: sample ids, a < b.
        kind: "exact" (equal decoded pixels), "near" (aligned by a shift, turn and zoom),
            "mirrored" (the same after a reflection), "similar" (aligned in part: not a duplicate).
        inliers: local features that agree on one similarity transform; None for exact pairs.
        matches: local features that were matched at all.
        residual: median distance of the inliers from where the transform puts them, in pixels of a
            image whose longer side is 256.
        ncc: normalised cross-correlation over the overlap after alignment, -1 to 1.
        detail: lower quartile of the same correlation in small windows that hold texture. Two
            slices of one head agree at large and differ here.
        overlap: share of the smaller image that lies on the other, 0 to 1.
        zoom: how much larger `b` shows the scene than `a`, in the images' own pixels.
        turn: angle in degrees, -180 to 180, by which `b` is turned against `a`.
        inverted: dark and bright are exchanged.
    """

    a: str
    b: str
    kind: Kind
    inliers: int | None = None
    matches: int | None = None
    residual: float = 0.0
    ncc: float = 1.0
    detail: float = 1.0
    overlap: float = 1.0
    zoom: float = 1.0
    turn: float = 0.0
    inverted: bool = False

    @property
    def evidence(self) -> dict[str, float | int | bool | None]:
        """The figures by name, for a report."""
        return {name: getattr(self, name) for name in _FIGURES}


@dataclass(frozen=True, slots=True)
class RejectedLinkRecord:
    """A link that was not followed, because the groups at its ends do not hold together.

    Attributes:
        pair: the verified pair that would have joined two groups.
        left, right: sample ids of the two groups.
        reason: one sentence.
    """

    pair: DuplicatePair
    left: tuple[str, ...]
    right: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Grouping:
    """Which samples must stay together, and why.

    Attributes:
        groups: sample id -> group name, one entry per sample; joins the data's own groups.
        pairs: verified duplicates that were joined, sorted by (a, b).
        similar: pairs that are possibly one patient, sorted; joined only where that was asked for.
        chains: links that were seen and not followed.
        notes: decisions and limits, one sentence each.
        counts: numbers of the search ("images", "distinct", "candidates", "verified", …).
    """

    groups: Mapping[str, str]
    pairs: tuple[DuplicatePair, ...]
    similar: tuple[DuplicatePair, ...]
    chains: tuple[RejectedLinkRecord, ...]
    notes: tuple[str, ...]
    counts: Mapping[str, int]

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(set(self.groups.values()))

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Grouping:
        """Return a grouping from its plain values, as `dataclasses.asdict` gives them.

        Args:
            record: the fields by name.
        """
        links = (
            RejectedLinkRecord(
                DuplicatePair(**link["pair"]), tuple(link["left"]), tuple(link["right"]), link["reason"]
            )
            for link in record["chains"]
        )
        return cls(
            groups=record["groups"],
            pairs=tuple(DuplicatePair(**pair) for pair in record["pairs"]),
            similar=tuple(DuplicatePair(**pair) for pair in record["similar"]),
            chains=tuple(links),
            notes=tuple(record["notes"]),
            counts=record["counts"],
        )

    @classmethod
    def from_reviewer(cls, groups: Mapping[str, str]) -> Grouping:
        """Return the groups that a person decided; nothing was searched for, so there are no pairs.

        Args:
            groups: sample id -> group name, one entry per sample.
        """
        note = (
            f"Groups were given by the reviewer: {len(set(groups.values()))} groups of {len(groups)} images."
        )
        return cls(dict(groups), (), (), (), (note,), {})
