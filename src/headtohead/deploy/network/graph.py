"""The whole network of a bundle as one torch module: prepared inputs in, logits out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from headtohead.backbones.features.asymmetry import bilateral_features
from headtohead.backbones.features.views import FeatureView
from headtohead.deploy.bundle.records import BundleConfig, CombinationSpec, MemberSpec
from headtohead.deploy.network.bodies import build_body
from headtohead.deploy.network.heads import LinearScores, MlpScores, mean_log_probabilities
from headtohead.heads.ensemble import MIN_PROBABILITY

__all__ = ["BundleNetwork", "build_network", "feature_count"]


Features = dict[tuple[int, int, FeatureView, bool], Tensor]
"""(body, input, view, flipped) -> its features."""


class BundleNetwork(nn.Module):
    """Bodies, heads and their combination; exportable as it is.

    Args:
        config: which parts there are.
        bodies: the networks below the heads.
        heads: one per member.
    """

    def __init__(self, config: BundleConfig, bodies: Sequence[nn.Module], heads: Sequence[nn.Module]) -> None:
        super().__init__()
        self.bodies, self.heads = nn.ModuleList(bodies), nn.ModuleList(heads)
        self._members, self._combination = config.members, config.combination

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return logits (n, k) of normalised inputs, one (n, 3, S, S) for each of the bundle's inputs.

        Their softmax is what the contender's probabilities were in the run, before calibration.
        """
        return self.with_features(*inputs)[0]

    def with_features(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (n, k), and the features (n, D) of the first member, which the guard compares."""
        known: Features = {}
        scores, first = [], None
        for member, head in zip(self._members, self.heads, strict=True):
            rows = self._rows(member, inputs, known)
            first = rows if first is None else first
            found = head(rows)
            if member.flip_test:
                found = mean_log_probabilities([found, head(self._rows(member, inputs, known, flipped=True))])
            scores.append(found)
        assert first is not None
        return _combine(self._combination, scores), first

    def _rows(
        self,
        member: MemberSpec,
        inputs: Sequence[Tensor],
        known: Features,
        *,
        flipped: bool = False,
    ) -> Tensor:
        """Return the joined features of a member's bodies; a body that members share is asked once."""
        parts = []
        for body, number in zip(member.bodies, member.inputs, strict=True):
            key = (body, number, member.feature_view, flipped)
            if key not in known:
                x = inputs[number].flip(-1) if flipped else inputs[number]
                known[key] = _look(self.bodies[body], x, member.feature_view)
            parts.append(known[key])
        return torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]


def _look(body: nn.Module, x: Tensor, view: FeatureView) -> Tensor:
    """Return the features of a body under a view."""
    if view.symmetry:
        return bilateral_features(body, x).float()  # type: ignore[arg-type]
    ask = body.layers if view.layers else body
    rows: Tensor = ask(x).float()  # type: ignore[operator]
    if view.flip:
        rows = (rows + ask(x.flip(-1)).float()) / 2  # type: ignore[operator]
    return rows


def _combine(spec: CombinationSpec, scores: Sequence[Tensor]) -> Tensor:
    if spec.member is not None:
        return scores[spec.member]
    parts = [_combine(part, scores) for part in spec.parts]
    if not spec.coefficients:
        return mean_log_probabilities(parts, spec.weights)
    # Clipped, and as log-odds against the first class, as `heads.ensemble` fitted the stacking.
    floor = torch.log(torch.tensor(MIN_PROBABILITY))
    logs = [part.clamp_min(float(floor)) for part in parts]
    odds = torch.cat([rows[:, 1:] - rows[:, :1] for rows in logs], dim=1)
    coefficients = torch.tensor(spec.coefficients, dtype=odds.dtype)
    found = odds @ coefficients.T.to(odds.device) + torch.tensor(spec.intercept, dtype=odds.dtype).to(
        odds.device
    )
    # softmax of (-s / 2, s / 2) is the sigmoid of s
    if found.shape[1] == 1:
        found = torch.cat([-found / 2, found / 2], dim=1)
    return torch.log_softmax(found, dim=1)


def feature_count(body: nn.Module, member: MemberSpec, size: int) -> int:
    """Return the width of a body's features under a member's view."""
    if member.feature_view == FeatureView():
        return int(body.n_features)  # type: ignore[arg-type]
    with torch.inference_mode():
        return int(_look(body, torch.zeros(1, 3, size, size), member.feature_view).shape[1])


def build_network(config: BundleConfig, sizes: Sequence[int]) -> BundleNetwork:
    """Return the network of a bundle with weights that are to be replaced, in evaluation mode.

    Args:
        sizes: side of each input in pixels.
    """
    bodies = [build_body(spec) for spec in config.bodies]
    heads: list[nn.Module] = []
    for member in config.members:
        width = sum(
            feature_count(bodies[body], member, sizes[number])
            for body, number in zip(member.bodies, member.inputs, strict=True)
        )
        k = len(config.classes)
        heads.append(
            LinearScores(width, k)
            if member.head == "linear"
            else MlpScores(width, k, member.hidden, member.networks)
        )
    return BundleNetwork(config, bodies, heads).eval()
