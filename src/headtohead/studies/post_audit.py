"""Questions of the audit that need networks: features for its outliers, answers from out-of-fold predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Finding, Verdict
from headtohead.core.run_folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.data.dataset import Dataset

__all__ = ["audit_caveats", "pretrained_features", "shortcut_caveats", "update_audit"]


# What tells the label without the organ: file facts, thumbnail, border, background.
SHORTCUT_CODES = ("H2H301", "H2H302", "H2H303", "H2H304")


def pretrained_features(
    dataset: Dataset, name: str, *, cache: Path | None = None, reporter: Reporter = QUIET
) -> npt.NDArray[np.float32]:
    """Return (n, D) features of the foreground by a pretrained network, for the audit's outliers.

    Args:
        dataset: the images.
        name: a backbone, such as "efficientnet-lite0".
        cache: where features are kept; by default the folder that comparisons use.
        reporter: hears how far the work is.

    Raises:
        UnknownNameError: no such backbone. WeightsError: its weights are not available.
    """
    from headtohead.backbones.catalog import resolve
    from headtohead.backbones.features.extract import extract
    from headtohead.core.cache_home import cache_home
    from headtohead.preprocess.recipe import get_recipe

    folder = cache or cache_home() / "features"
    return extract(dataset, resolve(name), get_recipe("foreground"), cache=folder, reporter=reporter).rows


def update_audit(
    run: RunFolder,
    dataset: Dataset,
    table: pd.DataFrame,
    verdict: Verdict,
    baselines: tuple[str, ...],
) -> Verdict:
    """Answer in `audit.json` what the audit left open, and return the verdict with the caveats that follow.

    Args:
        run: the run folder; it holds `audit.json`.
        dataset: the grouped samples.
        table: the out-of-fold predictions.
        verdict: of the run; gains a caveat where the best contender does not beat a shortcut.
        baselines: names that are no contenders.
    """
    from headtohead.audit.post_hoc import update_post_hoc

    lines = table[~table["contender"].isin(baselines)]
    if lines.empty:
        return verdict
    columns = [f"prob_{name}" for name in dataset.classes]
    mean = lines.groupby("sample", sort=True)[columns].mean()
    label = {sample.id: dataset.classes.index(sample.label) for sample in dataset.samples}
    ids = [str(sample) for sample in mean.index]
    record = update_post_hoc(
        run.json("audit.json"),
        best=_best_contender(verdict, baselines),
        ids=ids,
        rows=mean.to_numpy(np.float64),
        labels=np.array([label[sample] for sample in ids], np.int64),
    )
    run.write("audit.json", record)
    return verdict.model_copy(update={"caveats": (*shortcut_caveats(record), *verdict.caveats)})


def _best_contender(verdict: Verdict, baselines: tuple[str, ...]) -> tuple[str, float] | None:
    """Return name and AUROC of the best contender."""
    scores = [
        (score.contender, score.value)
        for score in verdict.scores
        if score.metric == "auroc" and score.value is not None and score.contender not in baselines
    ]
    return max(scores, key=lambda pair: pair[1]) if scores else None


def shortcut_caveats(record: dict[str, Any]) -> tuple[str, ...]:
    """Return the caveat that no contender is shown to do better than a shortcut, if the audit found that.

    Args:
        record: the content of `audit.json`.
    """
    finding = next(Finding.model_validate(f) for f in record["findings"] if f["code"] == "H2H305")
    if finding.outcome != "issue":
        return ()
    return (
        f"The best contender is not shown to do better than a shortcut: {finding.message}. {finding.advice}",
    )


def audit_caveats(record: dict[str, Any]) -> tuple[str, ...]:
    """Return the audit's findings that must stand beside any estimate: severe ones, and what tells the label.

    Args:
        record: the content of `audit.json`.
    """
    found = [Finding.model_validate(f) for f in record["findings"] if f["outcome"] == "issue"]
    kept = [f for f in found if f.severity == "severe" or f.code in SHORTCUT_CODES]
    return tuple(f"{f.title} ({f.code}): {f.message}." for f in kept)
