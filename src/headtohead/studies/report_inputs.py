"""What the report shows beside the scores: training costs, confounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headtohead.core.config import StudyConfig, TrainConfig
from headtohead.core.records import Verdict
from headtohead.core.run_folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.contenders.plan import ContenderPlan
    from headtohead.core.progress import Reporter
    from headtohead.data.splits.folds import CrossValidationSplits

__all__ = ["add_training_summary", "inner_predictions", "pair_confounds"]


def add_training_summary(
    verdict: Verdict,
    config: StudyConfig,
    plan: ContenderPlan,
    classes: Sequence[str],
    run: RunFolder,
) -> Verdict:
    """Return the verdict with what ensembles gain, the budget bought, which rates were chosen and how classes weighed.

    Args:
        verdict: of the run.
        config: its settings.
        plan: the contenders.
        classes: class names.
        run: the run folder, which holds `spent.json`.
    """
    from headtohead.core.tables.details import TuningBudget
    from headtohead.evaluate.ensemble_gain import (
        budget_words,
        ensemble_gains,
        rate_words,
        untuned_words,
    )

    gains, tuning = ensemble_gains(verdict, plan.members, classes), None
    spent = run.json("spent.json")["spent"]
    chosen = [rate_words(name, cost["rates"]) for name, cost in spent.items() if "rates" in cost]
    if config.train.policy == "fixed" and plan.tuned:
        chosen.append(untuned_words([one.name for one in plan.tuned]))
    caveats, budget = (*verdict.caveats, *chosen), config.train.budget
    if budget is not None:
        trials = {name: cost["trials"] for name, cost in spent.items() if any(cost["trials"])}
        tuning = TuningBudget(stated=budget, trials=trials)
        caveats = (*caveats, budget_words(budget, trials))
    if (balance := config.train.balance) != "none":
        caveats = (
            *caveats,
            f"Classes were balanced while training ({balance}); the probabilities were brought back to the class "
            "frequencies of the training part.",
        )
    details = verdict.details.model_copy(update={"gains": gains, "budget": tuning})
    return verdict.model_copy(update={"details": details, "caveats": caveats})


def pair_confounds(plan: ContenderPlan, train: TrainConfig) -> list[dict[str, Any]]:
    """Return what differs between the two networks of each pair besides their kind.

    Args:
        plan: the contenders.
        train: the settings that the study states.
    """
    from headtohead.backbones.comparability import confounds
    from headtohead.contenders.training_modes import training_facts

    return confounds(
        [
            (single.name, single.records[0], str(single.mode), training_facts(single.mode, train))
            for single in plan.pairable
            if single.mode is not None
        ]
    )


def inner_predictions(
    run: RunFolder, splits: CrossValidationSplits, predictions: pd.DataFrame, reporter: Reporter
) -> pd.DataFrame:
    """Return the inner predictions of a run, without groups that are tested in the same fold."""
    from headtohead.heads.prediction_tables import exclude_test_groups

    inner = run.table("inner.parquet")
    if not splits.leaks:
        return inner
    reporter.warning("The split leaks; thresholds are chosen without the groups that are tested too.")
    return exclude_test_groups(inner, predictions)
