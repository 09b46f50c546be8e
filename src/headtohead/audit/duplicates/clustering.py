"""From verified pairs to groups, without chains: what is joined must agree from end to end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from headtohead.audit.duplicates.alignment import AlignmentResult, Matrix

__all__ = ["GroupMember", "Link", "PoseUnionFind", "RejectedLink", "merge_consistent_groups"]

FAR_ENDS = 24
"""How many pairs of far ends are looked at before two groups are joined."""


@dataclass(frozen=True, slots=True)
class Link:
    """A verified pair of images by position, a < b."""

    a: int
    b: int
    seen: AlignmentResult


@dataclass(frozen=True, slots=True)
class GroupMember:
    """Where an image lies in its group: `pose` takes its positions to those of the group's first."""

    index: int
    pose: Matrix
    inverted: bool


@dataclass(frozen=True, slots=True)
class RejectedLink:
    """A link whose ends' groups do not agree: positions of both groups at that moment."""

    link: Link
    left: tuple[int, ...]
    right: tuple[int, ...]
    witness: tuple[int, int]


K = TypeVar("K", bound=Any)
Contradiction = Callable[[int, int, Matrix, bool], bool]


class PoseUnionFind(Generic[K]):
    """Disjoint sets, each however joined."""

    def __init__(self, items: Iterable[K]) -> None:
        self._root = {one: one for one in items}
        self._sets = {one: [one] for one in self._root}

    def join(self, a: K, b: K) -> None:
        """Make one set of those that hold `a` and `b`."""
        first, second = self._root[a], self._root[b]
        if first == second:
            return
        # the smaller set moves, so that no item moves more than log2(n) times
        if len(self._sets[first]) < len(self._sets[second]):
            first, second = second, first
        moved = self._sets.pop(second)
        self._sets[first] += moved
        self._root.update(dict.fromkeys(moved, first))

    def join_all(self, together: Sequence[K]) -> None:
        """Make one set of all that hold one of these."""
        for other in together[1:]:
            self.join(together[0], other)

    def same(self, a: K, b: K) -> bool:
        """Tell whether one set holds both."""
        return bool(self._root[a] == self._root[b])

    def members(self, one: K) -> list[K]:
        """Return the set that holds `one`, in no order."""
        return self._sets[self._root[one]]

    def sets(self) -> list[list[K]]:
        """Return all sets, each sorted, in the order of their smallest members."""
        return sorted(sorted(one) for one in self._sets.values())


def _moved(group: Sequence[GroupMember], link: Link, onto: Sequence[GroupMember]) -> list[GroupMember]:
    """Return the members of the one end's group as they lie in the other end's, through the link."""
    at_a = next(one for one in onto if one.index == link.a)
    at_b = next(one for one in group if one.index == link.b)
    into_a = at_a.pose @ np.linalg.inv(link.seen.matrix) @ np.linalg.inv(at_b.pose)
    flips = at_a.inverted ^ bool(link.seen.kind & 2) ^ at_b.inverted
    return [GroupMember(one.index, into_a @ one.pose, one.inverted ^ flips) for one in group]


def _witness(
    left: Sequence[GroupMember],
    right: Sequence[GroupMember],
    known: set[tuple[int, int]],
    contradicts: Contradiction,
) -> tuple[int, int] | None:
    """Return a pair of far ends that differ, or None; pairs verified directly are not looked at."""
    pairs = [(one, two) for one in left for two in right]
    open_ = [(x, y) for x, y in pairs if (min(x.index, y.index), max(x.index, y.index)) not in known]
    step = max(1, len(open_) // FAR_ENDS)
    for x, y in open_[::step]:
        matrix = np.linalg.inv(y.pose) @ x.pose
        if contradicts(x.index, y.index, matrix, x.inverted ^ y.inverted):
            return x.index, y.index
    return None


def merge_consistent_groups(
    links: Iterable[Link], contradicts: Contradiction
) -> tuple[list[tuple[int, ...]], list[RejectedLink]]:
    """Join linked images, strongest link first, unless the groups at its ends contradict.

    Joining along links alone would let A resemble B, B resemble C, and so on until a class is one
    group (single linkage's chaining). Here the far ends, laid on each other through the chain of
    transforms, must agree too.

    Args:
        links: verified pairs, in any order.
        contradicts: (i, j, matrix from i's positions to j's, inverted) -> they clearly differ.

    Returns:
        Groups of two and more as sorted tuples, sorted; and the links that were refused.
    """
    ordered = sorted(links, key=lambda one: (-one.seen.inliers, -one.seen.ncc, one.a, one.b))
    known = {(one.a, one.b) for one in ordered}
    groups: dict[int, list[GroupMember]] = {}
    home: dict[int, int] = {}
    refused = []
    for link in ordered:
        for end in (link.a, link.b):
            if end not in home:
                home[end], groups[end] = end, [GroupMember(end, np.eye(3), False)]
        left, right = home[link.a], home[link.b]
        if left == right:
            continue
        moved = _moved(groups[right], link, groups[left])
        witness = _witness(groups[left], moved, known, contradicts)
        if witness is not None:
            sides = [tuple(sorted(m.index for m in groups[side])) for side in (left, right)]
            refused.append(RejectedLink(link, sides[0], sides[1], witness))
            continue
        groups[left] += moved
        for one in groups.pop(right):
            home[one.index] = left
    found = sorted(tuple(sorted(m.index for m in group)) for group in groups.values())
    return [one for one in found if len(one) > 1], refused
