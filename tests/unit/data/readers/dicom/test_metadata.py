"""No name, id, date, UID, institution or private value of a DICOM file comes out of a reader."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import count_frames, read_image
from headtohead.data.readers.dicom.metadata import pseudonym

Maker = Callable[..., bytes]
SECRETS = (
    "ZZPATIENT",
    "ZZID4711",
    "19630504",
    "1.2.826.777",
    "ZZHOSPITAL",
    "ZZPRIVATE",
    "ZZDOCTOR",
    "ZZTEXT",
)
PIXELS = np.arange(48, dtype=np.uint16).reshape(6, 8)


def planted(dicom: Maker, **elements: Any) -> bytes:
    """A file with secrets in public, nested and private elements."""
    content = dicom(
        PIXELS,
        PatientName="ZZPATIENT^Jane",
        PatientID="ZZID4711",
        PatientBirthDate="19630504",
        StudyDate="19630504",
        AccessionNumber="ZZID4711",
        StudyInstanceUID="1.2.826.777.1",
        SeriesInstanceUID="1.2.826.777.2",
        InstitutionName="ZZHOSPITAL",
        ReferringPhysicianName="ZZDOCTOR",
        StudyDescription="ZZTEXT",
        SeriesDescription="ZZTEXT",
        ImageComments="ZZPATIENT",
        Manufacturer="ZZTEXT Medical of ZZPATIENT",
        ViewPosition="ZZTEXT",
        ImageLaterality="ZZTEXT",
        WindowCenter="20",
        WindowWidth="30",
        WindowCenterWidthExplanation="ZZPATIENT",
    )
    dataset = pydicom.dcmread(io.BytesIO(content))
    block = dataset.private_block(0x0029, "ZZPRIVATE", create=True)
    block.add_new(0x10, "LO", "ZZPRIVATE")
    inner = Dataset()
    inner.PatientName = "ZZPATIENT^Nested"
    dataset.OriginalAttributesSequence = Sequence([inner])
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def leaks(*things: object) -> list[str]:
    words = " ".join(repr(thing) + str(thing) for thing in things)
    return [secret for secret in SECRETS if secret in words]


def test_the_planted_file_holds_all_secrets(dicom: Maker) -> None:
    content = planted(dicom)
    assert all(secret.encode() in content for secret in SECRETS)
    assert leaks("ZZHOSPITAL") == ["ZZHOSPITAL"]


def test_no_secret_is_in_an_image(dicom: Maker, capfd: Any, caplog: Any) -> None:
    with caplog.at_level(logging.DEBUG):
        image = read_image(planted(dicom), name="scan.dcm")
    assert np.array_equal(image.pixels, PIXELS)
    assert leaks(image, dict(image.facts), image.history, image.mode, image.format) == []
    assert leaks(capfd.readouterr(), caplog.text) == []
    assert image.facts["manufacturer"] == image.facts["view"] == image.facts["laterality"] == "other"


BREAKS: dict[str, dict[str, Any]] = {
    "photometric": {"PhotometricInterpretation": "ZZTEXT"},
    "modality": {"Modality": "ZZTEXT"},
    "planes": {"SamplesPerPixel": 2},
    "rows": {"Rows": 60000},
}


@pytest.mark.parametrize("what", sorted(BREAKS))
def test_no_secret_is_in_an_error(dicom: Maker, what: str, capfd: Any, caplog: Any) -> None:
    content = planted(dicom, **BREAKS[what])
    with caplog.at_level(logging.DEBUG):
        try:
            found: object = read_image(content)
        except UnreadableError as error:
            found = (error, error.__cause__, error.__context__)
            assert error.__cause__ is None
    assert leaks(found, capfd.readouterr(), caplog.text) == []


@pytest.mark.parametrize("keyword", ["WindowCenter", "WindowWidth", "RescaleSlope", "NumberOfFrames"])
def test_no_secret_is_in_an_error_of_damaged_elements(
    dicom: Maker, keyword: str, capfd: Any, caplog: Any
) -> None:
    """A number overwritten with text: pydicom's own messages quote it."""
    content = planted(dicom, RescaleIntercept="0", **{keyword: "1234567"})
    damaged = content.replace(b"1234567", b"ZZTEXT1")
    assert damaged != content
    with caplog.at_level(logging.DEBUG):
        try:
            found: object = (read_image(damaged), count_frames(damaged))
        except UnreadableError as error:
            found = error
    assert leaks(found, capfd.readouterr(), caplog.text) == []


def test_truncation_anywhere_leaks_nothing(dicom: Maker, capfd: Any) -> None:
    content = planted(dicom)
    for cut in range(100, len(content), 7):
        try:
            found: object = read_image(content[:cut])
        except UnreadableError as error:
            found = error
        assert leaks(found) == []
    assert leaks(capfd.readouterr()) == []


def test_hashes_tell_patients_apart_and_depend_on_the_salt(dicom: Maker) -> None:
    one, two = read_image(planted(dicom)), read_image(planted(dicom, PatientID="other"))
    assert one.facts["patient"] != two.facts["patient"]
    assert one.facts["series"] == two.facts["series"]
    assert one.facts["patient"] == read_image(planted(dicom, Rows=6)).facts["patient"]
    salted = read_image(planted(dicom), salt=b"of this hospital")
    assert salted.facts == read_image(planted(dicom), salt=b"of this hospital").facts
    assert salted.facts["patient"] != one.facts["patient"]
    assert len(one.facts["patient"]) == 16
    assert "patient" not in read_image(planted(dicom, PatientID="")).facts


def test_no_salt_is_public(dicom: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands for an id without a salt of one's own differs in every process."""
    here = read_image(planted(dicom)).facts["patient"]
    monkeypatch.setattr("headtohead.data.readers.read._SECRET", b"another")
    assert read_image(planted(dicom)).facts["patient"] != here


def test_pseudonyms_keep_kinds_and_borders_apart() -> None:
    assert pseudonym("7", "patient", b"s") != pseudonym("7", "series", b"s")
    assert pseudonym("b", "a", b"s") != pseudonym("ab", "", b"s")
    assert pseudonym("", "patient", b"s") == ""


def test_harmless_facts_pass(dicom: Maker) -> None:
    content = planted(
        dicom, Modality="DX", Manufacturer="GE MEDICAL SYSTEMS", ViewPosition="PA", BurnedInAnnotation="YES",
        ImageLaterality="L", LossyImageCompression="01",
    )  # fmt: skip
    facts = dict(read_image(content).facts)
    assert facts.pop("patient")
    assert facts.pop("series")
    assert facts == {
        "photometric": "MONOCHROME2",
        "transfer_syntax": "Explicit VR Little Endian",
        "modality": "DX",
        "manufacturer": "ge",
        "view": "PA",
        "laterality": "L",
        "burned_in_annotation": "yes",
        "lossy": "yes",
    }
