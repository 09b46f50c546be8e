"""Heat maps for the page and for programs: numbers on a grid, drawn by whoever shows them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from headtohead.core.errors import UnreadableError
from headtohead.deploy.prediction import ImagePredictor
from headtohead.serve.hosting.registry import ServedModel
from headtohead.serve.intake.multipart import UploadedFile
from headtohead.serve.problems import ProblemError

__all__ = ["EvidenceMap", "evidence_map", "explains"]


class EvidenceMap(BaseModel):
    """Where a model found its evidence in one image."""

    # NaN is no JSON, and JSON.parse refuses it
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null")

    model: str
    digest: str
    file: str
    method: str = Field(
        description="contributions, which sum to the log-odds, or occlusion.", examples=["contributions"]
    )
    target: str = Field(description="The class whose log-odds are explained.")
    log_odds: float
    grid: list[list[float]] = Field(
        description="Log-odds per 1 % of the area seen; positive: for the target."
    )
    box: list[float] = Field(
        description="What the network saw: top, left, bottom, right as shares of the image's height and width."
    )
    limit: float = Field(description="End of the colour scale, above 0; take the largest of the maps shown.")
    offset: float | None = Field(description="The part that is the same for all images; null if not a sum.")
    localised: float
    not_localised: float = Field(description="The part that has no place.")
    words: str
    research_use_only: bool = True


def explains(model: ImagePredictor) -> bool:
    """Return whether a model can say where its evidence lies."""
    return callable(getattr(model, "explain_bytes", None))


async def evidence_map(served: ServedModel, file: UploadedFile) -> EvidenceMap:
    """Return the map of one image.

    Raises:
        ProblemError: 501 if the model has no maps, 422 if the image cannot be read.
    """
    if not explains(served.model):
        raise ProblemError(
            501,
            f"{served.name} cannot be explained: it has no heat maps. Its predictions are at /v1/predict.",
        )
    explain: Any = served.model
    try:
        found = await served.queue.call(explain.explain_bytes, file.name, file.content)
    except UnreadableError as error:
        raise ProblemError(422, f"The file cannot be read: {error}.") from None
    return _answer(served, file.name, found)


def _answer(served: ServedModel, file: str, found: Any) -> EvidenceMap:
    from headtohead.explain.overlay import color_limit

    attribution, (height, width), box = found.attribution, found.size, found.box
    return EvidenceMap(
        model=served.name,
        digest=served.model.digest,
        file=file,
        method=found.method,
        target=found.target,
        log_odds=float(attribution.log_odds),
        grid=found.density().tolist(),
        box=[box.top / height, box.left / width, box.bottom / height, box.right / width],
        limit=float(color_limit([found])),
        offset=None if attribution.offset is None else float(attribution.offset),
        localised=float(attribution.localised),
        not_localised=float(attribution.not_localised),
        words=found.words,
    )
