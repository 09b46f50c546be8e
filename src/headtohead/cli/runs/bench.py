"""`headtohead bench`: how fast this machine is with each network whose weights are here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headtohead.cli import common_options as o
from headtohead.cli.config_options import split_list

if TYPE_CHECKING:
    from headtohead.backbones.record import BackboneRecord

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bench")(bench)


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="A first look: one short measurement each.")] = False,
    contenders: Annotated[
        str | None,
        typer.Option(
            "--contenders",
            "-c",
            metavar="A,B",
            show_default=False,
            help="Backbones; by default those of the catalogue whose weights are here. scratch:<timm model> works too.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FOLDER", show_default=False, help="Write bench.json and bench.svg."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    as_json: o.AsJson = False,
) -> None:
    """Measure images per second of each network here, beside what the machine's matrix products allow.

    Nothing is fetched. For example:

    headtohead bench --quick
    """
    from headtohead.backbones.benchmark import BenchSize, benchmark
    from headtohead.core.console import console_reporter

    found = benchmark(
        _records(contenders), BenchSize.of(quick=quick), device=device, reporter=console_reporter()
    )
    if out is not None:
        _write(out, found)
    print(json.dumps(found, indent=1) if as_json else "\n".join(_lines(found)))
    if out is not None and not as_json:
        print(f"Figure: {out / 'bench.svg'}")


def _records(contenders: str | None) -> list[BackboneRecord]:
    """Return the backbones named, or those of the catalogue whose weights are here.

    Raises:
        WeightsError: none is here.
    """
    from headtohead.backbones.catalog import resolve
    from headtohead.backbones.weights.fetch import listing
    from headtohead.core.errors import WeightsError

    names = split_list(contenders) or tuple(line["name"] for line in listing() if line["here"])
    if not names:
        raise WeightsError(
            "No weights of the catalogue are here. Fetch some (headtohead weights fetch efficientnet-lite0), or measure "
            "random ones (headtohead bench -c scratch:resnet50)."
        )
    return [resolve(name) for name in names]


def _write(out: Path, found: dict[str, Any]) -> None:
    from headtohead.core.atomic_io import write_atomic, write_json
    from headtohead.report.figures.speed import plot_speed
    from headtohead.report.figures.style import to_svg

    write_json(out / "bench.json", found)
    write_atomic(out / "bench.svg", to_svg(plot_speed(found["backbones"]).figure))


def _lines(found: dict[str, Any]) -> list[str]:
    """Return the table as text."""
    machine, ceilings = found["machine"], found["ceilings_tflops"]
    stated = ", ".join(f"{value:.3g} TFLOP/s in {kind}" for kind, value in ceilings.items())
    lines = [
        f"{machine['processor']} ({machine['device']}, {machine['threads']} threads): matrix products of {stated}",
        f"{'backbone':<28}{'arithmetic':<12}{'images/s':>9}{'of ceiling':>12}{'drift':>9}{'one image':>12}{'load':>8}"
        f"{'weights':>10}",
    ]
    for line in found["backbones"]:
        for precision, rate in line["rates"].items():
            drift = line["drift"] if precision != "fp32" else None
            told = "" if drift is None else "not finite" if drift["relative_error"] is None else _drift(drift)
            first = precision == "fp32"
            lines.append(
                f"{line['name'] if first else '':<28.28}{precision:<12}{rate['images_per_second']:>9.1f}"
                f"{100 * rate['share_of_ceiling']:>10.0f} %{told:>9}"
                + (
                    f"{line['latency_ms']:>9.1f} ms{line['load_seconds']:>6.1f} s{line['weights_bytes'] / 1e6:>7.0f} MB"
                    if first
                    else ""
                )
            )
    lines.append("Drift: largest relative error of features against fp32; * beyond what an extraction accepts.")
    return lines


def _drift(drift: dict[str, Any]) -> str:
    return f"{drift['relative_error']:.4f}{'' if drift['holds'] else '*'}"
