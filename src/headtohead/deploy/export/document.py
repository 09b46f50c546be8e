"""What travels inside an exported file: the bundle's records but its network, and how far the answers are apart."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError

from headtohead.core.errors import BundleError
from headtohead.core.records import Record
from headtohead.deploy.bundle.records import (
    BundleCalibration,
    BundleConfig,
    BundleEstimate,
    GuardReference,
    PreprocessorConfig,
)
from headtohead.deploy.export.parity import Parity

__all__ = ["EXPORT_FORMAT", "ExportDocument", "StoredArray"]

EXPORT_FORMAT = 1


class StoredArray(Record):
    """An array of float32 as text."""

    shape: tuple[int, ...]
    data: str

    @classmethod
    def of(cls, array: npt.NDArray[Any]) -> StoredArray:
        """Return an array as text."""
        # the file travels: little-endian on every machine
        content = np.ascontiguousarray(array, dtype="<f4").tobytes()
        return cls(shape=array.shape, data=base64.b64encode(content).decode())

    def array(self) -> npt.NDArray[np.float32]:
        """Return the array."""
        # Without `validate` b64decode drops what is not base64, and damage would pass.
        values = np.frombuffer(base64.b64decode(self.data, validate=True), dtype="<f4")
        return values.reshape(self.shape).astype(np.float32)


class ExportDocument(Record):
    """The description inside an exported file.

    Attributes:
        version: of headtohead that wrote it.
        digest: of the bundle it was made from.
        config, preprocessing, calibration, reference, estimate: as in the bundle.
        guard: arrays of the guard's distance to the training images.
        parity: how the file's answers differ from the bundle's; None only while the file is being written.
    """

    format: int = EXPORT_FORMAT
    version: str
    digest: str
    config: BundleConfig
    preprocessing: PreprocessorConfig
    calibration: BundleCalibration
    reference: GuardReference
    estimate: BundleEstimate
    guard: dict[str, StoredArray] = Field(default_factory=dict)
    parity: Parity | None = None

    @classmethod
    def parse(cls, text: str, name: str = "The file") -> ExportDocument:
        """Read the document of an exported file.

        Raises:
            BundleError: a newer format, or no document of ours.
        """
        try:
            found = json.loads(text)
            stated = found.get("format") if isinstance(found, dict) else None
            # Before validation, which would complain of the fields of a newer format instead.
            if isinstance(stated, int) and stated > EXPORT_FORMAT:
                raise BundleError(
                    f"{name} was exported in format {stated}; this version reads {EXPORT_FORMAT}. Update headtohead."
                )
            return cls.model_validate(found)
        except (json.JSONDecodeError, ValidationError, RecursionError) as error:
            raise BundleError(
                f"{name} holds a description that cannot be read ({type(error).__name__})."
            ) from error

    def guard_tensors(self) -> Mapping[str, npt.NDArray[np.float32]]:
        """Return the guard's arrays."""
        return {name: stored.array() for name, stored in self.guard.items()}
