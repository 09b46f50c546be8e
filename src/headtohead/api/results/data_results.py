"""Results of an audit, of cleaning and of preprocessing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.core.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.audit.audit import AuditResult
    from headtohead.core.records import Finding, Severity

__all__ = ["AuditReport", "CleanResult", "PreprocessResult", "findings_frame"]

FINDING_COLUMNS = ["code", "title", "severity", "outcome", "message", "advice", "n_samples"]
SHOWN = 8  # issues that `repr` lists


@dataclass(frozen=True, repr=False)
class AuditReport:
    """What the audit found, with the folder that it wrote.

    Attributes:
        path: the folder with audit.html, audit.json and groups.csv.
        result: the findings and groups as records.
    """

    path: Path
    result: AuditResult

    @property
    def findings(self) -> pd.DataFrame:
        """One row per check, worst first.

        Columns: code, title, severity, outcome, message, advice, n_samples.
        """
        return findings_frame([finding.model_dump(mode="json") for finding in self.result.findings])

    @property
    def issues(self) -> tuple[Finding, ...]:
        """The findings that are issues, worst first."""
        return self.result.issues

    @property
    def groups(self) -> pd.DataFrame:
        """One row per sample: sample, label, group."""
        import pandas as pd

        dataset = self.result.dataset.with_groups(self.result.grouping.groups)
        rows = [(sample.id, sample.label, sample.group) for sample in dataset.samples]
        return pd.DataFrame(rows, columns=["sample", "label", "group"])

    def at_least(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the issues of a severity or worse.

        Args:
            severity: "note", "warning" or "severe".
        """
        if severity not in ("note", "warning", "severe"):
            raise UsageError(f"Got the severity {severity!r}; expected note, warning or severe.")
        return self.result.at_least(severity)

    def report(self, *, show: bool = False) -> Path:
        """Return the path of audit.html; `show` opens it in the browser."""
        page = self.path / "audit.html"
        if show:
            import webbrowser

            webbrowser.open(page.resolve().as_uri())
        return page

    def __repr__(self) -> str:
        facts = self.result.dataset_facts
        lines = [f"{facts['n_samples']} images in {facts['n_groups']} groups; {len(self.issues)} issues"]
        lines += [f"  {one.severity:<8} {one.code}  {one.title}"[:80] for one in self.issues[:SHOWN]]
        if len(self.issues) > SHOWN:
            lines.append(f"  and {len(self.issues) - SHOWN} more")
        return "\n".join([*lines, f"Page: {self.path / 'audit.html'}"])

    def _repr_html_(self) -> str:
        from headtohead.api.results.html import frame_html

        facts = self.result.dataset_facts
        frame = self.findings
        shown = frame[frame["outcome"] == "issue"][["severity", "code", "title", "message", "advice"]]
        return frame_html(f"{facts['n_samples']} images in {facts['n_groups']} groups", shown, ())


@dataclass(frozen=True)
class CleanResult:
    """A cleaned manifest.

    Attributes:
        manifest: the written CSV: path, label, group and the columns that were kept.
        dropped: the CSV next to it: each file that was left out, with the reason.
        n_kept, n_groups, n_dropped: counts of images, groups and left-out files.
    """

    manifest: Path
    dropped: Path
    n_kept: int
    n_groups: int
    n_dropped: int


@dataclass(frozen=True)
class PreprocessResult:
    """Contact sheets of what the networks see.

    Attributes:
        path: the folder with sheet-001.png, … and boxes.csv.
        recipe: name of the recipe. reason: why it was chosen. digest: of its steps and parameters.
        n_images, n_sheets: counts.
        n_whole: images that were kept whole because no plausible foreground box was found.
    """

    path: Path
    recipe: str
    reason: str
    digest: str
    n_images: int
    n_sheets: int
    n_whole: int

    @property
    def boxes(self) -> pd.DataFrame:
        """One row per image: path, top, left, bottom, right (pixels), kept (share of the area), history."""
        import pandas as pd

        return pd.read_csv(self.path / "boxes.csv")


def findings_frame(findings: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return findings as a data frame, one row per check."""
    import pandas as pd

    rows = [[*(one[name] for name in FINDING_COLUMNS[:-1]), len(one["samples"])] for one in findings]
    return pd.DataFrame(rows, columns=FINDING_COLUMNS)
