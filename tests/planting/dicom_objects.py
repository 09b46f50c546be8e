"""DICOM image objects with the headers that reports and receivers look at."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage, generate_uid

MULTI_FRAME = UID("1.2.840.10008.5.1.4.1.1.7.3")  # multi-frame greyscale word secondary capture
STUDY = "1.2.826.0.1.3680043.8.498.1"


def mr_dataset(pixels: npt.NDArray[Any] | None = None, **changes: Any) -> Dataset:
    """Return an MR image (or, with several frames, a multi-frame capture) of a made-up patient.

    Args:
        pixels: (H, W) or (frames, H, W), 12 bits; noise if None.
        changes: elements by keyword; None removes one.
    """
    if pixels is None:
        pixels = np.random.default_rng(0).integers(0, 4000, (32, 32))
    frames = pixels.shape[0] if pixels.ndim == 3 else 1
    dataset = Dataset()
    dataset.SOPClassUID = MULTI_FRAME if frames > 1 else MRImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = STUDY, f"{STUDY}.2"
    dataset.PatientName, dataset.PatientID, dataset.Modality = "Doe^Jane", "P1", "MR"
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20200102", "101500", "7"
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    if frames > 1:
        dataset.NumberOfFrames = frames
    dataset.PixelData = pixels.astype("<u2").tobytes()
    for keyword, value in changes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
        dataset.SOPClassUID,
        dataset.SOPInstanceUID,
    )
    dataset.file_meta = meta
    return dataset


def mr_bytes(pixels: npt.NDArray[Any] | None = None, **changes: Any) -> bytes:
    """Return `mr_dataset` as the bytes of a file."""
    stream = io.BytesIO()
    mr_dataset(pixels, **changes).save_as(stream, enforce_file_format=True)
    return stream.getvalue()
