"""From DICOM files to one report per study."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headtohead._version import __version__
from headtohead.core.atomic_io import write_atomic
from headtohead.core.errors import UnreadableError, UsageError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Record
from headtohead.data.readers.limits import DEFAULT_LIMITS, Limits
from headtohead.deploy.dicom.headers import SourceHeader, read_header
from headtohead.deploy.dicom.report import Algorithm, ImageFinding, StudyReport, build_report
from headtohead.deploy.prediction import ImagePrediction, ImagePredictor

__all__ = ["FailedFile", "ReportedStudy", "report_study", "reporting", "write_reports"]

BATCH = 16  # files whose bytes are in memory at one time


class FailedFile(Record):
    """A file that is in no report, and why."""

    file: str
    reason: str


class ReportedStudy(Record):
    """One study of the input.

    Attributes:
        report: path of the Structured Report, or None where none could be written.
        n_images: images in the report.
        failed: files of the study that are not in it.
    """

    report: str | None
    n_images: int
    failed: tuple[FailedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class _Judged:
    """A study's report, if one could be built, and the files that are not in it."""

    report: StudyReport | None
    failed: tuple[FailedFile, ...]


def write_reports(
    model: ImagePredictor,
    source: Path,
    out: Path,
    *,
    limits: Limits = DEFAULT_LIMITS,
    reporter: Reporter = QUIET,
) -> list[ReportedStudy]:
    """Write one Structured Report per study of a DICOM file or a folder of them.

    Args:
        model: a loaded bundle.
        source: searched with all its folders; files that are not DICOM images are listed, not skipped.
        out: folder for the reports, named by their own UID.

    Returns:
        One row per study, and a last one for files that belong to none.

    Raises:
        UsageError: nothing to read there.
    """
    studies, lost = _by_study(_files(source), limits, reporter)
    rows = []
    for paths in reporter.progress([*studies.values()], "studies", len(studies)):
        judged = report_study(model, paths, limits=limits)
        rows.append(_write(judged, out))
    return [*rows, ReportedStudy(report=None, n_images=0, failed=tuple(lost))] if lost else rows


def report_study(model: ImagePredictor, paths: Sequence[Path], *, limits: Limits = DEFAULT_LIMITS) -> _Judged:
    """Judge the images of one study and build its report."""
    findings: list[ImageFinding] = []
    failed: list[FailedFile] = []
    for start in range(0, len(paths), BATCH):
        contents = [(path.name, path.read_bytes()) for path in paths[start : start + BATCH]]
        for (name, content), result in zip(contents, model.predict_bytes(contents), strict=True):
            if result.error is not None:
                failed.append(FailedFile(file=name, reason=str(result.error)))
            else:
                findings.append(_finding(read_header(content, limits), result))
    try:
        return _Judged(build_report(_algorithm(model), findings, complete=not failed), tuple(failed))
    except UnreadableError as error:
        rest = [FailedFile(file=path.name, reason=str(error)) for path in paths]
        known = {one.file for one in failed}
        return _Judged(None, (*failed, *(one for one in rest if one.file not in known)))


def _finding(source: SourceHeader, prediction: ImagePrediction) -> ImageFinding:
    return ImageFinding(
        source,
        prediction.probabilities,
        str(prediction.predicted),
        prediction.set,
        prediction.abstains,
        prediction.flags,
    )


def _algorithm(model: ImagePredictor) -> Algorithm:
    return Algorithm(
        model.name, __version__, model.digest, tuple(model.classes), tuple(_told(model.estimate))
    )


def _told(estimate: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the model was tested on, and the caveats that go with every answer."""
    if estimate.get("n_samples"):
        yield f"estimated by cross-validation on {estimate['n_samples']} images of {estimate.get('n_groups')} groups"
    if estimate.get("sentence"):
        yield str(estimate["sentence"])
    yield from (str(caveat) for caveat in estimate.get("caveats", ()))


def _write(judged: _Judged, out: Path) -> ReportedStudy:
    if judged.report is None:
        return ReportedStudy(report=None, n_images=0, failed=judged.failed)
    path = out / f"SR-{judged.report.sop}.dcm"
    write_atomic(path, judged.report.content)
    return ReportedStudy(report=str(path), n_images=judged.report.n_images, failed=judged.failed)


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    found = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else []
    if not found:
        raise UsageError(f"Got {source}, which holds no file; expected a DICOM file or a folder of them.")
    return found


def _by_study(
    paths: Iterable[Path], limits: Limits, reporter: Reporter
) -> tuple[dict[str, list[Path]], list[FailedFile]]:
    """Return study -> its files, and the files that belong to none."""
    studies: dict[str, list[Path]] = {}
    lost: list[FailedFile] = []
    every = [*paths]
    for path in reporter.progress(every, "headers", len(every)):
        try:
            # before reading: a folder may hold a file of any size
            if path.stat().st_size > limits.bytes:
                raise UnreadableError(f"it has {path.stat().st_size:,} bytes; the limit is {limits.bytes:,}")
            studies.setdefault(read_header(path.read_bytes(), limits).study, []).append(path)
        except (UnreadableError, OSError) as error:
            lost.append(FailedFile(file=str(path), reason=str(error)))
    return studies, lost


def reporting(
    model: ImagePredictor, out: Path, tell: Callable[[ReportedStudy], None]
) -> Callable[[list[Path]], None]:
    """Return what a receiver calls with the files of a finished study.

    Raises (when called):
        UnreadableError: no report could be built; the receiver keeps the images.
    """

    def report(paths: list[Path]) -> None:
        done = _write(report_study(model, paths), out)
        if done.report is None:
            raise UnreadableError(done.failed[0].reason if done.failed else "nothing to report")
        tell(done)

    return report
