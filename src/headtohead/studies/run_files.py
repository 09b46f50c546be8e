"""Files that studies write into a run folder: weights in use, recipe, folds, predictions, verdict, provenance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headtohead.core.atomic_io import write_table
from headtohead.core.errors import ChangedWeightsError
from headtohead.core.progress import Reporter
from headtohead.core.records import Verdict
from headtohead.core.run_folder import RunFolder, slug

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.backbones.record import BackboneRecord
    from headtohead.data.splits.folds import Fold
    from headtohead.heads.base import FoldResult, SampleLabels
    from headtohead.preprocess.recipe import Recipe

__all__ = [
    "fetch_weights",
    "record_facts",
    "write_folds",
    "write_predictions",
    "write_provenance",
    "write_recipe",
    "write_verdict",
]

SPEED = ("seconds", "images_per_second", "computed")  # of the call that computed the features


def fetch_weights(run: RunFolder, records: Iterable[BackboneRecord], seed: int, reporter: Reporter) -> None:
    """Fetch the weights of all records, and record in the run folder which they are.

    Args:
        seed: of random weights.

    Raises:
        WeightsError: weights that are not available.
        ChangedWeightsError: the folder's finished parts were made with other weights.
    """
    from headtohead.backbones.weights.fetch import ensure_weights

    for record in records:
        weights = ensure_weights(record, seed=seed, reporter=reporter)
        before = _facts(run, record.name).get("weights", {}).get("sha256", weights.sha256)
        if before != weights.sha256:
            raise ChangedWeightsError(
                f"The weights of {record.name} are not those that {run.path} was begun with "
                f"(sha256 {before[:12]}…, now {weights.sha256[:12]}…). Put them back, or choose another --out."
            )
        facts = {"weights": weights.model_dump(mode="json", exclude={"path"})}
        record_facts(run, record.name, {**facts, "record": record.without_folder().model_dump(mode="json")})


def record_facts(run: RunFolder, backbone: str, facts: Mapping[str, Any]) -> None:
    """Add to what the run folder states of a backbone: its record, its weights, how features were computed.

    The measured speed stays where a later call read all features from the cache.
    """
    before, now = _facts(run, backbone), dict(facts)
    earlier = before.get("how", {})
    if "how" in now and now["how"].get("images_per_second") is None and earlier.get("images_per_second"):
        now["how"] = {**now["how"], **{key: earlier[key] for key in SPEED if key in earlier}}
    run.write(_facts_name(backbone), {**before, **now})


def _facts_name(backbone: str) -> str:
    return f"contenders/{slug(backbone)}.json"


def _facts(run: RunFolder, backbone: str) -> dict[str, Any]:
    name = _facts_name(backbone)
    return run.json(name) if (run / name).is_file() else {}


def write_verdict(run: RunFolder, verdict: Verdict) -> None:
    """Write `verdict.json`, and its scores and comparisons as files of their own."""
    content = verdict.model_dump(mode="json")
    run.write("verdict.json", content)
    run.write("scores.json", {"scores": content["scores"]})
    run.write("comparisons.json", {"comparisons": content["comparisons"]})


def write_folds(
    run: RunFolder, table: pd.DataFrame, proof: list[dict[str, Any]], leaks: list[dict[str, Any]]
) -> None:
    """Write which sample is in which part of which fold, and the proof that no group is in two parts."""
    write_table(run / "folds.parquet", table)
    run.write("leak_proof.json", {"proof": proof, "leaks": leaks})


def write_recipe(run: RunFolder, recipe: Recipe, name: str, reason: str) -> None:
    """Write which recipe is taken, and why."""
    facts = {"name": name, "reason": reason, "steps": str(recipe), "digest": recipe.digest()}
    run.write("recipe.json", facts)


def write_predictions(
    run: RunFolder, cells: Sequence[tuple[str, Fold, FoldResult]], data: SampleLabels, ids: Sequence[str]
) -> pd.DataFrame:
    """Write the out-of-fold and the inner predictions and how the trainings went; return the first.

    Args:
        cells: finished results by contender and fold. data: labels of all samples. ids: of the samples.
    """
    from headtohead.heads.prediction_tables import learning_table, predictions_table

    predictions = predictions_table(cells, data, ids)
    write_table(run / "inner.parquet", predictions_table(cells, data, ids, inner=True))
    write_table(run / "learning.parquet", learning_table(cells, data))
    write_table(run / "predictions.parquet", predictions)
    return predictions


def write_provenance(run: RunFolder, seed: int) -> None:
    """Write where the result comes from, once: versions, hardware, command, seed, what was spent."""
    from headtohead.core.provenance import collect

    if (run / "provenance.json").is_file():
        return
    spent = run.json("spent.json") if (run / "spent.json").is_file() else {}
    run.write("provenance.json", {**collect(), "seed": seed, **spent})
