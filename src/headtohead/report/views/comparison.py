"""Everything that the page of a comparison shows, as one JSON-able mapping, its figures and its images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headtohead._version import __version__
from headtohead.core.records import Comparison, Verdict
from headtohead.core.run_folder import RunFolder
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
from headtohead.report.views.run_contents import RunContents, optional_json, read_contents
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
    found = read_contents(run)
    verdict, order = found.verdict, found.order
    cases = build_cases(found.predictions, found.classes, verdict.details.positive, order)
    store = ImageStore(found.images.get("gallery", {}), found.thumbs)
    train = train_command(verdict, found.config["contenders"], found.shared_name)
    answer = answer_view(verdict, found.audit, optional_json(run, "leak_proof.json"), train)
    content = {
        **_head(found, order),
        "answer": answer,
        **_results(found, cases),
        **_images_and_cost(found, cases, store, answer["pair"]),
        **_background(found, order),
    }
    figures = _figures(verdict, order, found.learning, found.features, cases, content["errors"]["pair"])
    figures["growth"] = draw.growth_figures(found.growth, order)
    figures["cost"] = draw.cost_figures(verdict, order, found.spent)
    records = {one["record"]["name"]: one["record"] for one in found.backbones if "record" in one}
    frame = Frame(content["title"], content["title"], answer["heading"], sections=SECTIONS)
    return ReportPage(content, frame, figures, store.css, verdict, records)


def _head(found: RunContents, order: Sequence[str]) -> dict[str, Any]:
    """Return what names the page."""
    config, facts, path = found.config, found.audit["dataset"], found.run.path
    return {
        "format": 1,
        "version": __version__,
        "title": f"{Path(config['data']).name} ({path.resolve().name})",
        "level": f"{100 * config['level']:g} %",
        "subtitle": _subtitle(found, order),
        "digest": str(facts.get("digest", ""))[:8],
        "synthetic": bool(found.predictions["sample"].str.contains("synthetic").all()),
        "positive": found.verdict.details.positive,
    }


def _results(found: RunContents, cases: CaseTable) -> dict[str, Any]:
    """Return the figures: contenders, performance, pairs, scores and further tables."""
    verdict, order = found.verdict, found.order
    seconds = {name: cost["seconds"] for name, cost in found.spent.items()}
    return {
        "caveats": list(verdict.caveats),
        "legend": [
            {"name": name, "color": css_color(i)} for i, name in enumerate(order) if name != "majority"
        ],
        "baselines": [[name, words] for name, words in draw.BASELINE_WORDS.items() if name in order],
        "performance": performance_view(verdict, cases, order, seconds),
        "pairs": [_pair(c) for c in verdict.comparisons],
        "scores": _scores(verdict),
        "supplement": [_table(table) for table in supplement_tables(verdict.details, order)],
    }


def _images_and_cost(
    found: RunContents, cases: CaseTable, store: ImageStore, pair: Sequence[str]
) -> dict[str, Any]:
    """Return errors, maps, data and cost, in the order of the page, in which images are numbered."""
    details, samples = found.verdict.details, found.samples
    members = members_of(samples, list(details.subgroups))
    return {
        "errors": gallery_view(cases, store, pair, found.features, map_grids(found.run), members),
        "explain": explain_view(found.run),
        "data": data_view(found.audit, samples, store),
        "shown": _shown(found.images.get("shown", ()), store, found.run.json("recipe.json")),
        "subgroups": subgroups_view(details, found.order, found.backbones, found.spent, found.growth),
    }


def _background(found: RunContents, order: Sequence[str]) -> dict[str, Any]:
    """Return how the run came about: training, methods, limits, weights, versions and settings."""
    facts = found.audit["dataset"]
    return {
        "learning": [dict(row) for row in learning_rows(found.learning, order)],
        "learning_head": list(LEARNING_HEAD),
        "methods": methods_view(found.verdict, found.checklist),
        "limits": list(limits(found.config, facts, order)),
        "confounds": optional_json(found.run, "confounds.json").get("pairs", []),
        "provenance": [list(row) for row in provenance_rows(found.run.json("provenance.json"), facts)],
        "contenders": [weights_row(one) for one in found.backbones],
        "config": found.config_text,
        "names": list(order),
        "classes": found.classes,
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


def _subtitle(found: RunContents, order: Sequence[str]) -> str:
    config, facts, size = found.config, found.audit["dataset"], found.verdict.details.size
    repeats = config["repeats"] if size is None else size.n_repeats
    folds = f"{repeats} × {config['folds']} grouped, stratified folds"
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
