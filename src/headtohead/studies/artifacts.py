"""What a study tells beside its scores: training, confounds, reporting lists, images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from headtohead.contenders.expression import ContenderSpec
from headtohead.core.config import StudyConfig
from headtohead.core.records import Image, Verdict
from headtohead.core.run_folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.data.dataset import Dataset
    from headtohead.preprocess.recipe import Recipe

__all__ = ["add_training_summary", "checklist", "evenly_spaced", "pair_confounds", "report_images"]

T = TypeVar("T")
SHOWN = 12
"""Images as the networks were shown them, and as many that were answered worst."""


def add_training_summary(
    verdict: Verdict,
    config: StudyConfig,
    specs: Sequence[ContenderSpec],
    classes: Sequence[str],
    folder: RunFolder,
) -> Verdict:
    """Return the verdict with what ensembles gain and what the budget bought (`spent.json` of the folder)."""
    from headtohead.contenders.factory import joined_names
    from headtohead.core.tables.details import TuningBudget
    from headtohead.evaluate.ensemble_gain import budget_words, ensemble_gains

    gains, tuning = ensemble_gains(verdict, joined_names(specs), classes), None
    caveats, budget = verdict.caveats, config.train.budget
    if budget is not None:
        spent = folder.json("spent.json")["spent"]
        trials = {name: one["trials"] for name, one in spent.items() if any(one["trials"])}
        tuning = TuningBudget(stated=budget, trials=trials)
        caveats = (*caveats, budget_words(budget, trials))
    details = verdict.details.model_copy(update={"gains": gains, "budget": tuning})
    return verdict.model_copy(update={"details": details, "caveats": caveats})


def pair_confounds(specs: Sequence[ContenderSpec]) -> list[dict[str, Any]]:
    """Return what differs within each pair of single contenders besides their kind."""
    from headtohead.backbones.catalog import resolve
    from headtohead.backbones.comparability import confounds

    single = [spec for spec in specs if spec.kind == "single"]
    return confounds([(spec.name, resolve(spec.backbone), spec.mode) for spec in single])


def checklist(verdict: Verdict, config: StudyConfig, dataset: Dataset) -> list[dict[str, str]]:
    """Return CLAIM 2024 and TRIPOD+AI as far as a run can fill them."""
    from headtohead.evaluate.reporting_checklist import build_checklists

    facts = {
        "source": Path(config.data).name,
        "n_samples": len(dataset),
        "n_groups": len(set(dataset.groups())),
        "classes": list(dataset.classes),
        "excluded": len(dataset.problems),
        "notes": list(dataset.notes),
    }
    return build_checklists(verdict, config.model_dump(mode="json"), facts)


def report_images(dataset: Dataset, recipe: Recipe, table: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Return small images for the report: `shown` as the networks were, `missed` the worst answers.

    Args:
        table: the out-of-fold lines.
    """
    from headtohead.audit.thumbnails import data_uri
    from headtohead.heads.baselines import FILE_FACTS, MAJORITY
    from headtohead.heads.cross_validation import highest_loss_samples

    worst = highest_loss_samples(table, without=(MAJORITY, FILE_FACTS), most=SHOWN)
    samples = {sample.id: sample for sample in dataset.samples}
    missed = [{**one, "src": data_uri(dataset.read(samples[one["id"]]))} for one in worst]
    shown = []
    for sample in evenly_spaced(dataset.samples, SHOWN):
        image = dataset.read(sample)
        cut = recipe.apply(image)
        seen = Image((cut.pixels * 255).round().astype("uint8"), 8, image.mode, image.format)
        shown.append({"id": sample.id, "before": data_uri(image), "src": data_uri(seen)})
    return {"missed": missed, "shown": shown}


def evenly_spaced(items: Sequence[T], most: int) -> Sequence[T]:
    """Return at most so many items, evenly drawn."""
    return items[:: max(1, len(items) // most)][:most]
