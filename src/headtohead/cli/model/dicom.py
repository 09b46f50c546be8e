"""`headtohead dicom`: Structured Reports from DICOM images, of a folder or as they arrive."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from headtohead.deploy.dicom.studies import ReportedStudy

__all__ = ["register"]

SOME_FAILED = 3  # exit code, as `predict` has it
MIB = 1 << 20


class ReportByDefault(TyperGroup):
    """A group whose first word may also be the model: `headtohead dicom MODEL IN` means `dicom report MODEL IN`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put "report" in front of arguments that name no sub-command."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["report", *args]
        rest: list[str] = super().parse_args(ctx, args)
        return rest


Model = Annotated[
    Path, typer.Argument(metavar="MODEL", show_default=False, help="A bundle or an exported model.")
]
Out = Annotated[
    Path, typer.Option("--out", "-o", metavar="FOLDER", show_default=False, help="Folder for the reports.")
]
Runtime = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", show_default="torch; that of an exported file",
        help="torch, openvino, onnxruntime, or auto: the fastest that agrees with torch.",
    ),
]  # fmt: skip
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object per study on stdout.")]


def register(app: typer.Typer) -> None:
    """Add the command with its sub-commands."""
    group = typer.Typer(
        cls=ReportByDefault,
        no_args_is_help=True,
        rich_markup_mode=None,
        help="Write DICOM Structured Reports: headtohead dicom MODEL IN --out OUT, or: headtohead dicom listen MODEL.",
    )
    group.command("report")(_report)
    group.command("listen")(_listen)
    app.add_typer(group, name="dicom")


def _report(
    model: Model,
    source: Annotated[
        Path, typer.Argument(metavar="IN", show_default=False, help="A DICOM file or a folder of them.")
    ],
    out: Out,
    runtime: Runtime = None,
    as_json: AsJson = False,
) -> None:
    """Write one Structured Report (TID 1500, UNVERIFIED, research only) per study.

    Example: headtohead dicom models/lite0 scans --out reports

    Exit status 3: some files are in no report; they are listed with the reason.
    """
    from headtohead.api.dicom import write_dicom_reports

    studies = write_dicom_reports(model, source, out, runtime=runtime)
    for study in studies:
        _print(study, as_json)
    if any(study.failed for study in studies):
        raise typer.Exit(SOME_FAILED)


def _listen(
    model: Model,
    out: Out,
    host: Annotated[
        str,
        typer.Option(help="Address to listen on. DICOM has no passwords: think before you leave loopback."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 lets the system choose.")] = 11112,
    ae_title: Annotated[str, typer.Option(help="The title that senders must call.")] = "HEADTOHEAD",
    associations: Annotated[int, typer.Option(min=1, help="Associations that may be open at a time.")] = 10,
    idle: Annotated[float, typer.Option(min=1, help="Seconds of silence after which one is closed.")] = 30,
    max_mb: Annotated[int, typer.Option(min=1, help="Largest object in MiB.")] = 256,
    settle: Annotated[
        float, typer.Option(min=0.1, help="Seconds without a further image after which a study is reported.")
    ] = 10,
    runtime: Runtime = None,
) -> None:
    """Receive images by C-STORE until stopped, and leave one Structured Report per study.

    Received images wait in OUT/inbox and are deleted once the report is written. Example:

    headtohead dicom listen models/lite0 --out reports --port 11112
    """
    from headtohead.api.dicom import listen
    from headtohead.core.parallel import share_one_heap
    from headtohead.deploy.dicom.connections import ConnectionLimits
    from headtohead.deploy.dicom.receiver import ListenSettings

    share_one_heap()
    limits = ConnectionLimits(associations=associations, idle_s=idle, object_bytes=max_mb * MIB)
    settings = ListenSettings(host=host, port=port, title=ae_title, limits=limits, settle_s=settle)
    listen(
        model,
        out,
        settings,
        runtime=runtime,
        tell=lambda study: _print(study, True),
        ready=lambda at: print(
            f"Listening on {host}:{at} as {ae_title}. Ctrl-C stops.", file=sys.stderr, flush=True
        ),
    )


def _print(study: ReportedStudy, as_json: bool) -> None:
    if as_json:
        # Flushed, so that a program that reads along has each study at once.
        print(json.dumps(study.model_dump(mode="json"), ensure_ascii=False), flush=True)
        return
    if study.report is not None:
        print(f"{study.report}  {study.n_images} images")
    for one in study.failed:
        print(f"{one.file}: {one.reason}", file=sys.stderr)
