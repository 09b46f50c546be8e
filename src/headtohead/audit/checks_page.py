"""`docs/checks.md`, written from the checks themselves, so that it cannot fall behind."""

from __future__ import annotations

from headtohead.audit.check import FAMILIES
from headtohead.audit.descriptors.shortcut_probes import TREES
from headtohead.audit.registry import CHECKS

__all__ = ["checks_page"]

_HEAD = """# The checks of the audit

`headtohead audit DATA --out DIR` asks the data every question below before anything is compared. Each has a
stable code. Set one aside with `--ignore CODE=reason`; the reason stays in the run.

**Outcomes.** `issue` (something is wrong, with a severity) · `tip` (worth a look) · `passed` ·
`not applicable` (the question does not arise) · `skipped` (something is missing to answer it; what, is said) ·
`ignored` (set aside by the user). A check is never silent.

**Severities.** `severe` is kept for what makes a comparison on this data invalid; `warning` for what must be
kept in view beside the result; `note` for the rest. The one in the table is that of the usual case.

This page is generated: `python -m headtohead.audit.checks_page > docs/checks.md`.
"""

_INTRODUCTIONS = {
    "files": "Are the files what they seem, and do the images belong together?",
    "leaks": "Does the same scene, or the same patient, stand on both sides of a split, or could it?",
    "shortcuts": "How well can the label be predicted without seeing the organ? Small classifiers on grouped folds "
    f"({TREES} extremely randomised trees for file facts; principal components and logistic regression for grey "
    "values), AUROC with a 95 % bootstrap interval over groups.",
    "labels": "Are the labels balanced, consistent and not merely a sign of where a file came from?",
    "size": "What can this number of groups show at all? Groups, not images, count as independent cases.",
}

_LIMITS = """
## What the checks cannot see

- Letters and watermarks *over* the foreground (H2H123 looks outside it only), marks in grey on the organ, faint
  moiré, a photograph of a screen without a tint.
- Another patient's neighbouring slice that shares little structure (H2H208 names strong likeness only).
- Whether an unusual image is wrong: H2H130 and H2H131 rank, a person decides.
- Whether what a thumbnail tells is a shortcut or a large bright finding: H2H302 gives the figure, not the cause.
- A confound that shows in every image of both classes alike, and one inside the organ itself.
- Label errors and contenders beside shortcuts (H2H402, H2H305) need out-of-fold lines: `headtohead compare` answers
  both after its folds; an audit alone leaves them skipped.
"""


def checks_page() -> str:
    """Return the page as Markdown."""
    parts = [_HEAD]
    for digit, family in FAMILIES.items():
        parts.append(
            f"\n## {digit}xx: {family}\n\n{_INTRODUCTIONS[family]}\n\n| code | check | severity | what it looks at |"
        )
        parts.append("|---|---|---|---|")
        parts += [f"| {c.code} | {c.title} | {c.severity} | {c.doc} |" for c in CHECKS if c.family == family]
    return "\n".join(parts) + "\n" + _LIMITS


def _main() -> None:
    import sys

    sys.stdout.write(checks_page())


if __name__ == "__main__":
    _main()
