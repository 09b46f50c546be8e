"""Input and output of a decomposition: weights of the features, and a score as a sum of parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

__all__ = ["Decomposition", "Weighting"]


@dataclass(frozen=True)
class Weighting:
    """Linear scores of features: for each image and score a weight and a reference value per feature.

    Attributes:
        weights: (B, T, D) float64, T scores per image.
        reference: (B, T, D) float64, features of the average image; a score is weights @ (features - reference).
    """

    weights: Tensor
    reference: Tensor

    def part(self, start: int, stop: int) -> Weighting:
        """Return the weighting of the features start..stop."""
        return Weighting(self.weights[..., start:stop], self.reference[..., start:stop])

    def constant(self) -> Tensor:
        """Return weights @ reference, (B, T)."""
        return (self.weights * self.reference).sum(dim=-1)


@dataclass(frozen=True)
class Decomposition:
    """Scores as sums over places: score = sum of all maps + sum of all of `elsewhere`.

    Attributes:
        maps: each (B, T, h, w) float64 in units of the score; grids may differ, each covers the whole input.
        elsewhere: (B, T) each: parts of the score that have no place, by name.
        scores: (B, T), computed from the network's own features; not from the parts.
        high_norm: (B, h, w) bool, patch tokens with a norm above three times the median, or None for a CNN.
        notes: what could not be split, one sentence each.
    """

    maps: tuple[Tensor, ...]
    elsewhere: dict[str, Tensor]
    scores: Tensor
    high_norm: Tensor | None = None
    notes: tuple[str, ...] = field(default=())

    def total(self) -> Tensor:
        """Return (B, T), the sum of all parts."""
        placed = [found.sum(dim=(-2, -1)) for found in self.maps]
        return torch.stack([*placed, *self.elsewhere.values()]).sum(dim=0)

    def flipped(self) -> Decomposition:
        """Return the decomposition of the left-right flipped image, laid back on the image as it was."""
        norm = None if self.high_norm is None else self.high_norm.flip(-1)
        maps = tuple(found.flip(-1) for found in self.maps)
        return Decomposition(maps, self.elsewhere, self.scores, norm, self.notes)

    def scaled(self, factor: float) -> Decomposition:
        """Return a multiple of the scores and of all their parts."""
        return Decomposition(
            tuple(found * factor for found in self.maps),
            {name: value * factor for name, value in self.elsewhere.items()},
            self.scores * factor,
            self.high_norm,
            self.notes,
        )

    def __add__(self, other: Decomposition) -> Decomposition:
        """Return the decomposition of the sum of two scores of the same image."""
        elsewhere = dict(self.elsewhere)
        for name, value in other.elsewhere.items():
            elsewhere[name] = elsewhere[name] + value if name in elsewhere else value
        norms = [one.high_norm for one in (self, other) if one.high_norm is not None]
        notes = tuple(dict.fromkeys((*self.notes, *other.notes)))
        maps = merged((*self.maps, *other.maps))
        return Decomposition(maps, elsewhere, self.scores + other.scores, norms[0] if norms else None, notes)


def merged(maps: Iterable[Tensor]) -> tuple[Tensor, ...]:
    """Return the sum of the maps of each grid size, in order of first appearance."""
    by_size: dict[tuple[int, int], Tensor] = {}
    for found in maps:
        size = (int(found.shape[-2]), int(found.shape[-1]))
        by_size[size] = by_size[size] + found if size in by_size else found
    return tuple(by_size.values())
