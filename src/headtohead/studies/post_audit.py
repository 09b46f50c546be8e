"""Between the audit and the contenders: features for its outliers, answers from their predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.atomic_io import write_json
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Finding, Verdict
from headtohead.core.run_folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.data.dataset import Dataset

__all__ = ["pretrained_features", "update_audit"]


def pretrained_features(
    dataset: Dataset, name: str, *, cache: Path | None = None, reporter: Reporter = QUIET
) -> npt.NDArray[np.float32]:
    """Return (n, D) features of the foreground by a pretrained network, for the audit's outliers.

    Args:
        dataset: the images.
        name: a backbone, such as "efficientnet-lite0".
        cache: where rows are kept; by default the folder that comparisons use.
        reporter: hears how far the work is.

    Raises:
        UnknownNameError: no such backbone. WeightsError: its weights cannot be had.
    """
    from headtohead.backbones.catalog import resolve
    from headtohead.backbones.features.extract import extract
    from headtohead.core.cache_home import cache_home
    from headtohead.preprocess.recipe import get_recipe

    place = cache or cache_home() / "features"
    return extract(dataset, resolve(name), get_recipe("foreground"), cache=place, reporter=reporter).rows


def update_audit(
    folder: RunFolder, dataset: Dataset, table: pd.DataFrame, verdict: Verdict, controls: tuple[str, ...]
) -> Verdict:
    """Answer what the audit of this run left open, in `audit.json`, and return the verdict with it.

    Args:
        folder: of the run; it holds `audit.json`.
        dataset: the grouped samples.
        table: the out-of-fold lines.
        verdict: of the run; gains a caveat where the best contender does not beat a shortcut.
        controls: contenders that are no contenders (the baselines).
    """
    from headtohead.audit.post_hoc import update_post_hoc

    lines = table[~table["contender"].isin(controls)]
    if lines.empty:
        return verdict
    columns = [f"prob_{name}" for name in dataset.classes]
    mean = lines.groupby("sample", sort=True)[columns].mean()
    label = {sample.id: dataset.classes.index(sample.label) for sample in dataset.samples}
    ids = [str(one) for one in mean.index]
    record = update_post_hoc(
        folder.json("audit.json"),
        best=_best(verdict, controls),
        ids=ids,
        rows=mean.to_numpy(np.float64),
        labels=np.array([label[one] for one in ids], np.int64),
    )
    write_json(folder / "audit.json", record)
    return verdict.model_copy(update={"caveats": (*_beaten(record), *verdict.caveats)})


def _best(verdict: Verdict, controls: tuple[str, ...]) -> tuple[str, float] | None:
    """Return name and AUROC of the best contender."""
    known = [
        (one.contender, one.value)
        for one in verdict.scores
        if one.metric == "auroc" and one.value is not None and one.contender not in controls
    ]
    return max(known, key=lambda pair: pair[1]) if known else None


def _beaten(record: dict[str, Any]) -> tuple[str, ...]:
    found = next(Finding.model_validate(one) for one in record["findings"] if one["code"] == "H2H305")
    if found.outcome != "issue":
        return ()
    return (f"A shortcut does as well as the best contender: {found.message}. {found.advice}",)
