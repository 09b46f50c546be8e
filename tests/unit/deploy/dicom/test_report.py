"""Structured Reports, read back by highdicom."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from tests.planting.dicom_objects import STUDY, mr_bytes

from headtohead.core.errors import UnreadableError
from headtohead.deploy.dicom.headers import read_header
from headtohead.deploy.dicom.report import Algorithm, ImageFinding, StudyReport, build_report

hd = pytest.importorskip("highdicom")
ALGORITHM = Algorithm("lite0 on brain MRI", "0.1.0", "ab" * 32, ("no", "yes"), ("threshold 0.42",))


def finding(content: bytes, probability: float = 0.75, **more: Any) -> ImageFinding:
    label = "yes" if probability >= 0.42 else "no"
    return ImageFinding(read_header(content), {"no": 1 - probability, "yes": probability}, label, **more)


def read_back(report: StudyReport) -> Any:
    return hd.sr.srread(io.BytesIO(report.content))


def test_is_a_measurement_report_unverified_and_for_research_only() -> None:
    back = read_back(build_report(ALGORITHM, [finding(mr_bytes())], complete=True))
    assert isinstance(back.content, hd.sr.MeasurementReport)
    assert back.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert (back.VerificationFlag, back.CompletionFlag, back.PreliminaryFlag) == (
        "UNVERIFIED", "COMPLETE", "PRELIMINARY",
    )  # fmt: skip
    assert back.SeriesDescription.startswith("RESEARCH ONLY") and back.ContentQualification == "RESEARCH"


def test_names_the_algorithm_with_the_digest_of_its_bundle() -> None:
    back = read_back(build_report(ALGORITHM, [finding(mr_bytes())], complete=True))
    (group,) = back.content.get_image_measurement_groups()
    told = {item.value for item in group[0].ContentSequence if item.ValueType == "TEXT"}
    assert {"bundle sha256 " + "ab" * 32, "headtohead lite0 on brain MRI", "0.1.0", "threshold 0.42"} <= told
    assert back.DeviceSerialNumber == "ab" * 32


def test_holds_each_images_probabilities_label_set_abstention_and_flags() -> None:
    one = finding(mr_bytes(), 0.75, members=("yes", "no"), abstains=True, flags=("far_from_training",))
    two = finding(mr_bytes(np.zeros((3, 8, 8))), 0.1, frame=2)
    back = read_back(build_report(ALGORITHM, [one, two], complete=True))
    first, second = back.content.get_image_measurement_groups()
    numbers = {m.name.meaning: float(m.value) for m in first.get_measurements()}
    assert numbers == {"Probability of no": 0.25, "Probability of yes": 0.75}
    told = [(q.name.meaning, q.value.meaning) for q in first.get_qualitative_evaluations()]
    assert told == [
        ("Predicted class", "yes"),
        ("Class in the prediction set", "yes"),
        ("Class in the prediction set", "no"),
        ("Model abstains", "Yes"),
        ("Flag of the input guard", "far_from_training"),
    ]
    (source,) = second.source_images
    assert source.referenced_sop_instance_uid == two.source.sop and source.referenced_frame_numbers == [3]


def test_belongs_to_the_study_of_its_images_and_copies_the_patient() -> None:
    content = mr_bytes(SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Jörg")
    report = build_report(ALGORITHM, [finding(content)], complete=True)
    back = read_back(report)
    assert (back.StudyInstanceUID, back.PatientName, back.PatientID) == (STUDY, "Müller^Jörg", "P1")
    assert back.SeriesInstanceUID != f"{STUDY}.2" and back.SOPInstanceUID == report.sop


def test_is_partial_where_images_could_not_be_judged() -> None:
    assert (
        read_back(build_report(ALGORITHM, [finding(mr_bytes())], complete=False)).CompletionFlag == "PARTIAL"
    )


def test_long_names_fit_their_elements() -> None:
    algorithm = Algorithm("n" * 200, "0.1.0", "cd" * 32, ("c" * 90, "d" * 90))
    one = ImageFinding(read_header(mr_bytes()), {"c" * 90: 0.123456789, "d" * 90: 0.876543211}, "c" * 90)
    back = read_back(build_report(algorithm, [one], complete=True))
    assert len(back.SeriesDescription) == 64


def test_refuses_two_patients_in_one_study() -> None:
    with pytest.raises(UnreadableError, match="several patients"):
        build_report(ALGORITHM, [finding(mr_bytes()), finding(mr_bytes(PatientID="P2"))], complete=True)


def test_refuses_an_empty_study() -> None:
    with pytest.raises(UnreadableError, match="nothing to report"):
        build_report(ALGORITHM, [], complete=True)


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_a_hostile_attribute_is_an_explained_error_that_does_not_quote_it() -> None:
    with pytest.raises(UnreadableError) as caught:
        build_report(ALGORITHM, [finding(mr_bytes(StudyDate="SECRET-1"))], complete=True)
    assert "SECRET" not in str(caught.value)


def test_reports_of_one_model_name_one_device() -> None:
    def device(algorithm: Algorithm) -> str:
        back = read_back(build_report(algorithm, [finding(mr_bytes())], complete=True))
        names = {"121012": "Device Observer UID"}
        (uid,) = [
            item.UID
            for item in back.ContentSequence
            if item.ConceptNameCodeSequence[0].CodeValue in names and item.ValueType == "UIDREF"
        ]
        return str(uid)

    other = Algorithm("lite0 on brain MRI", "0.1.0", "cd" * 32, ("no", "yes"), ("threshold 0.42",))
    assert device(ALGORITHM) == device(ALGORITHM) != device(other)
    assert device(ALGORITHM).startswith("2.25.") and len(device(ALGORITHM)) <= 64
