"""`headtohead export`: a model in one file that other programs run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, cast

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(_export)


def _export(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", show_default=False, help="A bundle made by `headtohead train`.")
    ],
    to: Annotated[str, typer.Option(show_default=False, help="onnx, openvino, torch or monai.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            show_default=False,
            help="The file (.onnx, .xml, .pt2), or MONAI's folder.",
        ),
    ],
    images: Annotated[
        list[Path],
        typer.Option(
            metavar="PATH",
            show_default=False,
            help="Images on which answers are compared: a file or folder; repeat it.",
        ),
    ],
    most_images: Annotated[int, typer.Option(min=1, help="Of more images, so many are taken.")] = 256,
    int8: Annotated[
        bool, typer.Option("--int8", help="Cut to 8 bits; the drift is reported, not refused.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Write a model as ONNX, OpenVINO, torch program or MONAI bundle, if it gives the bundle's answers.

    Example: headtohead export models/lite0 --to onnx --out lite0.onnx --images scans

    Then, without torch: headtohead predict lite0.onnx scan.dcm
    """
    from headtohead.api.export import export
    from headtohead.deploy.export.write import Target

    parity = export(model, out, to=cast(Target, to), images=images, most_images=most_images, int8=int8)
    print(json.dumps(parity.model_dump(mode="json")) if as_json else f"{out}: {parity}.")
