"""DICOM from Python: reports of studies, and a receiver."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from headtohead.api.arguments import path_of, reporter_for
from headtohead.core.atomic_io import check_writable

if TYPE_CHECKING:
    from headtohead.deploy.dicom.receiver import ListenSettings
    from headtohead.deploy.dicom.studies import ReportedStudy
    from headtohead.deploy.prediction import ImagePredictor

__all__ = ["listen", "write_dicom_reports"]


def write_dicom_reports(
    model: str | os.PathLike[str],
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    runtime: str | None = None,
    quiet: bool = False,
) -> list[ReportedStudy]:
    """Write a DICOM Structured Report (TID 1500) of what a model says about each study.

    Args:
        model: a bundle or an exported model.
        source: a DICOM file or a folder of them.
        out: folder for the reports.
        runtime: "torch", "openvino", "onnxruntime", or "auto" for the fastest that agrees with torch.
        quiet: show no progress.

    Returns:
        One row per study: the report's path, its images, and the files that are not in it.

    Raises:
        UsageError: nothing to read there.
        MissingExtraError: the extra `dicom`, or the runtime, is not installed.
        PrecisionError: the runtime asked for does not agree with torch.
    """
    from headtohead.core.optional import require
    from headtohead.deploy.dicom.studies import write_reports

    require("highdicom.sr", "dicom", "write Structured Reports")  # before a model is loaded
    reporter = reporter_for(quiet)
    return write_reports(
        _load(model, runtime),
        path_of(source, "source"),
        check_writable(path_of(out, "out"), folder=True),
        reporter=reporter,
    )


def listen(
    model: str | os.PathLike[str],
    out: str | os.PathLike[str],
    settings: ListenSettings,
    *,
    runtime: str | None = None,
    tell: Callable[[ReportedStudy], None],
    ready: Callable[[int], None],
) -> None:
    """Receive DICOM images until SIGTERM or SIGINT, and leave a report per study.

    Args:
        model: a bundle or an exported model.
        out: folder for the reports; received images wait in its sub-folder `inbox`.
        settings: where to listen, and the limits.
        runtime: as in `write_dicom_reports`.
        tell: called with each finished study.
        ready: called with the port once it is open.

    Raises:
        UsageError: the address is not available.
        MissingExtraError: the extra `dicom`, or the runtime, is not installed.
        PrecisionError: the runtime asked for does not agree with torch.
    """
    from headtohead.core.optional import require
    from headtohead.deploy.dicom.receiver import DicomReceiver
    from headtohead.deploy.dicom.studies import reporting

    require("highdicom.sr", "dicom", "write Structured Reports")  # before a model is loaded
    folder = check_writable(path_of(out, "out"), folder=True)
    loaded = _load(model, runtime)
    receiver = DicomReceiver(
        reporting(loaded, folder, tell), folder / "inbox", settings, reporter_for(quiet=False)
    )
    stop = threading.Event()
    # The event alone is set, so that the study in work has its report.
    before = {name: signal.signal(name, lambda *_: stop.set()) for name in (signal.SIGTERM, signal.SIGINT)}
    try:
        receiver.start()
        ready(receiver.port)
        stop.wait()
        receiver.stop()
    finally:
        for name, handler in before.items():  # those of the calling program
            signal.signal(name, handler)


def _load(model: str | os.PathLike[str], runtime: str | None) -> ImagePredictor:
    from headtohead.deploy.load import load_model

    return load_model(path_of(model, "model"), runtime=runtime, reporter=reporter_for(quiet=False))
