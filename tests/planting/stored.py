"""Images as the bytes of a file, in every format that the loader reads."""

from __future__ import annotations

import io
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

Pixels = npt.NDArray[Any]
File = tuple[str, bytes]
"""Suffix and content."""


def pillow(pixels: Pixels, suffix: str, kind: str, mode: str | None = None, **more: Any) -> File:
    """Return a file that Pillow writes."""
    source = Image.fromarray(np.ascontiguousarray(pixels))
    out = io.BytesIO()
    (source.convert(mode) if mode else source).save(out, kind, **more)
    return suffix, out.getvalue()


def png(pixels: Pixels, **more: Any) -> File:
    return pillow(pixels, ".png", "PNG", **more)


def jpeg(pixels: Pixels, quality: int = 90, **more: Any) -> File:
    return pillow(pixels, ".jpg", "JPEG", quality=quality, **more)


def noted_png(pixels: Pixels) -> File:
    """Return a PNG with a text of its own: other bytes, equal pixels."""
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "exported again")
    return png(pixels, pnginfo=notes)


def oriented(pixels: Pixels) -> File:
    """Return a JPEG that is stored turned and says so (EXIF orientation 6)."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return jpeg(np.rot90(pixels), 95, exif=exif)


def pages(*images: Pixels) -> File:
    """Return a TIFF of several pages."""
    first, *rest = [Image.fromarray(np.ascontiguousarray(one)) for one in images]
    out = io.BytesIO()
    first.save(out, "TIFF", save_all=True, append_images=rest)
    return ".tif", out.getvalue()


def dicom(pixels: Pixels, patient: str = "", bits: int = 8) -> File:
    """Return a DICOM file of one frame (H, W) or several (n, H, W)."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = UID("1.2.3.4")
    out = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    out.SOPClassUID, out.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3.4"
    out.PatientID, out.PatientName, out.Modality = patient, "Planted^Name", "MR"
    out.SamplesPerPixel, out.PhotometricInterpretation = 1, "MONOCHROME2"
    out.Rows, out.Columns = pixels.shape[-2:]
    if pixels.ndim == 3:
        out.NumberOfFrames = len(pixels)
    out.BitsAllocated = 8 if bits == 8 else 16
    out.BitsStored, out.HighBit, out.PixelRepresentation = bits, bits - 1, 0
    plane = pixels.astype(np.uint8 if bits == 8 else np.uint16)
    out.add_new((0x7FE0, 0x0010), "OB" if bits == 8 else "OW", plane.tobytes())
    file = io.BytesIO()
    out.save_as(file, enforce_file_format=True)
    return ".dcm", file.getvalue()


def nifti(pixels: Pixels) -> File:
    """Return a NIfTI volume of one slice (H, W) or several (n, H, W)."""
    slices = pixels[None] if pixels.ndim == 2 else pixels
    volume = np.ascontiguousarray(np.moveaxis(slices, 0, -1).transpose(1, 0, 2)[:, ::-1])
    image: Any = nibabel.Nifti1Image(volume.astype(np.int16), np.eye(4))  # type: ignore[no-untyped-call]
    return ".nii", image.to_bytes()
