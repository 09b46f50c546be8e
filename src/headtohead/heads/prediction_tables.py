"""Tables made from finished cells: out-of-fold predictions, inner predictions and learning curves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from headtohead.data.splits.folds import Fold
from headtohead.heads.base import FoldResult, SampleLabels

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["exclude_test_groups", "highest_loss_samples", "learning_table", "predictions_table"]


def predictions_table(
    cells: Sequence[tuple[str, Fold, FoldResult]],
    data: SampleLabels,
    ids: Sequence[str],
    *,
    inner: bool = False,
) -> pd.DataFrame:
    """Return one line per sample, repeat and contender.

    Args:
        cells: (contender, fold, result) of each finished cell.
        data: labels and groups of all samples.
        ids: sample ids in index order.
        inner: the training part's inner out-of-fold probabilities instead of the test part's
            (samples that no inner fold covered are left out).

    Returns:
        Columns sample, group, repeat, fold, contender, label, prob_<class>…; sorted by contender
        (in the order given), repeat, fold, sample.
    """
    import pandas as pd

    frames = []
    for name, fold, result in cells:
        index = fold.train if inner else fold.test
        rows = result.inner_probabilities if inner else result.probabilities
        known = ~np.isnan(rows).any(axis=1)
        index, rows = np.asarray(index)[known], rows[known]
        columns: dict[str, Any] = {
            "sample": [ids[i] for i in index],
            "group": [str(data.groups[i]) for i in index],
            "repeat": fold.repeat,
            "fold": fold.fold,
            "contender": name,
            "label": [data.classes[data.labels[i]] for i in index],
        }
        columns.update({f"prob_{label}": rows[:, j] for j, label in enumerate(data.classes)})
        frames.append(pd.DataFrame(columns).sort_values("sample", kind="stable"))
    return pd.concat(frames, ignore_index=True)


def exclude_test_groups(inner: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return the inner lines whose group is not tested in the same fold; where nothing leaks, all of them.

    Thresholds and temperatures come from inner lines: where a leak was allowed, they must at least
    not be chosen on the leaked groups.

    Args:
        inner, table: inner and out-of-fold lines, as `predictions_table` makes them.
    """
    keys = ["repeat", "fold", "group"]
    tested = set(table[keys].itertuples(index=False, name=None))
    untested = [key not in tested for key in inner[keys].itertuples(index=False, name=None)]
    return inner[untested].reset_index(drop=True)


def highest_loss_samples(table: pd.DataFrame, *, without: Sequence[str], most: int) -> list[dict[str, Any]]:
    """Return the samples whose true class gets the least mean probability, worst first.

    Args:
        table: out-of-fold lines, as `predictions_table` makes them.
        without: contenders (baselines) that are left out.
        most: how many samples at most.

    Returns:
        id, label and the mean probability of the truth, only where that is below one half.
    """
    lines = table[~table["contender"].isin(list(without))]
    truth = [float(row[f"prob_{row['label']}"]) for row in lines.to_dict("records")]
    means = lines.assign(truth=truth).groupby(["sample", "label"], sort=True)["truth"].mean().reset_index()
    worst = means[means["truth"] < 0.5].sort_values(["truth", "sample"]).head(most)
    return [
        {"id": r["sample"], "label": r["label"], "truth": float(r["truth"])} for r in worst.to_dict("records")
    ]


def learning_table(cells: Sequence[tuple[str, Fold, FoldResult]], data: SampleLabels) -> pd.DataFrame:
    """Return one line per cell: accuracy and log loss on train, inner validation and test, and what was chosen.

    Args:
        cells: (contender, fold, result) of each finished cell.
        data: labels of all samples.
    """
    import pandas as pd

    from headtohead.training.records import fit_metrics

    rows = []
    for name, fold, result in cells:
        test = fit_metrics(data.labels[fold.test], result.probabilities)
        rows.append(
            {
                "contender": name,
                "repeat": fold.repeat,
                "fold": fold.fold,
                "train_accuracy": result.train.accuracy,
                "train_loss": result.train.loss,
                "inner_accuracy": result.inner.accuracy,
                "inner_loss": result.inner.loss,
                "test_accuracy": test.accuracy,
                "test_loss": test.loss,
                "chosen": json.dumps(dict(result.chosen), sort_keys=True),
                "epochs": json.dumps([asdict(epoch) for epoch in result.epochs]),
            }
        )
    return pd.DataFrame(rows)
