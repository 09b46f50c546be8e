"""The fits of a learning curve on disk: one file for each contender and share; only what is missing is fitted."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headtohead.core.errors import InsufficientDataError, RunFolderError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.provenance import package_versions, processor
from headtohead.core.run_folder import slug, write_record
from headtohead.core.tables.stored_files import read_json_file
from headtohead.heads.cross_validation import cell_key, make_fold_job
from headtohead.heads.linear_probe import ProbeHead
from headtohead.heads.side_by_side import fit_folds
from headtohead.training.records import FITTING, FitMetrics, Floats

if TYPE_CHECKING:
    from headtohead.data.splits.folds import Fold
    from headtohead.heads.base import FoldResult, Head, SampleLabels

__all__ = ["FOLDER", "CurveFits", "fits_key"]

FOLDER = "curve"  # of a run folder
COMPUTING = ("numpy", "scipy", "scikit-learn")  # versions that decide digits of a probe and its inner folds


@dataclass(frozen=True)
class CurveFits:
    """Fits the probes of one share, or reads what an earlier call fitted.

    Attributes:
        path: the run folder. data: labels and groups. seed: of the study. reporter: hears of damage.
    """

    path: Path
    data: SampleLabels
    seed: int
    reporter: Reporter = QUIET

    def prepare(self, heads: Mapping[str, Head], shares: Mapping[float, Sequence[Fold]]) -> None:
        """Fit what is not kept yet, of all contenders and shares in one go.

        Args:
            heads: contender -> its own. shares: share of the training groups -> folds with these training parts.
        """
        lacking = [
            (name, share, head)
            for share, folds in shares.items()
            for name, head in heads.items()
            if isinstance(head, ProbeHead) and self._lacks(name, head, folds, share)
        ]
        if not lacking:
            return
        fits = [
            (head, make_fold_job(fold, self.seed)) for _, share, head in lacking for fold in shares[share]
        ]
        with closing(fit_folds(fits, self.data, lambda _: self.path, self.reporter)) as found:
            told = iter(self.reporter.progress(found, "Learning curve", total=len(fits)))
            for name, share, head in lacking:
                folds = shares[share]
                self._write(name, head, folds, share, [next(told).result for _ in folds])
            next(told, None)  # ends what is shown

    def _lacks(self, name: str, head: ProbeHead, folds: Sequence[Fold], share: float) -> bool:
        """Return whether the fits are not kept but can be made."""
        if self._read(self._path(name, share), fits_key(name, head, folds, self.data, self.seed), folds):
            return False
        try:
            for fold in folds:
                head.inner_folds(make_fold_job(fold, self.seed), self.data)
        except InsufficientDataError:  # raised again by `results`
            return False
        return True

    def results(self, name: str, head: Head, folds: Sequence[Fold], share: float) -> list[FoldResult]:
        """Return the result of each fold; those that were read hold the probabilities of the test part alone.

        Args:
            name: of the contender. head: its own. folds: with the smaller training parts.
            share: of the training groups.

        Raises:
            InsufficientDataError: a fold cannot be fitted.
        """
        if not isinstance(head, ProbeHead):  # what else its digits depend on is not known here
            return self._fitted(head, folds)
        key = fits_key(name, head, folds, self.data, self.seed)
        if (known := self._read(self._path(name, share), key, folds)) is not None:
            return known
        fitted = self._fitted(head, folds)
        self._write(name, head, folds, share, fitted)
        return fitted

    def _path(self, name: str, share: float) -> Path:
        return self.path / FOLDER / slug(name) / f"{100 * share:g}.json"

    def _write(
        self, name: str, head: ProbeHead, folds: Sequence[Fold], share: float, fitted: Sequence[FoldResult]
    ) -> None:
        key = fits_key(name, head, folds, self.data, self.seed)
        probabilities = [one.probabilities.tolist() for one in fitted]
        write_record(self._path(name, share), {"key": key, "probabilities": probabilities})

    def _fitted(self, head: Head, folds: Sequence[Fold]) -> list[FoldResult]:
        jobs = [make_fold_job(fold, self.seed) for fold in folds]
        return [head.fit_predict(job, self.data, self.path, QUIET) for job in jobs]

    def _read(self, path: Path, key: str, folds: Sequence[Fold]) -> list[FoldResult] | None:
        if not path.is_file():
            return None
        try:
            content = read_json_file(path)
            if content["key"] != key:
                return None
            found = [np.asarray(rows, dtype=np.float64) for rows in content["probabilities"]]
            wanted = [(len(fold.test), len(self.data.classes)) for fold in folds]
            if [rows.shape for rows in found] != wanted or not all(np.isfinite(rows).all() for rows in found):
                raise ValueError
        except (RunFolderError, KeyError, TypeError, ValueError):
            self.reporter.warning(f"{path} is damaged; its part of the learning curve is fitted again.")
            return None
        return [
            _as_result(rows, fold, len(self.data.classes)) for rows, fold in zip(found, folds, strict=True)
        ]


def fits_key(name: str, head: ProbeHead, folds: Sequence[Fold], data: SampleLabels, seed: int) -> str:
    """Return what identifies all that the digits of the fits depend on.

    Version of fitting, contender, settings and features of its probe, labels and groups, who is in which part, seed,
    versions of the libraries, and the processor, whose linear algebra may round otherwise.
    """
    versions = package_versions(COMPUTING)
    parts: list[str] = [
        str(FITTING), head.digest(), repr(sorted(versions.items())), platform.machine(), processor(),
        repr(data.classes), _digest(data.labels.astype(np.int64).tobytes()), _names(data.groups.astype(str)),
        *(cell_key(name, fold, seed) for fold in folds),
    ]  # fmt: skip
    return _names(parts)


def _names(words: Iterable[str]) -> str:
    return _digest("\n".join(words).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _as_result(rows: Floats, fold: Fold, k: int) -> FoldResult:
    from headtohead.heads.base import FoldResult

    nothing = FitMetrics(None, None)
    return FoldResult(rows, np.full((len(fold.train), k), np.nan), nothing, nothing)
