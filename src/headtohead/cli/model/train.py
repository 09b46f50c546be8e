"""`headtohead train`: a contender as a model that can be used elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headtohead.cli import common_options as o
from headtohead.cli.config_options import with_settings

if TYPE_CHECKING:
    from headtohead.deploy.model import DeployedModel

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(train)


@with_settings("StudyConfig", without=("data", "contenders"))
def train(
    data: Annotated[
        str | None,
        typer.Argument(metavar="[DATA]", show_default=False, help="The images; with --from those of the run."),
    ] = None,
    *,
    out: o.Out,
    settings: Mapping[str, Any],
    contender: Annotated[
        str | None,
        typer.Option(
            "--contender", "-c", metavar="NAME", show_default=False,
            help="What to train, such as dinov2-small@finetune; with --from the verdict's winner unless stated.",
        ),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="RUN", show_default=False,
            help="A finished run of compare: its recipe, settings, groups, predictions and estimate are taken.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default=False, help="Name of the model; by default the contender's."),
    ] = None,
    accept_refused: Annotated[
        bool,
        typer.Option(
            "--accept-refused", help="Train although the run refused a verdict; the model card will say so."
        ),
    ] = False,
    self_contained: Annotated[
        bool,
        typer.Option(
            "--self-contained/--no-self-contained",
            help="Put the weights of frozen networks into the model too.",
        ),
    ] = True,
    calibration: Annotated[
        str,
        typer.Option(
            metavar="METHOD",
            help="From scores to probabilities: temperature, or venn-abers (two classes; no parametric form assumed).",
        ),
    ] = "temperature",
    as_json: o.AsJson = False,
) -> None:  # fmt: skip
    """Train a contender on all images and write a folder that gives the same answer elsewhere.

    Calibration, thresholds and the estimate come from cross-validated predictions on whole groups. For example:

    headtohead train --from runs/scans --contender dinov2-small --out model

    headtohead train scans --contender efficientnet-lite0 --out model
    """
    from headtohead.api.models import train as train_model

    model = train_model(
        data, contender, out=out, run=run, name=name, accept_refused=accept_refused,
        self_contained=self_contained, calibration=calibration, **settings,
    )  # fmt: skip
    _show(model, out, as_json=as_json)


def _show(model: DeployedModel, out: Path, *, as_json: bool) -> None:
    """Print what was trained, its estimate, and how it is used."""
    if as_json:
        import json

        facts = {
            "model": model.name,
            "digest": model.digest,
            "classes": list(model.classes),
            "path": str(out),
        }
        print(json.dumps({**facts, "estimate": model.estimate}, ensure_ascii=False))
        return
    primary = next(
        (s for s in model.estimate_record.scores if s.metric == model.estimate_record.metric), None
    )
    print(f"{model.name}: {', '.join(model.classes)}; sha256 {model.digest}")
    if primary is not None:
        from headtohead.stats.metrics.lookup import get_metric

        title = get_metric(primary.metric, model.classes).title
        print(f"Cross-validated {title}: {primary}")
    print(f"Model card: {out / 'README.md'}\nUse it: headtohead predict {out} IMAGES")
