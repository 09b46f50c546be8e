"""What is known of a model's quality before it is used: the run's cross-validated scores and caveats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headtohead.core.config import StudyConfig
from headtohead.deploy.bundle.records import BundleConfig, BundleEstimate
from headtohead.deploy.training.shipped_text import finding_in_figures, without_names
from headtohead.deploy.training.source import RunSource

if TYPE_CHECKING:
    from headtohead.core.records import Sample

__all__ = ["estimate_of", "fidelity_of"]

ONE_DATASET = (
    "The scores are cross-validated on the images that the model was trained with; images of another hospital or "
    "scanner may give others. Check with: headtohead evaluate MODEL DATA."
)


def estimate_of(
    source: RunSource,
    contender: str,
    fidelity: tuple[str, ...],
    samples: Sequence[Sample] = (),
    *,
    method: str = "temperature",
) -> BundleEstimate:
    """Return the estimate of a contender of a finished run; no text of it names a training image.

    Args:
        samples: of the run, whose names are kept out.
        method: of calibration.
        fidelity: what differs between the run and the model, one sentence each.
    """
    verdict = source.verdict
    details = verdict.details
    recalibrated = details.recalibration.get(contender)
    after = recalibrated.methods.get(method.replace("-", "_")) if recalibrated is not None else None
    conformal = details.conformal.contenders.get(contender) if details.conformal is not None else None
    audit = source.folder.json("audit.json")["findings"]
    problems = [f for f in audit if f["outcome"] == "issue" and f["severity"] in ("severe", "warning")]
    return BundleEstimate(
        scores=tuple(score for score in verdict.scores if score.contender == contender),
        calibrated=() if after is None else after.scores,
        conformal={} if conformal is None else conformal.model_dump(mode="json"),
        metric=verdict.metric,
        per=source.config.per,
        n_samples=0 if details.size is None else details.size.n_samples,
        n_groups=0 if details.size is None else details.size.n_groups,
        sentence=without_names(verdict.sentence, samples),
        caveats=(*(without_names(caveat, samples) for caveat in verdict.caveats), ONE_DATASET),
        audit=tuple(finding_in_figures(finding) for finding in problems),
        fidelity=fidelity,
    )


def fidelity_of(settings: StudyConfig, config: BundleConfig) -> tuple[str, ...]:
    """Return what differs between the models that a run scored and the one in the bundle, one sentence each.

    Args:
        settings: of the run. config: of the bundle.
    """
    folds = f"{settings.folds} folds" if settings.split == "kfold" else f"the split {settings.split!r}"
    found = [f"The scores are of models trained on the training parts of {folds}; this one saw all images."]
    if settings.precision != "fp32":
        found.append(
            f"The run's precision was {settings.precision!r}; the model computes in float32, which changes "
            "probabilities by about the rounding of bfloat16 where that was used."
        )
    if any(body.tuned for body in config.bodies):
        found.append("The network was retrained on all images with the settings of the run.")
    if any(member.feature_view.flip for member in config.members):
        found.append(
            "For the flipped view the run flipped the image before its crop, and the model flips the cropped image; "
            "where the two crops differ by a pixel, features differ slightly."
        )
    return tuple(found)
