"""What is known of a model's quality before it is used: the run's cross-validated scores and caveats."""

from __future__ import annotations

from headtohead.deploy.bundle.records import BundleEstimate
from headtohead.deploy.training.source import RunSource

__all__ = ["estimate_of"]

ONE_DATASET = (
    "The scores are cross-validated on the images that the model was trained with; images of another hospital or "
    "scanner may give others. Check with: headtohead evaluate MODEL DATA."
)


def estimate_of(source: RunSource, contender: str, fidelity: tuple[str, ...]) -> BundleEstimate:
    """Return the estimate of a contender of a finished run.

    Args:
        fidelity: what differs between the run and the model, one sentence each.
    """
    verdict = source.verdict
    details = verdict.details
    recalibrated = details.recalibration.get(contender)
    after = recalibrated.methods.get("temperature") if recalibrated is not None else None
    conformal = details.conformal.contenders.get(contender) if details.conformal is not None else None
    audit = source.folder.json("audit.json")["findings"]
    problems = [f for f in audit if f["outcome"] == "issue" and f["severity"] in ("severe", "warning")]
    return BundleEstimate(
        scores=tuple(score for score in verdict.scores if score.contender == contender),
        calibrated=() if after is None else after.scores,
        conformal={} if conformal is None else conformal.model_dump(mode="json"),
        metric=verdict.metric,
        n_samples=0 if details.size is None else details.size.n_samples,
        n_groups=0 if details.size is None else details.size.n_groups,
        sentence=verdict.sentence,
        caveats=(*verdict.caveats, ONE_DATASET),
        audit=tuple(f"{f['code']} {f['message']}" for f in problems),
        fidelity=fidelity,
    )
