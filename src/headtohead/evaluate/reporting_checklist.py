"""Reporting lists filled from a run: what the run knows is written, what only the author knows is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from headtohead.core.records import Verdict
from headtohead.evaluate.checklist_items import CLAIM_2024, TRIPOD_AI
from headtohead.stats.metrics.registry import METRICS

__all__ = ["build_checklists"]

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Run:
    verdict: Verdict
    config: Facts
    dataset: Facts


Filler = Callable[[_Run], str]


def build_checklists(verdict: Verdict, config: Facts, dataset: Facts) -> list[dict[str, str]]:
    """Return one row per item of CLAIM 2024 and TRIPOD+AI.

    Args:
        config: the study's configuration as a mapping (`StudyConfig.model_dump()`).
        dataset: facts of the data by name; known are source, n_files, n_samples, n_groups, classes,
            excluded (number of files refused), notes. What is absent stays blank.

    Returns:
        Rows with list, item, topic, status ("filled", "partly" or "author"), text (from the run) and
        ask (what the author must add; empty where nothing is missing).
    """
    run = _Run(verdict, config, dataset)
    return [
        _row(name, item.number, item.topic, item.key, item.ask, _text(item.key, run))
        for name, items in (("CLAIM 2024", CLAIM_2024), ("TRIPOD+AI", TRIPOD_AI))
        for item in items
    ]


def _row(name: str, number: str, topic: str, key: str, ask: str, text: str) -> dict[str, str]:
    done = ask.startswith("Nothing more")
    status = "author" if not text else "filled" if done else "partly"
    blank = f"The run does not know this ({key}); write it." if key and not text and done else ask
    return {
        "list": name,
        "item": number,
        "topic": topic,
        "status": status,
        "text": text,
        "ask": "" if status == "filled" and ask == "Nothing more." else blank,
    }


def _text(key: str, run: _Run) -> str:
    return _FILLERS[key](run) if key else ""


def _size(run: _Run, key: str) -> Any:
    return getattr(run.verdict.details.size, key, None)


def _classes(run: _Run) -> str:
    counts = _size(run, "samples_per_class") or {}
    positive = run.verdict.details.positive
    words = ", ".join(f"{name} {n}" for name, n in counts.items())
    return (
        f"Labels as given with the data: {words}" + (f"; positive: {positive}." if positive else ".")
        if words
        else ""
    )


def _contenders(run: _Run) -> str:
    names = run.config.get("contenders") or dict.fromkeys(score.contender for score in run.verdict.scores)
    return f"Contenders: {', '.join(names)}."


def _split(run: _Run) -> str:
    if "folds" not in run.config:
        return ""
    kind = run.config.get("split", "kfold")
    if kind == "kfold":
        return (
            f"{run.config['repeats']} x {run.config['folds']}-fold cross-validation, stratified, whole groups in one "
            f"fold, seed {run.config.get('seed', 0)}; choices on inner folds of the training part only."
        )
    return f"Split: {kind}, whole groups on one side, seed {run.config.get('seed', 0)}."


def _flow(run: _Run) -> str:
    parts = [
        f"{run.dataset['n_files']} files" if "n_files" in run.dataset else "",
        f"{run.dataset['excluded']} refused" if "excluded" in run.dataset else "",
        f"{_size(run, 'n_samples')} samples",
        f"{_size(run, 'n_groups')} groups",
    ]
    return ", ".join(filter(None, parts)) + "." if _size(run, "n_samples") else ""


def _scores(run: _Run) -> str:
    rows = [score for score in run.verdict.scores if score.metric == run.verdict.metric]
    return "; ".join(f"{score.contender} {_title(run)} {score}" for score in rows) + "."


def _title(run: _Run) -> str:
    return METRICS[run.verdict.metric].title if run.verdict.metric in METRICS else run.verdict.metric


def _power(run: _Run) -> str:
    if not run.verdict.comparisons:
        return ""
    power = run.verdict.comparisons[0].details.power
    if power is None or power.detectable_difference is None:
        return ""
    return (
        f"{_size(run, 'n_groups')} groups were there; a true difference of "
        f"{power.detectable_difference:.3f} would have been shown with power 0.8."
    )


def _variance(run: _Run) -> str:
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


def _subgroups(run: _Run) -> str:
    columns = run.verdict.details.subgroups
    return (
        f"Results by {', '.join(columns)} are in the run, with intervals and Holm's adjustment."
        if columns
        else ""
    )


def _recalibration(run: _Run) -> str:
    methods = sorted({name for entry in run.verdict.details.recalibration.values() for name in entry.methods})
    return (
        f"Recalibration on inner folds, before against after: {', '.join(methods).replace('_', '-')}."
        if methods
        else ""
    )


def _points(run: _Run) -> str:
    rules = ", ".join(run.verdict.details.operating_points)
    return f"Class probabilities; operating points reported: {rules}." if rules else "Class probabilities."


def _imbalance(run: _Run) -> str:
    groups = _size(run, "groups_per_class") or {}
    words = ", ".join(f"{name} {n}" for name, n in groups.items())
    balance = (run.config.get("train") or {}).get("balance", "none")
    weights = "no class weights" if balance == "none" else f"classes balanced while training ({balance})"
    end = f"folds stratified; {weights}, probabilities at the training part's class frequencies"
    return f"Groups per class: {words}; {end}; balanced accuracy reported." if words else ""


def _setting(name: str, words: str) -> Filler:
    """Return a filler that puts one setting into words, blank where it is absent."""

    def fill(run: _Run) -> str:
        value = run.config.get(name, run.dataset.get(name))
        return "" if value is None else words.format(value)

    return fill


def _fixed(text: str) -> Filler:
    return lambda _run: text


def _limits(run: _Run) -> str:
    return " ".join(run.verdict.caveats)


def _training(run: _Run) -> str:
    train = run.config.get("train") or {}
    if "mode" not in run.config:
        return ""
    return (
        f"Mode {run.config['mode']}; "
        + (", ".join(f"{key} {value}" for key, value in train.items()) or "defaults")
        + "."
    )


_FILLERS: dict[str, Filler] = {
    "kind": _fixed("Comparison of pretrained image classifiers (convolutional networks, vision transformers)."),
    "answer": lambda run: run.verdict.sentence,
    "aim": lambda run: f"Paired comparison on {_title(run)}. {run.verdict.rule}",
    "goal": _fixed("Model development with internal evaluation; not a trial."),
    "source": _setting("source", "Data: {}."),
    "excluded": _setting("excluded", "Files refused as unreadable or unfit: {}."),
    "recipe": _setting("recipe", "Preprocessing recipe: {}; then size and normalisation as each backbone asks."),
    "subset": _setting("n_files", "All {} files found were considered."),
    "missing": _setting("excluded", "Samples without a readable image or a label were left out: {}."),
    "labels": _classes,
    "split": _split,
    "disjoint": _fixed("Groups (patients, or sets of near-duplicate images): no group on both sides of a split."),
    "power": _power,
    "contenders": _contenders,
    "software": _setting("versions", "Versions: {}."),
    "weights": _setting("weights", "Weights: {}."),
    "training": _training,
    "choice": _fixed("Nothing is chosen on scored data; hyper-parameters come from inner grouped folds."),
    "ensemble": lambda run: (
        "Ensembles among the contenders: " + ", ".join(found) + "."
        if (found := [str(name) for name in run.config.get("contenders", ()) if "ensemble" in str(name)])
        else "None."
    ),
    "metrics": lambda run: (
        f"Primary: {_title(run)}; also " + ", ".join(dict.fromkeys(score.metric for score in run.verdict.scores)) + "."
    ),
    "uncertainty": lambda run: (
        f"{100 * run.verdict.comparisons[0].level:g} % intervals and tests with groups as units. {run.verdict.rule}"
        if run.verdict.comparisons
        else ""
    ),
    "robustness": _variance,
    "maps": _setting("maps", "Saliency maps: {}."),
    "internal": _fixed("Internal evaluation only: training and test parts come from the same source."),
    "external": _setting("external", "External test data: {}."),
    "flow": _flow,
    "subgroups": _subgroups,
    "scores": _scores,
    "intervals": _scores,
    "failures": lambda run: (
        "Confusion matrices of each contender are in the run." if run.verdict.details.confusion else ""
    ),
    "limits": _limits,
    "protocol": _fixed("The whole configuration is study.toml; the rule was fixed before the data were seen."),
    "access": _fixed("Code: headtohead (Apache-2.0); configuration, folds and predictions are in the run folder."),
    "inputs": _fixed("Pixels of one image per sample; no clinical data."),
    "variance": _variance,
    "recalibration": _recalibration,
    "predictions": _fixed("Out-of-fold class probabilities, one line per sample, repeat and contender."),
    "imbalance": _imbalance,
    "output": _points,
    "guard": _fixed("Files that cannot be read are refused by name."),
}  # fmt: skip
