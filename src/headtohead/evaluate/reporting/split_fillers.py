"""What a reporting checklist says of contenders, of the split, and of what was chosen inside the training part."""

from __future__ import annotations

from headtohead.evaluate.reporting.checklist_input import ChecklistInput

__all__ = ["chosen_text", "contenders_text", "disjoint_text", "internal_text", "split_text"]


def contenders_text(run: ChecklistInput) -> str:
    """Name the contenders."""
    names = run.config.get("contenders") or dict.fromkeys(score.contender for score in run.verdict.scores)
    listed = list(names)
    if len(listed) == 1:
        return f"The contender was {listed[0]}."
    return f"The contenders were {', '.join(listed[:-1])} and {listed[-1]}."


def split_text(run: ChecklistInput) -> str:
    """Say how test parts were drawn, and how choices were made; "" where the run has no folds."""
    if "folds" not in run.config:
        return ""
    kind = run.config.get("split", "kfold")
    if kind == "kfold":
        size, left_open = run.verdict.details.size, run.verdict.details.repeats
        times = run.config["repeats"] if size is None else size.n_repeats
        repeats = "once" if times == 1 else f"repeated {times} times"
        added = "" if left_open is None else f"{left_open.sentence} "
        return (
            f"Stratified {run.config['folds']}-fold cross-validation, {repeats}, whole groups in one fold, "
            f"seed {run.config.get('seed', 0)}. {added}{chosen_text(run)}"
        ).strip()
    if kind == "given":
        leaks = run.dataset.get("leaks")
        found = (
            "" if leaks is None else f" It leaks in {leaks} places." if leaks else " No leak was found in it."
        )
        return f"The data's own split into training and test part.{found}"
    return f"Split: {kind}, whole groups on one side, seed {run.config.get('seed', 0)}."


def disjoint_text(run: ChecklistInput) -> str:
    """Say whether groups or copies are on both sides of a split; "" where it is not known."""
    leaks = run.dataset.get("leaks")
    if leaks is None:
        return ""
    if leaks:
        return f"The split is not disjoint: {leaks} leaks were found and allowed; the verdict is refused."
    return "No group (what the data call a patient, or a set of near-duplicate images) is on both sides of a split."


def chosen_text(run: ChecklistInput) -> str:
    """Say what was chosen on inner folds; "" where it is not known."""
    chosen = run.dataset.get("chosen")
    if not chosen:
        return ""
    if set(chosen) == {"nothing"}:
        return "Hyper-parameters were given; this run chose nothing on any data."
    words = " and ".join(name for name in dict.fromkeys(chosen) if name != "nothing")
    return f"Chosen on inner grouped folds of the training part only: {words}."


def internal_text(run: ChecklistInput) -> str:
    """Say that the evaluation is internal; "" where it is not, or not known."""
    # Whether a given test part, or predictions from elsewhere (without folds), are internal is not known.
    if run.config.get("split", "kfold" if "folds" in run.config else "") in ("", "given"):
        return ""
    return "Internal evaluation only: training and test parts are drawn from the same data set."
