"""What a MONAI bundle's configuration names: the network, the preparation of an image, the calibration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from headtohead.deploy.export.exported_files import open_exported
from headtohead.deploy.predict.calibrated import calibrated
from headtohead.deploy.predict.prepare import Preprocessor

__all__ = ["CalibratedProbabilities", "PrepareImage", "ProgramNetwork"]


class ProgramNetwork(nn.Module):
    """The bundle's torch program as a module that MONAI's evaluators can put into evaluation mode.

    Args:
        path: of the .pt2 file.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self._program = open_exported(Path(path))[1]

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, k) of prepared images (n, 3, S, S)."""
        logits = self._program.forward(np.ascontiguousarray(images.cpu(), dtype=np.float32))
        return torch.from_numpy(logits).to(images.device)


class PrepareImage:
    """Read a file and prepare it by the recipe inside the program: {"image": path} -> {"image": (3, S, S)}.

    Args:
        path: of the .pt2 file.
    """

    def __init__(self, path: str) -> None:
        self._preprocessor = Preprocessor(open_exported(Path(path))[0].preprocessing)

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the item with its image prepared, and the file's name where MONAI's savers look for it."""
        name = str(data["image"])
        prepared = self._preprocessor.from_bytes(name, Path(name).read_bytes())
        return {
            **data,
            "image": torch.from_numpy(prepared.inputs[0]),
            "image_meta_dict": {"filename_or_obj": name},
        }


class CalibratedProbabilities:
    """Turn logits into the model's calibrated probabilities.

    Args:
        path: of the .pt2 file.
        keys: of the logits in an item.
    """

    def __init__(self, path: str, keys: str = "pred") -> None:
        self._calibration = open_exported(Path(path))[0].calibration
        self._key = keys

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the item with probabilities in place of logits."""
        logits = np.asarray(data[self._key].cpu(), np.float32)
        probabilities = calibrated(logits[None], self._calibration)[0]
        return {**data, self._key: torch.from_numpy(probabilities.astype(np.float32))}
