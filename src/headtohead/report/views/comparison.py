"""Everything that the page of a comparison shows, as one JSON-able mapping, its figures and its images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headtohead._version import __version__
from headtohead.core.records import Comparison, Verdict
from headtohead.core.run_folder import RunFolder
from headtohead.core.tables.stored_files import read_settings
from headtohead.report.figures.palette import css_color
from headtohead.report.frame import Frame
from headtohead.report.next_step import train_command
from headtohead.report.tables.comparison import learning_rows, limits, provenance_rows, weights_row
from headtohead.report.tables.supplement import supplement_tables
from headtohead.report.views import comparison_figures as draw
from headtohead.report.views.answer import answer_view, metric_title
from headtohead.report.views.cases import CaseTable, build_cases
from headtohead.report.views.curve_figures import calibration_figures, curve_figures
from headtohead.report.views.data import data_view
from headtohead.report.views.explain import explain_view, map_grids
from headtohead.report.views.gallery import gallery_view
from headtohead.report.views.image_store import ImageStore
from headtohead.report.views.methods import methods_view
from headtohead.report.views.performance import performance_view
from headtohead.report.views.subgroups import members_of, subgroups_view

__all__ = ["ReportPage", "build_report"]

WORDS = {
    "better": ("better", "passed"),
    "equivalent": ("equivalent", "passed"),
    "no_evidence": ("no evidence of a difference", "note"),
    "cannot_tell": ("the data cannot tell", "warning"),
    "refused": ("refused", "severe"),
    "identical": ("the same predictions", "warning"),
}
SECTIONS = (
    ("performance", "Performance"),
    ("errors", "Errors"),
    ("explain", "Explain"),
    ("data", "Data"),
    ("subgroups", "Size and cost"),
    ("methods", "Methods"),
)
LEARNING_HEAD = (
    "train accuracy", "inner accuracy", "test accuracy", "train loss", "inner loss", "test loss",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReportPage:
    """A page before it is filled in.

    Attributes:
        content: all texts and numbers; `report.json`.
        frame: what stands around the sections.
        figures: name -> figures of one place.
        image_css: a rule for each image.
        verdict: of the run. records: backbone -> its catalogue record.
    """

    content: dict[str, Any]
    frame: Frame
    figures: dict[str, Any]
    image_css: str
    verdict: Verdict
    records: dict[str, Any]


def build_report(run: RunFolder) -> ReportPage:
    """Read a finished run folder and return what its page shows.

    Raises:
        RunFolderError: a file is missing because the run is not finished.
    """
    verdict, audit = run.verdict(), run.json("audit.json")
    predictions, learning = run.table("predictions.parquet"), run.table("learning.parquet")
    thumbs, images = run.json("thumbs.json"), run.json("images.json")
    config_text, config = read_settings(run.require("study.toml"))
    order = list(dict.fromkeys(predictions["contender"]))
    classes = [name.removeprefix("prob_") for name in predictions.columns if name.startswith("prob_")]
    cases = build_cases(predictions, classes, verdict.details.positive, order)
    store = ImageStore(images.get("gallery", {}), thumbs)
    # a page that is passed on tells no folder of this machine
    given = run.path.name if run.path.is_absolute() or ".." in run.path.parts else str(run.path)
    train = train_command(verdict, config["contenders"], given)
    answer = answer_view(verdict, audit, _optional(run, "leak_proof.json"), train)
    features = _optional(run, "features.json").get("backbones", {})
    spent = _optional(run, "spent.json").get("spent", {})
    backbones = [run.json(f"contenders/{path.name}") for path in sorted((run / "contenders").glob("*.json"))]
    growth = _optional(run, "learning_curve.json")
    checklist = _optional(run, "checklist.json").get("items", [])
    samples = run.table("samples.parquet") if (run / "samples.parquet").is_file() else None
    content: dict[str, Any] = {
        **_head(run, config, audit["dataset"], order),
        "synthetic": bool(predictions["sample"].str.contains("synthetic").all()),
        "positive": verdict.details.positive,
        "answer": answer,
        "caveats": list(verdict.caveats),
        "legend": [
            {"name": name, "color": css_color(i)} for i, name in enumerate(order) if name != "majority"
        ],
        "baselines": [[name, words] for name, words in draw.BASELINE_WORDS.items() if name in order],
        "performance": performance_view(
            verdict, cases, order, {name: cost["seconds"] for name, cost in spent.items()}
        ),
        "pairs": [_pair(c) for c in verdict.comparisons],
        "scores": _scores(verdict),
        "supplement": [_table(table) for table in supplement_tables(verdict.details, order)],
        "errors": gallery_view(
            cases,
            store,
            answer["pair"],
            features,
            map_grids(run),
            members_of(samples, list(verdict.details.subgroups)),
        ),
        "explain": explain_view(run),
        "data": data_view(audit, samples, store),
        "shown": _shown(images.get("shown", ()), store, run.json("recipe.json")),
        "subgroups": subgroups_view(verdict.details, order, backbones, spent, growth),
        "learning": [dict(row) for row in learning_rows(learning, order)],
        "learning_head": list(LEARNING_HEAD),
        "methods": methods_view(verdict, checklist),
        "limits": list(limits(config, audit["dataset"], order)),
        "confounds": _optional(run, "confounds.json").get("pairs", []),
        "provenance": [list(row) for row in provenance_rows(run.json("provenance.json"), audit["dataset"])],
        "contenders": [weights_row(one) for one in backbones],
        "config": config_text,
        "names": order,
        "classes": classes,
    }
    figures = _figures(verdict, order, learning, features, cases, content["errors"]["pair"])
    figures["growth"] = draw.growth_figures(growth, order)
    figures["cost"] = draw.cost_figures(verdict, order, spent)
    records = {one["record"]["name"]: one["record"] for one in backbones if "record" in one}
    frame = Frame(content["title"], content["title"], answer["heading"], sections=SECTIONS)
    return ReportPage(content, frame, figures, store.css, verdict, records)


def _head(
    run: RunFolder, config: Mapping[str, Any], facts: Mapping[str, Any], order: Sequence[str]
) -> dict[str, Any]:
    """Return what names the page."""
    return {
        "format": 1,
        "version": __version__,
        "title": f"{Path(config['data']).name} ({run.path.resolve().name})",
        "level": f"{100 * config['level']:g} %",
        "subtitle": _subtitle(config, facts, order),
        "digest": str(facts.get("digest", ""))[:8],
    }


def _figures(
    verdict: Verdict,
    order: Sequence[str],
    learning: Any,
    features: Any,
    cases: CaseTable,
    pair: Sequence[str],
) -> dict[str, Any]:
    return {
        "strip": draw.strip_figure(verdict),
        "scores": draw.score_figures(verdict, order),
        "differences": draw.difference_figures(verdict, order),
        "ranks": draw.rank_figure(verdict.details, order),
        "curves": curve_figures(verdict, order, pair),
        "calibration": calibration_figures(verdict, order, cases, pair, slopes=False),
        "utility": draw.utility_figures(verdict.details, order),
        "training": draw.training_figures(learning),
        "features": draw.feature_figures({n: features[n] for n in pair if n in features}, cases),
    }


def _scores(verdict: Verdict) -> list[dict[str, Any]]:
    """Return every score with the title of its metric."""
    titles = {one.metric: one.title for one in verdict.details.differences or ()}
    return [
        score.model_dump(mode="json", exclude={"warnings"})
        | {"title": titles.get(score.metric, metric_title(score.metric))}
        for score in verdict.scores
    ]


def _optional(run: RunFolder, name: str) -> dict[str, Any]:
    """Return the content of a file that not every run has, {} where it is missing."""
    return dict(run.json(name)) if (run / name).is_file() else {}


def _subtitle(config: Mapping[str, Any], facts: Mapping[str, Any], order: Sequence[str]) -> str:
    folds = f"{config['repeats']} × {config['folds']} grouped, stratified folds"
    way = folds if config["split"] == "kfold" else f"split {config['split']}"
    return (
        f"{facts['n_samples']} images in {facts['n_groups']} groups (a patient, or copies of one scene), "
        f"{len(facts['classes'])} classes; {way}; {len(order)} contenders with baselines; seed {config['seed']}."
    )


def _shown(
    shown: Sequence[Mapping[str, Any]], store: ImageStore, recipe: Mapping[str, Any]
) -> dict[str, Any]:
    """Return some images before and after the recipe."""
    pairs = [
        {"id": one["id"], "before": store.number(one["id"]), "after": store.add(one["src"])} for one in shown
    ]
    note = f"Left the image, right what the recipe '{recipe['name']}' makes of it ({recipe['reason']})."
    return {"note": note, "pairs": [pair for pair in pairs if pair["after"] is not None]}


def _table(table: Any) -> dict[str, Any]:
    return {
        "title": table.title,
        "note": table.note,
        "head": list(table.head),
        "rows": [list(r) for r in table.rows],
    }


def _pair(comparison: Comparison) -> dict[str, Any]:
    word, tone = WORDS[comparison.verdict]
    return {
        "a": comparison.a,
        "b": comparison.b,
        "metric": metric_title(comparison.metric),
        "word": f"{comparison.winner} better" if comparison.winner is not None else word,
        "tone": tone,
        "sentence": comparison.sentence,
    }
