"""A check as a record, its six outcomes, and the runner that never lets one go by in silence.

A check is one function that looks at a `AuditContext` and returns one `Observation`. The runner turns
observations into findings, worst first. A check that cannot work on this data says "not
applicable", one that lacks something says "skipped", one that the user set aside stays in the list
as "ignored" with the reason given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headtohead.core.errors import HeadToHeadError, UsageError, unknown_name
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Finding, Outcome, Severity

if TYPE_CHECKING:
    from headtohead.audit.context import AuditContext

__all__ = [
    "FAMILIES",
    "Check",
    "Observation",
    "count_outcomes",
    "finding",
    "issue",
    "not_applicable",
    "parse_ignore",
    "passed",
    "run_checks",
    "skipped",
    "sort_by_severity",
    "tip",
]

# The first digit of a code names the family.
FAMILIES = {1: "files", 2: "leaks", 3: "shortcuts", 4: "labels", 5: "size"}
_SEVERITIES: tuple[Severity, ...] = ("severe", "warning", "note")
_FAMILY_ORDER = "23451"  # leaks and shortcuts can undo a result; what the files look like seldom does
_OUTCOMES: tuple[Outcome, ...] = ("issue", "tip", "skipped", "ignored", "passed", "not_applicable")


@dataclass(frozen=True, slots=True)
class Observation:
    """What one check saw; `severity` overrides the check's own where the case is milder or worse."""

    outcome: Outcome
    message: str
    advice: str = ""
    samples: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One question to the data.

    Attributes:
        code: stable name, "H2H" and three digits; the first digit is the family.
        title: what is looked for, a few words.
        severity: of its issues, unless the observation says otherwise. "severe" is kept for what
            makes a comparison on this data invalid.
        run: the one function.
        doc: one line for docs/checks.md and `--explain`: what it measures and why that matters.
    """

    code: str
    title: str
    severity: Severity
    run: Callable[[AuditContext], Observation]
    doc: str

    @property
    def family(self) -> str:
        """Name of the family that the code's first digit stands for."""
        return FAMILIES[int(self.code[3])]


def issue(
    message: str,
    advice: str,
    samples: Iterable[str] = (),
    severity: Severity | None = None,
    **data: Any,
) -> Observation:
    """Return the observation that something is wrong, with what to do about it."""
    return Observation("issue", message, advice, tuple(samples), data, severity)


def tip(message: str, advice: str, samples: Iterable[str] = (), **data: Any) -> Observation:
    """Return the observation that something is worth a look, though nothing is wrong with it."""
    return Observation("tip", message, advice, tuple(samples), data, "note")


def passed(message: str, **data: Any) -> Observation:
    """Return the observation that the check looked and found nothing."""
    return Observation("passed", message, data=data)


def not_applicable(why: str, **data: Any) -> Observation:
    """Return the observation that the question does not arise on this data."""
    return Observation("not_applicable", why, data=data)


def skipped(why: str, advice: str = "", **data: Any) -> Observation:
    """Return the observation that the check could not look, and what it would need."""
    return Observation("skipped", why, advice, data=data)


def parse_ignore(ignore: Mapping[str, str] | Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Return code -> reason from a mapping or from "CODE=reason" texts.

    Args:
        ignore: what the user sets aside; the reason must not be empty, since it is kept in the run.
        known: codes that exist.

    Raises:
        UsageError: a reason is missing.
        UnknownNameError: a code does not exist, so ignoring it would have no effect.

    >>> parse_ignore(["H2H203=one scanner only"], ["H2H203"])
    {'H2H203': 'one scanner only'}
    """
    pairs = ignore.items() if isinstance(ignore, Mapping) else [_split(text) for text in ignore]
    codes = set(known)
    found = {code.strip().upper(): reason.strip() for code, reason in pairs}
    for code, reason in found.items():
        if code not in codes:
            raise unknown_name("check", code, codes)
        if not reason:
            raise UsageError(f"Ignoring {code} needs a reason that stays in the run: {code}=why.")
    return found


def _split(text: str) -> tuple[str, str]:
    code, _, reason = text.partition("=")
    return code, reason


def run_checks(
    context: AuditContext,
    checks: Sequence[Check],
    ignore: Mapping[str, str] | Iterable[str] = (),
    reporter: Reporter = QUIET,
) -> tuple[Finding, ...]:
    """Ask every check and return one finding for each, worst first.

    An explained error (`HeadToHeadError`) inside a check makes it "skipped" with the error's text;
    any other error is a defect of this program and is raised.

    Args:
        context: what the checks look at.
        checks: the catalogue, or part of it.
        ignore: code -> reason, or "CODE=reason" texts.
        reporter: hears which check is at work.
    """
    # before any check, so that a misspelt code costs no pass over the images
    reasons = parse_ignore(ignore, (check.code for check in checks))
    findings = [
        finding(check, run_check(check, context, reasons))
        for check in reporter.progress(checks, "checks", len(checks))
    ]
    return sort_by_severity(findings)


def run_check(check: Check, context: AuditContext, reasons: Mapping[str, str]) -> Observation:
    if check.code in reasons:
        return Observation("ignored", f"set aside by the user: {reasons[check.code]}")
    try:
        return check.run(context)
    except HeadToHeadError as error:
        return skipped(f"could not be answered: {error}")


def finding(check: Check, seen: Observation) -> Finding:
    """Return what a check saw as a finding."""
    return Finding(
        code=check.code,
        title=check.title,
        severity=seen.severity or check.severity,
        outcome=seen.outcome,
        message=seen.message,
        advice=seen.advice,
        samples=seen.samples,
        data=dict(seen.data),
    )


def sort_by_severity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings ordered by outcome, severity, family (leaks first, files last) and code."""
    return tuple(
        sorted(
            findings,
            key=lambda f: (
                _OUTCOMES.index(f.outcome),
                _SEVERITIES.index(f.severity),
                _FAMILY_ORDER.index(f.code[3]),
                f.code,
            ),
        )
    )


def count_outcomes(findings: Iterable[Finding]) -> dict[str, int]:
    """Return how many issues there are of each severity, and how many findings of each other outcome."""
    counts = Counter(f.severity if f.outcome == "issue" else f.outcome for f in findings)
    return dict(sorted(counts.items()))
