"""Content of the report, gathered from the files of a run folder; no number is computed here."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headtohead._version import __version__
from headtohead.core.records import Comparison, TestResult, Verdict
from headtohead.core.run_folder import RunFolder
from headtohead.report.figures.palette import css_color
from headtohead.report.tables.comparison import (
    adjusted_tests,
    learning_rows,
    limits,
    provenance_rows,
    weights_row,
)
from headtohead.report.tables.format import ReportTable, p_words
from headtohead.report.tables.supplement import supplement_tables
from headtohead.report.views.audit import AuditView, audit_view
from headtohead.report.views.comparison_figures import (
    BASELINE_WORDS,
    ReportFigure,
    confusion_figures,
    curve_figures,
    difference_figures,
    rank_figure,
    score_figures,
    training_figures,
    utility_figures,
)

__all__ = ["ReportContext", "build_report_context"]

WORDS = {
    "better": ("better", "passed"),
    "equivalent": ("equivalent", "passed"),
    "no_evidence": ("no evidence of a difference", "note"),
    "cannot_tell": ("the data cannot tell", "warning"),
    "refused": ("refused", "severe"),
    "identical": ("the same predictions", "warning"),
}
SECTIONS = (
    ("scores", "Scores"),
    ("differences", "Difference"),
    ("curves", "Discrimination and errors"),
    ("utility", "Calibration and utility"),
    ("learning", "Training"),
    ("data", "Data quality"),
    ("limits", "Limitations"),
    ("provenance", "Provenance"),
)
LEARNING_HEAD = (
    "train accuracy", "inner accuracy", "test accuracy", "train loss", "inner loss", "test loss",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReportContext(AuditView):
    """Everything that the template names."""

    title: str = ""
    synthetic: bool = False
    sentence: str = ""
    subtitle: str = ""
    sections: tuple[tuple[str, str], ...] = SECTIONS
    caveats: tuple[str, ...] = ()
    level: str = "95 %"
    baselines: tuple[tuple[str, str], ...] = ()
    forests: tuple[ReportFigure, ...] = ()
    scores: tuple[Any, ...] = ()
    positive: str | None = None
    rule: str = ""
    differences: tuple[ReportFigure, ...] = ()
    ranks: ReportFigure | None = None
    comparisons: tuple[dict[str, Any], ...] = ()
    legend: tuple[dict[str, str], ...] = ()
    curves: tuple[ReportFigure, ...] = ()
    confusions: tuple[ReportFigure, ...] = ()
    confusion_note: str = ""
    mistakes: tuple[dict[str, Any], ...] = ()
    crops: tuple[dict[str, str], ...] = ()
    crops_note: str = ""
    supplement: tuple[ReportTable, ...] = ()
    utility_figures: tuple[ReportFigure, ...] = ()
    checklist: tuple[dict[str, str], ...] = ()
    learning_head: tuple[str, ...] = ()
    learning: tuple[dict[str, Any], ...] = ()
    training: tuple[ReportFigure, ...] = ()
    limits: tuple[str, ...] = ()
    confounds: tuple[dict[str, Any], ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()
    contenders: tuple[dict[str, str], ...] = ()
    config: str = ""
    version: str = __version__


def build_report_context(run: RunFolder) -> ReportContext:
    """Read a finished run folder and return what its page shows.

    Raises:
        RunFolderError: a file is missing because the run is not finished.
    """
    import pandas as pd

    verdict = Verdict.model_validate(run.json("verdict.json"))
    audit = audit_view(run.json("audit.json"), run.json("thumbs.json"))
    predictions = pd.read_parquet(run.require("predictions.parquet"))
    learning = pd.read_parquet(run.require("learning.parquet"))
    images = run.json("images.json")
    config_text = run.require("study.toml").read_text()
    config = tomllib.loads(config_text)
    order = list(dict.fromkeys(predictions["contender"]))
    classes = [name.removeprefix("prob_") for name in predictions.columns if name.startswith("prob_")]
    return ReportContext(
        **audit.fields(),
        title=f"{Path(config['data']).name} ({run.path.resolve().name})",
        synthetic=bool(predictions["sample"].str.contains("synthetic").all()),
        sentence=verdict.sentence,
        subtitle=_subtitle(config, audit.facts, order),
        caveats=verdict.caveats,
        level=f"{100 * config['level']:g} %",
        baselines=tuple((name, words) for name, words in BASELINE_WORDS.items() if name in order),
        forests=score_figures(verdict, order),
        scores=verdict.scores,
        positive=verdict.positive,
        rule=verdict.rule,
        differences=difference_figures(verdict, order),
        ranks=rank_figure(verdict.details, order),
        comparisons=tuple(_comparison(c) for c in verdict.comparisons),
        legend=tuple({"name": name, "color": css_color(i)} for i, name in enumerate(order)),
        curves=curve_figures(verdict.details, order),
        confusions=confusion_figures(verdict.details, order, classes),
        confusion_note=", means over repeats" if config["repeats"] > 1 else "",
        mistakes=tuple(images["missed"]),
        crops=tuple(images["shown"]),
        crops_note=_crop_words(run.json("recipe.json")),
        supplement=supplement_tables(verdict.details, order),
        utility_figures=utility_figures(verdict.details, order),
        checklist=tuple(run.json("checklist.json")["items"]) if (run / "checklist.json").is_file() else (),
        learning_head=LEARNING_HEAD,
        learning=learning_rows(learning, order),
        training=training_figures(learning),
        limits=limits(config, audit.facts, order),
        confounds=tuple(run.json("confounds.json")["pairs"]) if (run / "confounds.json").is_file() else (),
        provenance=provenance_rows(run.json("provenance.json"), audit.facts),
        contenders=tuple(
            weights_row(run.json(f"contenders/{path.name}"))
            for path in sorted((run / "contenders").glob("*.json"))
        ),
        config=config_text,
    )


def _subtitle(config: Mapping[str, Any], facts: Mapping[str, Any], order: Sequence[str]) -> str:
    split = config["split"]
    way = (
        f"{config['repeats']} × {config['folds']} grouped, stratified folds"
        if split == "kfold"
        else f"split {split}"
    )
    return (
        f"{facts['n_samples']} images in {facts['n_groups']} groups (a patient, or copies of one scene), "
        f"{len(facts['classes'])} classes; "
        f"{way}; {len(order)} contenders with baselines; seed {config['seed']}."
    )


def _crop_words(recipe: Mapping[str, Any]) -> str:
    return (
        f"Left the image as it is, right what the recipe '{recipe['name']}' makes of it ({recipe['reason']})."
    )


def _comparison(comparison: Comparison) -> dict[str, Any]:
    word, tone = WORDS[comparison.verdict]
    tests = [
        (_test_name(name, t), {"statistic": _plain(t.statistic), "p": p_words(t.p_value), "note": t.note})
        for name, t in comparison.tests.items()
    ]
    tests[1:1] = adjusted_tests(comparison)
    if comparison.winner is not None:
        word = f"{comparison.winner} better"
    return {
        "a": comparison.a,
        "b": comparison.b,
        "word": word,
        "tone": tone,
        "sentence": comparison.sentence,
        "tests": tests,
    }


def _test_name(name: str, test: TestResult) -> str:
    """Return the test with the quantity that it is of, and whether it decides or ignores the groups."""
    said = {"decides": "used by the rule", "same": "", "other": "another quantity"}[test.role]
    marks = ", ".join(filter(None, [test.of, said, "ignores the groups" if test.ignores_groups else ""]))
    return f"{name} ({marks})" if marks else name


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
