"""The audit: every check on one dataset, and the files that it leaves behind.

`AuditResult.write(folder)` writes

- `audit.json`: findings worst first, counts by outcome and severity, facts of the dataset, groups
  and pairs, notes, and the versions of its format;
- `groups.csv`: `path,group` (`path,frame,group` where files hold several frames), one row a sample;
- `thumbs.json`: sample id -> `data:image/jpeg;base64,…` of at most 160 pixels, for the samples that
  findings name and for the members of duplicate groups (at most `thumbs.MOST` of them). The page
  `audit.html` is built from these three alone (`headtohead.report.audit_page`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headtohead.audit.check import count_outcomes, run_checks
from headtohead.audit.context import AuditConfig, AuditContext
from headtohead.audit.registry import CHECKS
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Finding, Severity
from headtohead.data.listing.left_out import WITHOUT_CLASS

if TYPE_CHECKING:
    from headtohead.audit.duplicates import Grouping
    from headtohead.audit.image_index import ImageIndex
    from headtohead.data.dataset import Dataset

__all__ = ["FORMAT", "AuditResult", "audit"]

FORMAT = 1
_RANK: Mapping[Severity, int] = {
    "note": 0,
    "warning": 1,
    "severe": 2,
}  # order of severity, for sorting worst first


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What the audit found.

    Attributes:
        findings: one per check, worst first.
        grouping: duplicate groups joined with the groups that were given.
        dataset_facts: counts, sizes and classes of the set, JSON-able.
        dataset: what was audited.
        notes: what was decided on the way.
        index: the measures of the images, from which thumbnails are taken.
    """

    findings: tuple[Finding, ...]
    grouping: Grouping
    dataset_facts: dict[str, Any]
    dataset: Dataset
    notes: tuple[str, ...] = ()
    index: ImageIndex | None = None

    @property
    def issues(self) -> tuple[Finding, ...]:
        """Findings with the outcome "issue", worst first."""
        return tuple(f for f in self.findings if f.outcome == "issue")

    def at_least(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the issues that are as bad as `severity` or worse."""
        return tuple(f for f in self.issues if _RANK[f.severity] >= _RANK[severity])

    def finding(self, code: str) -> Finding:
        """Return the finding of one check.

        Raises:
            UnknownNameError: no check of that code ran.
        """
        from headtohead.core.errors import unknown_name

        for found in self.findings:
            if found.code == code:
                return found
        raise unknown_name("check", code, [f.code for f in self.findings])

    def record(self) -> dict[str, Any]:
        """Return everything as plain values; this is `audit.json`."""
        from headtohead.audit.outputs import grouping_record
        from headtohead.data.summary import data_record

        return {
            "format": FORMAT,
            "findings": [f.model_dump(mode="json") for f in self.findings],
            "counts": count_outcomes(self.findings),
            "dataset": self.dataset_facts,
            "data": data_record(self.dataset, self.dataset_facts["n_groups"]),
            "groups": grouping_record(self.dataset, self.grouping),
            "notes": list(self.notes),
        }

    def write(self, folder: Path, reporter: Reporter = QUIET) -> Path:
        """Write `audit.json`, `groups.csv` and `thumbs.json`, each whole or not at all.

        Args:
            folder: made if it does not exist.
            reporter: hears of the thumbnails being read.

        Returns:
            path of `audit.json`.
        """
        from headtohead.audit.outputs import write_files

        return write_files(self.dataset, self.grouping, self.record(), Path(folder), reporter, self.index)


def audit(
    dataset: Dataset,
    settings: AuditConfig | None = None,
    *,
    ignore: Mapping[str, str] | Iterable[str] = (),
    grouping: Grouping | None = None,
    index: ImageIndex | None = None,
    reporter: Reporter = QUIET,
) -> AuditResult:
    """Ask whether this data can carry a comparison at all.

    Args:
        dataset: the samples.
        settings: what is compared and with what, and the seed; same seed, same digits.
        ignore: checks set aside, code -> reason (or "CODE=reason" texts); the reason stays in the result.
        grouping: duplicate groups, where they are known already.
        index: the measures of the images, where they are shared with others.
        reporter: hears what is being done.

    Returns:
        findings (one per check), groups and facts.
    """
    context = AuditContext(dataset, settings, grouping=grouping, index=index, reporter=reporter)
    findings = run_checks(context, CHECKS, ignore, reporter)
    notes = tuple(dataset.notes) + tuple(context.grouping.notes)
    return AuditResult(findings, context.grouping, describe(context), dataset, notes, context.index)


def describe(context: AuditContext) -> dict[str, Any]:
    """Return counts, sizes and classes of the dataset."""
    samples = context.samples
    edges = np.array([[s.width, s.height] for s in samples])
    # `problems` also holds files whose class is not known; these can be read
    aside = {path for left in context.dataset.left_out if left.why == WITHOUT_CLASS for path in left.paths}
    per_class = {c: [i for i, s in enumerate(samples) if s.label == c] for c in context.dataset.classes}
    return {
        "n_samples": len(samples),
        "n_groups": len(context.group_sizes),
        "n_unreadable": sum(problem.path not in aside for problem in context.dataset.problems),
        "digest": context.dataset.digest(),
        "classes": {
            c: {"samples": len(rows), "groups": len(set(context.groups[rows].tolist()))}
            for c, rows in per_class.items()
        },
        "positive": context.dataset.positive,
        "positive_doubt": context.dataset.positive_doubt,
        "width": [int(edges[:, 0].min()), int(np.median(edges[:, 0])), int(edges[:, 0].max())],
        "height": [int(edges[:, 1].min()), int(np.median(edges[:, 1])), int(edges[:, 1].max())],
        "formats": dict(Counter(s.format for s in samples).most_common()),
        "splits": dict(Counter(s.split for s in samples if s.split is not None).most_common()),
    }
