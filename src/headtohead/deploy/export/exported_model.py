"""A model in one exported file: from the bytes of images to answers, without torch, timm and transformers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError
from headtohead.data.readers.limits import DEFAULT_LIMITS, Limits
from headtohead.data.readers.read import read_image
from headtohead.deploy.export.document import ExportDocument
from headtohead.deploy.export.exported_files import open_exported
from headtohead.deploy.runtimes.choice import NetworkRuntime

__all__ = ["ExportedAnswer", "ExportedModel", "answers_of"]

Floats = npt.NDArray[np.float64]
BATCH = 8


@dataclass(frozen=True, slots=True)
class ExportedAnswer:
    """What an exported model says of one image, or why it says nothing.

    Attributes:
        sha256: of the file's bytes.
        probabilities: class -> calibrated probability; empty where the file could not be read.
        predicted: the label at the threshold, or None.
        error: why there is no answer.
    """

    name: str
    sha256: str
    probabilities: dict[str, float] = field(default_factory=dict)
    predicted: str | None = None
    threshold: float | None = None
    error: str | None = None


class ExportedModel:
    """A model opened from an exported file.

    Args:
        document: the file's description.
        runtime: the network.
    """

    def __init__(
        self, document: ExportDocument, runtime: NetworkRuntime, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self.document, self.runtime, self._limits = document, runtime, limits

    @classmethod
    def open(cls, path: Path, *, threads: int = 0, runtime: str = "auto") -> ExportedModel:
        """Open a .onnx, .xml or .pt2 file that `headtohead export` wrote.

        Raises:
            SealError: the file was changed after it was written.
            MissingExtraError: its runtime is not installed.
        """
        return cls(*open_exported(path, threads=threads, runtime=runtime))

    @property
    def name(self) -> str:
        """What the model is called."""
        return self.document.name

    @property
    def digest(self) -> str:
        """SHA-256 of the bundle that it was exported from."""
        return self.document.digest

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the probabilities."""
        return self.document.classes

    @property
    def estimate(self) -> dict[str, Any]:
        """Scores on data that the model was not trained on."""
        return self.document.estimate

    def predict_bytes(self, items: Sequence[tuple[str, bytes]]) -> list[ExportedAnswer]:
        """Return one answer per (name, content), in order; an unreadable file is an answer with `error`."""
        return [
            answer
            for start in range(0, len(items), BATCH)
            for answer in self._batch(items[start : start + BATCH])
        ]

    def predict(self, paths: Iterable[Path]) -> Iterable[ExportedAnswer]:
        """Yield one answer per file, in order, a batch in memory at a time."""
        batch: list[tuple[str, bytes]] = []
        for path in paths:
            batch.append((str(path), path.read_bytes()))
            if len(batch) == BATCH:
                yield from self._batch(batch)
                batch = []
        yield from self._batch(batch)

    def _batch(self, items: Sequence[tuple[str, bytes]]) -> list[ExportedAnswer]:
        inputs, errors = [], {}
        for place, (_, content) in enumerate(items):
            try:
                inputs.append(self.document.prepare(read_image(content, limits=self._limits)))
            except UnreadableError as error:
                errors[place] = str(error)
        rows = (
            iter(self.document.probabilities(self.runtime.forward(np.stack(inputs)))) if inputs else iter(())
        )
        answers = []
        for place, (name, content) in enumerate(items):
            digest = hashlib.sha256(content).hexdigest()
            if place in errors:
                answers.append(ExportedAnswer(name, digest, error=errors[place]))
                continue
            row = next(rows)
            known = dict(zip(self.classes, (float(value) for value in row), strict=True))
            answers.append(
                ExportedAnswer(name, digest, known, self.document.label(row), self.document.threshold)
            )
        return answers


@dataclass(frozen=True, slots=True)
class _Answers:
    probabilities: Floats
    labels: list[str]
    margins: Floats


def answers_of(answers: Sequence[Any], document: ExportDocument) -> _Answers:
    """Return answers as the arrays that `compare_answers` takes; all must have been readable."""
    rows = np.asarray([[one.probabilities[name] for name in document.classes] for one in answers])
    if document.positive is not None and document.threshold is not None and len(document.classes) == 2:
        margins = np.abs(rows[:, document.classes.index(document.positive)] - document.threshold)
    else:
        top = np.sort(rows, axis=1)
        margins = top[:, -1] - top[:, -2]
    return _Answers(rows, [str(one.predicted) for one in answers], margins)
