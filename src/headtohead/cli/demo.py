"""`headtohead demo`: synthetic images, a real CNN against a real transformer, a report."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]

CONTENDERS = ("efficientnet-lite0", "dinov2-small")  # one of each kind, both from the package index


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where to write.")] = Path(
        "runs/demo"
    ),
    n: Annotated[int, typer.Option("--images", min=60, help="How many synthetic images to make.")] = 240,
    seed: Annotated[
        int, typer.Option(min=0, help="Random seed; results are bit-identical for equal seeds.")
    ] = 0,
) -> None:
    """Make synthetic brain images and compare a CNN and a transformer on them.

    Needs nothing but the Python package index. The images are synthetic; the networks are really
    pretrained. For example:

    headtohead demo --out runs/demo
    """
    from headtohead.api.studies import compare
    from headtohead.cli.compare import print_run
    from headtohead.core.atomic_io import check_writable
    from headtohead.core.console import console_reporter
    from headtohead.data.demo import make_demo

    images = check_writable(out, folder=True) / "images"
    if (images / "truth.json").is_file():
        _refuse_other(images, n, seed)
    else:
        unfinished = out / "images.part"
        shutil.rmtree(unfinished, ignore_errors=True)
        make_demo(unfinished, n=n, seed=seed, reporter=console_reporter())
        # Renamed once they are whole, so that an interrupted demo makes them again.
        unfinished.replace(images)
    print(f"Synthetic images: {images}")
    print_run(compare(images, CONTENDERS, out=out / "run", seed=seed, repeats=3), out / "run")
    print("All images of this demo are synthetic; the answer says nothing about patients.")


def _refuse_other(images: Path, n: int, seed: int) -> None:
    """Refuse to go on with images that were made with other settings.

    Raises:
        ChangedConfigError: names what differs.
    """
    import json

    from headtohead.core.errors import ChangedConfigError

    truth = json.loads((images / "truth.json").read_text(encoding="utf-8"))
    made = {"--images": truth["n"], "--seed": truth["seed"]}
    asked = {"--images": n, "--seed": seed}
    changed = [f"{name} {made[name]}, now {value}" for name, value in asked.items() if made[name] != value]
    if changed:
        raise ChangedConfigError(
            f"{images} was made with other settings ({'; '.join(changed)}). Use the same settings to go on, or choose "
            "another --out."
        )
