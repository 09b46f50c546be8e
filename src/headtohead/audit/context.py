"""What every check may look at; each part is worked out when first asked for, and once.

The pass over the images, the duplicate groups and the shortcut probes are shared by many checks,
so they live here and not in the checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.audit.descriptors.image_pass import ImageSummaries
from headtohead.audit.descriptors.shortcut_probes import (
    ShortcutProbe,
    file_fact_features,
    run_shortcut_probe,
    thumbnail_features,
)
from headtohead.audit.image_index import ImageIndex
from headtohead.core.errors import UsageError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Sample

if TYPE_CHECKING:
    from headtohead.audit.duplicates import Grouping
    from headtohead.data.dataset import Dataset

__all__ = ["PROBE_LIMIT", "AuditConfig", "AuditContext"]

PROBE_LIMIT = 10_000
"""More samples than these are not needed to judge a shortcut; groups are drawn at random."""

PROBE_SHARE = PROBE_LIMIT // 10  # of one group: five folds need several groups of each class


@dataclass(frozen=True, slots=True)
class AuditConfig:
    """What the caller asked of the audit.

    Attributes:
        similar: also join images that are possibly of one patient.
        classical: compare the classical crop with the foreground.
        features: (n, D) rows of a pretrained network, in dataset order, for outliers; or None.
        probabilities: (n, k) out-of-fold probabilities of grouped folds, in dataset order, which rank label
            errors; or None.
        best: (name, AUROC) of the best contender, compared with the shortcuts; or None where none has run.
        seed: of folds, bootstraps and draws.
    """

    similar: bool = False
    classical: bool = True
    features: npt.NDArray[Any] | None = None
    probabilities: npt.NDArray[Any] | None = None
    best: tuple[str, float] | None = None
    seed: int = 0


class AuditContext:
    """A dataset and what can be worked out from it.

    Args:
        dataset: the samples.
        settings: what the caller asked for.
        grouping: duplicate groups, where they are already known.
        index: the measures of the images, where they are shared with others.
        reporter: hears of long work.

    Raises:
        UsageError: features or probabilities do not have one finite row per sample.
    """

    def __init__(
        self,
        dataset: Dataset,
        settings: AuditConfig | None = None,
        *,
        grouping: Grouping | None = None,
        index: ImageIndex | None = None,
        reporter: Reporter = QUIET,
    ) -> None:
        self.dataset = dataset
        self.settings = settings or AuditConfig()
        self.index = index or ImageIndex(dataset, classical=self.settings.classical, reporter=reporter)
        self.reporter = reporter
        self._grouping = grouping
        self._probes: dict[str, ShortcutProbe] = {}
        _check_rows("features", self.settings.features, len(dataset.samples))
        _check_rows("probabilities", self.settings.probabilities, len(dataset.samples))

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The samples, in dataset order."""
        return self.dataset.samples

    @cached_property
    def ids(self) -> npt.NDArray[Any]:
        """(n,) sample ids."""
        # strings of a fixed width would each take as much as the longest id
        return np.array([s.id for s in self.samples], dtype=object)

    @cached_property
    def by_id(self) -> dict[str, Sample]:
        """Samples by id."""
        return {s.id: s for s in self.samples}

    @cached_property
    def labels(self) -> npt.NDArray[np.int64]:
        """(n,) class indices."""
        return self.dataset.labels()

    @cached_property
    def images(self) -> ImageSummaries:
        """The measures of every image, from one pass."""
        return self.index.summaries()

    @cached_property
    def grouping(self) -> Grouping:
        """Duplicate groups, joined with the groups that were given."""
        if self._grouping is not None:
            return self._grouping
        return self.index.groups(similar=self.settings.similar)

    @cached_property
    def groups(self) -> npt.NDArray[Any]:
        """(n,) group names: what was given, joined with the duplicates found."""
        return np.array([self.grouping.groups[s.id] for s in self.samples], dtype=object)

    @cached_property
    def group_sizes(self) -> Mapping[str, int]:
        """Number of samples of each group."""
        names, counts = np.unique(self.groups.astype(str), return_counts=True)
        return dict(zip(names.tolist(), counts.tolist(), strict=True))

    @cached_property
    def probe_rows(self) -> npt.NDArray[np.int64]:
        """Indices of the samples that the probes use: all, or groups drawn at random up to `PROBE_LIMIT`.

        A group counts with `PROBE_SHARE` samples at most, so that a few giants leave room for others.
        """
        if len(self.samples) <= PROBE_LIMIT:
            return np.arange(len(self.samples))
        rng = np.random.default_rng(self.settings.seed)
        places: dict[str, list[int]] = {}
        for place, group in enumerate(self.groups):
            places.setdefault(str(group), []).append(place)
        kept: list[int] = []
        # sorted, so that the draw does not depend on the order of the files
        for name in rng.permutation(np.array(sorted(places), dtype=object)):
            of_group = np.array(places[name], dtype=np.int64)
            if len(of_group) > PROBE_SHARE:
                of_group = rng.choice(of_group, PROBE_SHARE, replace=False)
            if len(kept) + len(of_group) <= PROBE_LIMIT:
                kept += of_group.tolist()
        return np.array(sorted(kept), dtype=np.int64)

    def shortcut(self, kind: str) -> ShortcutProbe:
        """Return the judged probe "facts", "thumbnail", "border" or "background"; each runs once."""
        if kind not in self._probes:
            rows = self.probe_rows
            features = self.shortcut_features(kind)[rows]
            family = "facts" if kind == "facts" else "pixels"
            self._probes[kind] = run_shortcut_probe(
                features, self.labels[rows], self.groups[rows], kind=family, seed=self.settings.seed
            )
        return self._probes[kind]

    @property
    def known_probes(self) -> frozenset[str]:
        """Names of the probes that have run."""
        return frozenset(self._probes)

    def shortcut_features(self, kind: str) -> npt.NDArray[np.float64]:
        """Return the (n, d) features that one probe sees."""
        if kind == "facts":
            return file_fact_features(self.dataset)[0]
        if kind == "thumbnail":
            return thumbnail_features(self.images)
        return self.images.stack(kind) / 255.0


def _check_rows(name: str, rows: npt.NDArray[Any] | None, n: int) -> None:
    if rows is None:
        return
    if rows.ndim != 2 or rows.shape[0] != n:
        raise UsageError(f"`{name}` must have one row per sample ({n}, d); got shape {rows.shape}.")
    if not np.isfinite(rows).all():
        raise UsageError(f"`{name}` holds values that are not finite; every sample needs a whole row.")
