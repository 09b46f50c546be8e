"""Inner predictions: training samples of each fold, predicted by models that did not see their group.

Whatever is chosen (thresholds, temperatures, quantiles) is chosen here, per contender, repeat and fold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from headtohead.core.errors import LeakageError, ManifestError
from headtohead.stats.predictions import PredictionTable

__all__ = ["InnerCell", "InnerPredictions", "build_inner", "per_line"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Key = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class InnerCell:
    """Inner lines of one contender, repeat and fold: label (n,), group (n,) codes, prob (n, k)."""

    label: Ints
    group: Ints
    prob: Floats


@dataclass(frozen=True, slots=True)
class InnerPredictions:
    """Inner lines by (contender, repeat, fold); `without` names contenders that lack some cell."""

    cells: dict[Key, InnerCell]
    without: tuple[str, ...]

    def has(self, contender: str) -> bool:
        """Return whether every fold of the contender has inner lines."""
        return contender not in self.without


def build_inner(inner: pd.DataFrame | None, table: PredictionTable) -> InnerPredictions:
    """Check inner predictions against the table and sort them into cells.

    Lines with a missing probability are left out.

    Raises:
        ManifestError: a column is missing or a label unknown.
        LeakageError: an inner line's group is in the test part of its own fold.
    """
    if inner is None or inner.empty:
        return InnerPredictions({}, table.contenders)
    prob_names = [f"prob_{name}" for name in table.classes]
    missing = [
        c for c in ("sample", "group", "repeat", "fold", "contender", "label", *prob_names) if c not in inner
    ]
    if missing:
        raise ManifestError(f"The inner predictions lack the column(s) {', '.join(missing)}.")
    frame = inner.loc[inner[prob_names].notna().all(axis=1)]
    index = {name: position for position, name in enumerate(table.classes)}
    if unknown := set(frame["label"].astype(str)) - set(index):
        raise ManifestError(f"Unknown label(s) in the inner predictions: {', '.join(sorted(unknown))}.")
    cells: dict[Key, InnerCell] = {}
    for key, part in frame.groupby(["contender", "repeat", "fold"], sort=True):
        # Sums over the lines must not depend on the order of the file.
        part = part.sort_values("sample", kind="stable")
        name: Key = (str(key[0]), int(str(key[1])), int(str(key[2])))
        label = np.asarray(part["label"].astype(str).map(index), dtype=np.int64)
        groups, codes = np.unique(part["group"].astype(str).to_numpy(dtype=str), return_inverse=True)
        _need_apart(table, name, set(groups))
        cells[name] = InnerCell(label, codes.astype(np.int64), part[prob_names].to_numpy(dtype=np.float64))
    return InnerPredictions(cells, tuple(name for name in table.contenders if not _whole(cells, table, name)))


def _need_apart(table: PredictionTable, key: Key, groups: set[str]) -> None:
    contender, repeat, fold = key
    if (contender, repeat) not in table.lines:
        return
    lines = table.lines[contender, repeat]
    shared = groups & set(table.groups[lines.group[lines.fold == fold]])
    if shared:
        raise LeakageError(
            f"Inner predictions of {contender!r}, repeat {repeat}, fold {fold} hold the group {str(min(shared))!r}, "
            "which is tested in that fold; thresholds may be chosen on training samples only."
        )


def _whole(cells: dict[Key, InnerCell], table: PredictionTable, contender: str) -> bool:
    for repeat in table.repeats:
        for fold in np.unique(table.lines[contender, repeat].fold):
            cell = cells.get((contender, repeat, int(fold)))
            # A class without inner lines leaves nothing to choose by.
            if cell is None or len(np.unique(cell.label)) < len(table.classes):
                return False
    return True


def per_line(
    table: PredictionTable, inner: InnerPredictions, contender: str, choose: Callable[[InnerCell], float]
) -> list[Floats]:
    """Return, per repeat, the number chosen in each line's own fold, (n,)."""
    result = []
    for repeat in table.repeats:
        lines = table.lines[contender, repeat]
        chosen = np.empty(len(lines.fold))
        for fold in np.unique(lines.fold):
            chosen[lines.fold == fold] = choose(inner.cells[contender, repeat, int(fold)])
        result.append(chosen)
    return result
