"""Facts of a DICOM file that may be written out: words of closed lists, and ids as salted hashes.

A free-text element (even a manufacturer's name) may hold anything, a patient's name included, so no
text of the file is passed on: it is matched against known words, and what is not known is "other".
"""

from __future__ import annotations

import hashlib

from pydicom.uid import UID

from headtohead.data.readers.dicom.parse import Dataset, first, from_groups, number, text
from headtohead.data.readers.dicom.placeholders import PLACEHOLDER, is_placeholder

__all__ = ["facts_of", "pseudonym", "spacing_of"]

_MAKERS = (
    "siemens", "ge", "philips", "toshiba", "canon", "hitachi", "fujifilm", "fuji", "agfa", "carestream",
    "kodak", "hologic", "lorad", "konica", "shimadzu", "samsung", "mindray", "esaote", "varian", "elekta",
    "bruker", "planmed", "sectra", "ims", "zeiss", "topcon", "heidelberg", "olympus", "leica", "hamamatsu",
    "aperio", "swissray", "acuson", "picker", "marconi", "imaging dynamics", "united imaging", "neusoft",
)  # fmt: skip
_MODALITY_WORDS = """AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID GM HC HD IO
    IOL IVOCT IVUS KER KO LEN LS M3D MG MR NM OAM OCT OP OPM OPR OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS
    PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SEG SM SMR
    SR SRF STAIN TEXTUREMAP TG US VA XA XAPROTOCOL XC DS FS AS CD"""
_MODALITIES = frozenset(_MODALITY_WORDS.split())
_PHOTOMETRIC_WORDS = """
MONOCHROME1 MONOCHROME2 RGB ARGB CMYK HSV XYB YBR_FULL YBR_FULL_422 YBR_PARTIAL_422 YBR_PARTIAL_420
YBR_ICT YBR_RCT
"""
_PHOTOMETRIC = frozenset(_PHOTOMETRIC_WORDS.split()) | {"PALETTE COLOR"}
_VIEW_WORDS = "AP PA LL RL RLD LLD RLO LLO CC MLO ML LM LMO XCCL XCCM SIO FB ISO"
_VIEWS = frozenset(_VIEW_WORDS.split())


def facts_of(dataset: Dataset, salt: bytes) -> dict[str, str]:
    """Return the harmless facts of a file by name.

    Always: photometric, transfer_syntax. Where stated: modality, manufacturer, view, laterality,
    burned_in_annotation, lossy, and `patient` and `series` as hashes (see `pseudonym`). A patient id
    that names nobody ("ANON", "0", none at all) gives `patient_placeholder` instead of `patient`.
    """
    patient = text(dataset, "PatientID")
    unknown = is_placeholder(patient)
    facts = {
        "photometric": _known(text(dataset, "PhotometricInterpretation"), _PHOTOMETRIC),
        "transfer_syntax": syntax_name(dataset),
    }
    stated = {
        "modality": _known(text(dataset, "Modality").upper(), _MODALITIES),
        "manufacturer": _maker(text(dataset, "Manufacturer")),
        "view": _known(text(dataset, "ViewPosition").upper(), _VIEWS),
        "laterality": _laterality(dataset),
        "burned_in_annotation": _known(text(dataset, "BurnedInAnnotation").lower(), frozenset(("yes", "no"))),
        "lossy": {"01": "yes", "00": "no"}.get(text(dataset, "LossyImageCompression"), ""),
        "patient": "" if unknown else pseudonym(patient, "patient", salt),
        PLACEHOLDER: "yes" if unknown else "",
        "series": pseudonym(text(dataset, "SeriesInstanceUID"), "series", salt),
    }
    return facts | {name: value for name, value in stated.items() if value}


def pseudonym(value: str, kind: str, salt: bytes) -> str:
    """Return 16 hexadecimal digits that stand for an id, the same for the same id and salt.

    Args:
        value: the id; "" gives "".
        kind: what it names ("patient", "series"), so that equal ids of two kinds differ.
        salt: secret bytes; with a public salt whoever guesses the id can confirm it.
    """
    if not value:
        return ""
    parts = (salt, kind.encode(), value.encode("utf-8", "surrogatepass"))
    # each with its length, or "ab" and "c" would give the hash of "a" and "bc"
    framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hashlib.sha256(framed).hexdigest()[:16]


def spacing_of(dataset: Dataset, index: int) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """Return (row, column) spacing in mm of a frame and the sentence that says where it is from.

    `PixelSpacing` is in the patient; `ImagerPixelSpacing` and `NominalScannedPixelSpacing` are on the
    detector or film, uncorrected for magnification, and serve where there is nothing better.
    """
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        value = from_groups(dataset, index, "PixelMeasuresSequence", keyword)
        if value is None or isinstance(value, (str, int, float)) or len(value) != 2:
            continue
        row, column = number(value[0]), number(value[1])
        if row is not None and column is not None and row > 0 and column > 0:
            notes = () if keyword == "PixelSpacing" else (f"Spacing taken from {keyword} (at the detector).",)
            return (row, column), notes
    return None, ()


def syntax_name(dataset: Dataset) -> str:
    """Return the standard's name of the transfer syntax, "not stated" or "unknown"."""
    meta = getattr(dataset, "file_meta", None)
    uid = meta.get("TransferSyntaxUID") if meta is not None else None
    if not uid:
        return "not stated"
    uid = UID(str(first(uid)))
    # an unknown UID is its own name in pydicom, and may hold anything
    return str(uid.name) if uid.name != uid and uid.is_transfer_syntax else "unknown"


def modality_of(dataset: Dataset) -> str:
    """Return the modality if it is one of the standard's, else ""."""
    modality = _known(text(dataset, "Modality").upper(), _MODALITIES)
    return "" if modality == "other" else modality


def _known(value: str, words: frozenset[str]) -> str:
    return value if value in words or not value else "other"


def _maker(value: str) -> str:
    if not value:
        return ""
    # whole words: "ge" is in "imaging" too
    words = f" {''.join(c if c.isalnum() else ' ' for c in value.lower())} "
    return next((maker for maker in _MAKERS if f" {maker} " in words), "other")


def _laterality(dataset: Dataset) -> str:
    value = text(dataset, "ImageLaterality") or text(dataset, "Laterality")
    return _known(value.upper(), frozenset("LRBU"))
