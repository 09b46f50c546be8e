"""Checkpoints that survive a kill at any moment: whole or absent, and bound to what they belong to."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path
from typing import Any, BinaryIO

from headtohead.core.atomic_io import write_streamed
from headtohead.core.progress import Reporter
from headtohead.training.records import FITTING

__all__ = ["fingerprint", "load_checkpoint", "save_checkpoint"]


def fingerprint(facts: dict[str, Any]) -> str:
    """Return a hash of everything that decides a training's digits (JSON-able), the version of fitting included."""
    return hashlib.sha256(json.dumps({"fitting": FITTING, **facts}, sort_keys=True).encode()).hexdigest()


def save_checkpoint(path: Path, key: str, state: dict[str, Any]) -> None:
    """Write the state of a training (tensors, numbers, text); the old file stays until the new is whole."""
    import torch

    def write(stream: BinaryIO) -> None:
        try:
            torch.save({"key": key, **state}, stream)
        except RuntimeError as error:  # torch finds its file shorter than it should be where the disk is full
            if isinstance(error.__context__, OSError):
                raise error.__context__ from error
            raise

    write_streamed(path, write)


def load_checkpoint(path: Path, key: str, reporter: Reporter) -> dict[str, Any] | None:
    """Return the state saved under the same key, or None where there is none to go on from."""
    import torch

    if not path.is_file():
        return None
    try:
        # A run folder may come from elsewhere, and a pickle could run code.
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError, KeyError) as error:
        reporter.warning(f"{path.name} cannot be read ({type(error).__name__}); this training starts over.")
        return None
    if state.pop("key", None) != key:
        reporter.warning(f"{path.name} belongs to other settings or data; this training starts over.")
        return None
    return state
