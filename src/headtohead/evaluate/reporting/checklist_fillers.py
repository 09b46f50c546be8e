"""The text that a run gives for each item of a reporting checklist, "" where the run does not know."""

from __future__ import annotations

from typing import Any

from headtohead.evaluate.reporting.checklist_input import ChecklistInput, Filler
from headtohead.evaluate.reporting.split_fillers import (
    chosen_text,
    contenders_text,
    disjoint_text,
    internal_text,
    split_text,
)
from headtohead.stats.metrics.registry import METRICS

__all__ = ["FILLERS"]


_RULES = {
    "half": "0.5",
    "youden": "largest sum of sensitivity and specificity (Youden)",
    "sensitivity_90": "sensitivity 0.9",
    "specificity_90": "specificity 0.9",
    "cost_5_to_1": "least cost, a miss counting as five false alarms",
}
_METHODS = {"platt": "Platt", "venn_abers": "Venn-Abers"}


def _size(run: ChecklistInput, key: str) -> Any:
    return getattr(run.verdict.details.size, key, None)


def _classes(run: ChecklistInput) -> str:
    counts = _size(run, "samples_per_class") or {}
    positive = run.verdict.details.positive
    words = ", ".join(f"{name} {n}" for name, n in counts.items())
    return (
        f"Labels were taken as given with the data ({words})"
        + (f"; the positive class is {positive}." if positive else ".")
        if words
        else ""
    )


def _predictions(run: ChecklistInput) -> str:
    kfold = run.config.get("split") == "kfold"
    return (
        f"{'Out-of-fold class' if kfold else 'Class'} probabilities of test samples, one row per sample, repeat and "
        "contender (predictions.parquet)."
        if "folds" in run.config
        else ""
    )


def _kind(run: ChecklistInput) -> str:
    families = run.dataset.get("families")
    return f"Comparison of image classifiers: {families}." if families else ""


def _flow(run: ChecklistInput) -> str:
    parts = [
        f"{run.dataset['n_files']} files" if "n_files" in run.dataset else "",
        f"{run.dataset['excluded']} refused" if "excluded" in run.dataset else "",
        f"{_size(run, 'n_samples')} samples",
        f"{_size(run, 'n_groups')} groups",
    ]
    return ", ".join(filter(None, parts)) + "." if _size(run, "n_samples") else ""


def _scores(run: ChecklistInput) -> str:
    rows = [score for score in run.verdict.scores if score.metric == run.verdict.metric]
    return "; ".join(f"{score.contender} {_title(run)} {score}" for score in rows) + "."


def _title(run: ChecklistInput) -> str:
    return METRICS[run.verdict.metric].title if run.verdict.metric in METRICS else run.verdict.metric


def _power(run: ChecklistInput) -> str:
    if not run.verdict.comparisons:
        return ""
    power = run.verdict.comparisons[0].details.power
    if power is None or power.detectable_difference is None:
        return ""
    return (
        f"{_size(run, 'n_groups')} groups were there; a true difference of "
        f"{power.detectable_difference:.3f} would have been shown with power 0.8."
    )


def _variance(run: ChecklistInput) -> str:
    split = run.verdict.details.variance
    if split is None:
        return ""
    sources = {
        "contender": split.sd_contender,
        "group": split.sd_group,
        "repeat": split.sd_repeat,
        "fold": split.sd_fold,
    }
    known = {name: sd for name, sd in sources.items() if sd is not None}
    words = ", ".join(f"{name} {sd:.3f}" for name, sd in known.items())
    return f"Standard deviation of {_title(run)} by source: {words}." if words else ""


def _subgroups(run: ChecklistInput) -> str:
    columns = run.verdict.details.subgroups
    return (
        f"Results by {', '.join(columns)} are in the run, with intervals and Holm's adjustment."
        if columns
        else ""
    )


def _recalibration(run: ChecklistInput) -> str:
    methods = sorted({name for entry in run.verdict.details.recalibration.values() for name in entry.methods})
    titles = ", ".join(_METHODS.get(name, name) for name in methods)
    return f"Recalibration on inner folds, before against after: {titles}." if titles else ""


def _points(run: ChecklistInput) -> str:
    rules = _rules(run)
    return f"Class probabilities; operating points reported: {rules}." if rules else "Class probabilities."


def _rules(run: ChecklistInput) -> str:
    return ", ".join(
        _RULES.get(name, name.replace("_", " ")) for name in run.verdict.details.operating_points
    )


def _cutoffs(run: ChecklistInput) -> str:
    if run.verdict.details.positive is None:
        return "The class with the highest probability is called; no cut-off was set." if _scored(run) else ""
    rules = _rules(run)
    more = f" Further operating points, each with where its threshold comes from: {rules}." if rules else ""
    return f"{run.verdict.details.positive} is called at a probability of 0.5 or more.{more}"


def _scored(run: ChecklistInput) -> bool:
    return any(score.value is not None for score in run.verdict.scores)


def _blinding(run: ChecklistInput) -> str:
    """Return what the contenders saw of the scored images; blank where the run has no proof that they saw no more."""
    if run.dataset.get("leaks") != 0:  # None is not known, which proves nothing
        return ""
    return "The labels of scored images, and other images of their groups, were not seen in training."


def _indeterminate(run: ChecklistInput) -> str:
    return "Each scored image has a probability; none was set aside as indeterminate." if _scored(run) else ""


def _imbalance(run: ChecklistInput) -> str:
    groups = _size(run, "groups_per_class") or {}
    words = ", ".join(f"{name} {n}" for name, n in groups.items())
    stratified = "folds stratified; " if run.config.get("split") == "kfold" else ""
    balance = (run.config.get("train") or {}).get("balance")
    weights = {None: "", "none": "no class weights; "}.get(
        balance, f"classes balanced while training ({balance}); "
    )
    return f"Groups per class: {words}; {stratified}{weights}balanced accuracy reported." if words else ""


def _setting(name: str, words: str, where: str = "") -> Filler:
    """Return a filler that puts one setting or fact into words, blank where it is absent.

    Args:
        where: "dataset" to look at the facts of the run alone, where the configuration holds a wish ("auto").
    """

    def fill(run: ChecklistInput) -> str:
        value = run.dataset.get(name) if where else run.config.get(name, run.dataset.get(name))
        return "" if value is None else words.format(value)

    return fill


def _fixed(text: str) -> Filler:
    return lambda _run: text


def _limits(run: ChecklistInput) -> str:
    return " ".join(run.verdict.caveats)


def _training(run: ChecklistInput) -> str:
    return str(run.dataset.get("training") or "")


def _ensembles(run: ChecklistInput) -> str:
    """Return the ensembles and replicates among the contenders, "None." where there are none."""
    names = [str(name) for name in run.config.get("contenders", ())]
    found = [name for name in names if name.startswith(("ensemble(", "seeds(", "folds(", "snapshots("))]
    if not names:
        return ""
    return f"Ensembles among the contenders: {', '.join(found)}." if found else "None."


def _metrics(run: ChecklistInput) -> str:
    names = dict.fromkeys(score.metric for score in run.verdict.scores)
    titles = [METRICS[name].title if name in METRICS else name.replace("_", " ") for name in names]
    return f"Primary: {_title(run)}; also {', '.join(title for title in titles if title != _title(run))}."


FILLERS: dict[str, Filler] = {
    "kind": _kind,
    "answer": lambda run: run.verdict.sentence,
    "aim": lambda run: f"Paired comparison on {_title(run)}. {run.verdict.rule}",
    "goal": _fixed("Comparison of models on existing data; not a trial."),
    "source": _setting("source", "Data: {}."),
    "excluded": _setting("excluded", "Files refused as unreadable or unfit: {}."),
    "recipe": _setting(
        "recipe",
        "Images were prepared with the recipe {}, then brought to the size and normalisation of each backbone.",
        "dataset",
    ),
    "subset": _setting("n_files", "All {} files found were considered."),
    "missing": _setting("excluded", "Files left out because they could not be read: {}."),
    "labels": _classes,
    "split": split_text,
    "disjoint": disjoint_text,
    "power": _power,
    "contenders": contenders_text,
    "software": _setting("versions", "Software: {}."),
    "weights": _setting("weights", "Initial weights: {}."),
    "training": _training,
    "choice": chosen_text,
    "ensemble": _ensembles,
    "metrics": _metrics,
    "uncertainty": lambda run: (
        f"Intervals are {100 * run.verdict.comparisons[0].level:g} %, with groups as units. {run.verdict.rule}"
        if run.verdict.comparisons
        else ""
    ),
    "robustness": _variance,
    "maps": _setting("maps", "Saliency maps: {}."),
    "internal": internal_text,
    "external": _setting("external", "External test data: {}."),
    "flow": _flow,
    "subgroups": _subgroups,
    "scores": _scores,
    "intervals": _scores,
    "failures": lambda run: (
        "Confusion matrices of each contender are in the run." if run.verdict.details.confusion else ""
    ),
    "limits": _limits,
    "protocol": _fixed(
        "The whole configuration is study.toml; the decision rule is part of the software, not fitted to the scores."
    ),
    "access": _fixed("Code: headtohead (Apache-2.0); configuration, folds and predictions are in the run folder."),
    "inputs": _fixed("Pixels of one image per sample; no clinical data (the baseline file-facts: file size, type)."),
    "variance": _variance,
    "recalibration": _recalibration,
    "predictions": _predictions,
    "imbalance": _imbalance,
    "cutoffs": _cutoffs,
    "blinding": _blinding,
    "indeterminate": _indeterminate,
    "output": _points,
    "guard": _setting("excluded", "Files that cannot be read are left out and named; here {}."),
}  # fmt: skip
