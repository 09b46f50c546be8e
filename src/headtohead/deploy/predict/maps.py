"""Exact maps of a deployed model, where its head is linear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headtohead.core.errors import UsageError

if TYPE_CHECKING:
    from headtohead.deploy.model import DeployedModel
    from headtohead.deploy.predict.prepare import PreparedImage

__all__ = ["explain_prepared"]


def explain_prepared(model: DeployedModel, item: PreparedImage) -> Any:
    """Return the exact map of one prepared image.

    Raises:
        UsageError: the model has no linear head on one network.
    """
    raise UsageError(
        f"{model.name} has no maps yet ({item.name}); `headtohead explain RUN` draws those of the run."
    )
