"""From a plan of contenders to their heads."""

from __future__ import annotations

from typing import cast

from headtohead.contenders.mode import BuildContext, PlannedContender
from headtohead.contenders.plan import ContenderPlan
from headtohead.contenders.tuned_modes import ENSEMBLE_FOLDS
from headtohead.core.errors import UsageError
from headtohead.heads.base import Head
from headtohead.heads.ensemble import EnsembleHead
from headtohead.heads.replicates import FoldEnsembleHead, Refittable, SeedEnsembleHead

__all__ = ["build_heads"]


def build_heads(plan: ContenderPlan, context: BuildContext) -> dict[str, Head]:
    """Return a head for each contender, replicates and ensembles after what they are made of.

    Args:
        plan: the contenders.
        context: what heads are built from.

    Raises:
        UsageError: more backbones than a mode can join, flips where the preset does not flip.
    """
    _warn_about_cost(plan, context)
    heads: dict[str, Head] = {}
    for contender in plan.contenders:
        heads[contender.name] = _build_head(contender, context, heads)
    return heads


def _build_head(contender: PlannedContender, context: BuildContext, heads: dict[str, Head]) -> Head:
    if contender.mode is not None:
        return contender.mode.mode.build(contender, context)
    if contender.combination is not None:
        return EnsembleHead(contender.members, context.load_cell, contender.combination)
    if contender.spec.kind not in ("seeds", "folds"):
        raise UsageError(f"{contender.name!r} is neither trained nor made of other contenders.")
    (single,) = contender.members
    kind = SeedEnsembleHead if contender.spec.kind == "seeds" else FoldEnsembleHead
    return kind(single, cast(Refittable, heads[single]), context.load_cell, contender.spec.count)


def _warn_about_cost(plan: ContenderPlan, context: BuildContext) -> None:
    """Say which trainings are repeated so that an ensemble can learn its weights."""
    train = context.config.train
    names = [contender.name for contender in plan.needing_inner]
    if names:
        folds = train.inner_folds or ENSEMBLE_FOLDS
        context.features.reporter.warning(
            f"The weights of an ensemble come from inner folds, so {', '.join(names)} is trained {folds} more times "
            "in every cell. how=mean costs nothing more."
        )
