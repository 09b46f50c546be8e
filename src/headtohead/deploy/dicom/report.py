"""A DICOM Structured Report (TID 1500) of what a model said about the images of one study.

UNVERIFIED, marked as research twice (series description, content qualification), with the algorithm's name,
version and the digest of its bundle. Patient and study attributes are copied from the images and nowhere else.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

from headtohead.core.errors import UnreadableError
from headtohead.core.optional import require
from headtohead.data.readers.errors import decoding_errors
from headtohead.data.readers.silence import suppress_library_output
from headtohead.deploy.dicom.headers import SourceHeader

if TYPE_CHECKING:
    from pydicom.sr.coding import Code

__all__ = ["Algorithm", "ImageFinding", "StudyReport", "build_report"]

SCHEME = "99HEADTOHEAD"  # private coding schemes start with 99 (DICOM PS3.16, chapter 8)
SCHEME_NAME = "headtohead: classes and results of a model trained on the user's own labels"
RESEARCH = "RESEARCH ONLY"
MANUFACTURER = "headtohead (research software)"
LONG = 64  # characters of a code's meaning, of a series description (VR LO)
SERIES_NUMBER = 9101  # far from the numbers that scanners give
YES, NO = ("373066001", "SCT", "Yes"), ("373067005", "SCT", "No")


@dataclass(frozen=True, slots=True)
class Algorithm:
    """The model behind a report.

    Attributes:
        name: of the bundle.
        version: of headtohead.
        digest: sha256 of the bundle.
        classes: names, in the model's order.
        parameters: further sentences, such as the threshold and what the model was tested on.
    """

    name: str
    version: str
    digest: str
    classes: tuple[str, ...]
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageFinding:
    """What the model said about one image (one frame) of a DICOM object.

    Attributes:
        frame: from 0.
        probabilities: class -> probability.
        predicted: the class at the model's threshold.
        members: classes of the conformal set; empty also where the model has no sets.
        abstains: the model gives no answer.
        flags: what the guard noticed.
    """

    source: SourceHeader
    probabilities: Mapping[str, float]
    predicted: str
    members: tuple[str, ...] = ()
    abstains: bool = False
    flags: tuple[str, ...] = ()
    frame: int = 0


@dataclass(frozen=True, slots=True)
class StudyReport:
    """A finished report.

    Attributes:
        content: the DICOM file.
        sop: the report's own UID.
        n_images: images it speaks about.
    """

    content: bytes
    sop: str
    n_images: int


def build_report(algorithm: Algorithm, findings: Sequence[ImageFinding], *, complete: bool) -> StudyReport:
    """Return the Structured Report of one study.

    Args:
        algorithm: the model.
        findings: at least one, all of one study and one patient.
        complete: False where other images of the study could not be judged; the report is then PARTIAL.

    Raises:
        UnreadableError: several studies or patients, or attributes that no report can carry.
        MissingExtraError: highdicom is not installed.
    """
    sr = require("highdicom.sr", "dicom", "write Structured Reports")
    _check_one_study(findings)
    with (
        suppress_library_output(),
        decoding_errors("the attributes of its study cannot be put into a report"),
    ):
        content = _content(sr, algorithm, findings)
        report = _document(sr, algorithm, findings, content, complete)
        stream = io.BytesIO()
        report.save_as(stream, enforce_file_format=True)
    return StudyReport(stream.getvalue(), str(report.SOPInstanceUID), len(findings))


def _check_one_study(findings: Sequence[ImageFinding]) -> None:
    if not findings:
        raise UnreadableError("none of the study's images could be judged, so there is nothing to report")
    if len({(one.source.study, one.source.patient) for one in findings}) > 1:
        raise UnreadableError(
            "its images name several patients in one study; a report would belong to nobody: sort the images first"
        )


def _document(
    sr: Any, algorithm: Algorithm, findings: Sequence[ImageFinding], content: Any, complete: bool
) -> Any:
    from highdicom.coding_schemes import CodingSchemeIdentificationItem
    from pydicom.uid import generate_uid

    headers = {one.source.sop: one.source.dataset for one in findings}
    scheme = CodingSchemeIdentificationItem(designator=SCHEME, name=SCHEME_NAME)
    return sr.EnhancedSR(
        evidence=[*headers.values()],
        content=content,
        series_instance_uid=generate_uid(prefix=None),
        series_number=SERIES_NUMBER,
        sop_instance_uid=generate_uid(prefix=None),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=algorithm.name[:LONG],
        software_versions=algorithm.version[:LONG],
        device_serial_number=algorithm.digest[:LONG],  # the 64 hex digits of a sha256 just fit
        is_complete=complete,
        is_final=False,  # PRELIMINARY: no person has read it
        is_verified=False,
        series_description=f"{RESEARCH}: headtohead {algorithm.name}"[:LONG],
        content_qualification="RESEARCH",
        coding_schemes=[scheme],
        specific_character_set="ISO_IR 192",  # UTF-8: class names come in any script
    )


def _content(sr: Any, algorithm: Algorithm, findings: Sequence[ImageFinding]) -> Any:
    from pydicom.sr.codedict import codes

    device = sr.DeviceObserverIdentifyingAttributes(
        # From the digest, so that every report of one model names one device (PS3.5 B.2: 2.25 and a UUID).
        uid=f"2.25.{uuid5(NAMESPACE_OID, algorithm.digest).int}",
        name="headtohead",
        manufacturer_name=MANUFACTURER,
        model_name=algorithm.name[:LONG],
    )
    observer = sr.ObserverContext(observer_type=codes.DCM.Device, observer_identifying_attributes=device)
    return sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=_code("363679005", "SCT", "Imaging procedure"),
        imaging_measurements=[_group(sr, algorithm, one, n) for n, one in enumerate(findings, 1)],
        title=codes.DCM.ImagingMeasurementReport,
    )


def _group(sr: Any, algorithm: Algorithm, one: ImageFinding, number: int) -> Any:
    # frames count from 1 in DICOM; an object of one frame is referred to as a whole
    frames = [one.frame + 1] if one.source.n_frames > 1 else None
    image = sr.SourceImageForMeasurementGroup(
        str(one.source.dataset.SOPClassUID), one.source.sop, referenced_frame_numbers=frames
    )
    identity = sr.AlgorithmIdentification(
        name=f"headtohead {algorithm.name}",
        version=algorithm.version,
        parameters=[
            f"bundle sha256 {algorithm.digest}",
            f"{RESEARCH}: not for diagnosis",
            *algorithm.parameters,
        ],
    )
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(identifier=f"image {number}"),
        algorithm_id=identity,
        measurements=[
            sr.Measurement(
                # by place, since a code's value has 16 characters at most and a class name may have more
                name=_code(f"PROB-{place}", SCHEME, f"Probability of {name}"),
                value=round(one.probabilities[name], 6),  # further digits depend on the batch
                unit=_code("1", "UCUM", "no units"),
            )
            for place, name in enumerate(algorithm.classes, 1)
        ],
        qualitative_evaluations=_evaluations(sr, algorithm, one),
        source_images=[image],
    )


def _evaluations(sr: Any, algorithm: Algorithm, one: ImageFinding) -> list[Any]:
    class_code = {
        name: _code(f"CLASS-{place}", SCHEME, name) for place, name in enumerate(algorithm.classes, 1)
    }
    pairs = [(_code("PREDICTED", SCHEME, "Predicted class"), class_code[one.predicted])]
    pairs += [
        (_code("INSET", SCHEME, "Class in the prediction set"), class_code[name]) for name in one.members
    ]
    pairs.append((_code("ABSTAINS", SCHEME, "Model abstains"), _code(*(YES if one.abstains else NO))))
    pairs += [(_code("FLAG", SCHEME, "Flag of the input guard"), _flag(flag)) for flag in one.flags]
    return [sr.QualitativeEvaluation(name=name, value=value) for name, value in pairs]


def _flag(flag: str) -> Code:
    """Return a flag as a code; its value has 16 characters at most (VR SH)."""
    return _code(flag.upper().replace("_", "-")[:16], SCHEME, flag)


def _code(value: str, scheme: str, meaning: str) -> Code:
    from pydicom.sr.coding import Code

    return Code(value, scheme, meaning[:LONG])
