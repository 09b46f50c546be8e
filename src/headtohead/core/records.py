"""The product's words as types; each has one meaning (see docs/words.md).

Records that leave the process as JSON are pydantic models; records that carry arrays are
dataclasses. All are immutable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy.typing as npt
from pydantic import Field, model_validator

from headtohead.core.tables.details import ComparisonDetails, VerdictDetails
from headtohead.core.tables.score import Record, Score, ScoreWarning, TestResult

__all__ = [
    "Box",
    "Comparison",
    "Finding",
    "Image",
    "Outcome",
    "Record",
    "Sample",
    "Score",
    "ScoreWarning",
    "Severity",
    "TestResult",
    "Verdict",
    "VerdictWord",
]

Pixels = npt.NDArray[Any]
Severity = Literal["severe", "warning", "note"]
Outcome = Literal["issue", "tip", "passed", "not_applicable", "skipped", "ignored"]
Target = Literal["learners", "fixed_models"]
"""Methods trained on samples like this one, or the models as fitted."""
VerdictWord = Literal["better", "equivalent", "no_evidence", "cannot_tell", "refused", "identical"]


@dataclass(frozen=True, slots=True)
class Image:
    """Pixels and the facts that came with them.

    Attributes:
        pixels: (H, W) grey or (H, W, 3) RGB; uint8, uint16, int16/int32 or float32, never clipped
            on the way in. Windowing to 8 bits is the recipe's business.
        bit_depth: bits per channel that the file stores (8, 12, 16, 32).
        mode: how the file stores a pixel ("L", "RGB", "P", "RGBA", "I;16", "MONOCHROME1", …).
        format: what the content is ("PNG", "JPEG", "DICOM", …), whatever the suffix says.
        spacing_mm: (row, column) distance of pixel centres in mm, or None if not stated.
        history: what the reader did, in order, one sentence each.
        facts: further facts by name, free of personal data ("exif_orientation": "6").
        window: (low, high) of the display window the file itself asks for, in pixel units, or None.
    """

    pixels: Pixels
    bit_depth: int
    mode: str
    format: str
    spacing_mm: tuple[float, float] | None = None
    history: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    window: tuple[float, float] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return int(self.pixels.shape[0]), int(self.pixels.shape[1])


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """A rectangle in an image's own pixels: rows top..bottom, columns left..right, ends excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def area(self) -> int:
        """Number of pixels inside."""
        return max(0, self.bottom - self.top) * max(0, self.right - self.left)

    def crop(self, pixels: Pixels) -> Pixels:
        """Return the part of `pixels` (H, W[, C]) inside the box, as a view."""
        return pixels[self.top : self.bottom, self.left : self.right]


class Sample(Record):
    """One row: one image and what is known of it.

    `path` is relative to the data's root, with forward slashes; `frame` tells the page, frame or
    slice of a file that holds several. `sha256` is of the file's bytes, `pixel_hash` of the decoded
    pixels (shape and dtype included), so recompression without loss keeps it.
    """

    id: str
    path: str
    label: str
    group: str
    frame: int | None = None
    split: str | None = None
    sha256: str
    pixel_hash: str
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    n_bytes: int = Field(ge=0)
    mode: str
    format: str
    suffix: str
    bit_depth: int
    extra: dict[str, str] = Field(default_factory=dict)


class Finding(Record):
    """What one check of the audit found.

    Attributes:
        code: stable name of the check, "H2H203".
        data: numbers and tables behind the message, JSON-able, for the report.
        samples: ids of the samples concerned, worst first.
    """

    code: str = Field(pattern=r"^H2H\d{3}$")
    title: str
    severity: Severity
    outcome: Outcome
    message: str
    advice: str = ""
    samples: tuple[str, ...] = ()
    data: dict[str, Any] = Field(default_factory=dict)


class Comparison(Record):
    """The paired difference a - b of two contenders on identical out-of-fold lines.

    Attributes:
        target: what the comparison speaks of: methods (cross-validation) or the models as fitted (one test set).
        primary: whether this is the first one of the contenders: the pair stated beforehand, else the only pair, else
            that of the two with the best values.
    """

    a: str
    b: str
    metric: str
    target: Target = "fixed_models"
    primary: bool = False
    difference: float | None
    low: float | None
    high: float | None
    verdict: VerdictWord
    winner: str | None
    sentence: str
    tests: dict[str, TestResult] = Field(default_factory=dict)
    n_samples: int = Field(ge=0)
    n_groups: int = Field(ge=0)
    method: str = Field(min_length=1)
    level: float = Field(default=0.95, gt=0, lt=1)
    note: str = ""
    warnings: tuple[ScoreWarning, ...] = ()
    details: ComparisonDetails = Field(default_factory=ComparisonDetails)

    def __repr__(self) -> str:
        return f"Comparison({self.a} − {self.b}, {self.metric}: {self.verdict})"

    def loses_lead_to_adjustment(self, name: str, sign: int) -> bool:
        """Return whether a contender's lead lies above 0 with its interval and the adjusted p alone stands against it.

        Args:
            name: one of the two contenders.
            sign: 1 where a greater value of the metric is better, else -1.
        """
        adjusted = self.details.p_holm
        if self.winner is not None or self.low is None or self.high is None:
            return False
        if adjusted is None or adjusted <= 1 - self.level:
            return False
        return (self.low if (sign > 0) == (self.a == name) else -self.high) > 0

    def __str__(self) -> str:
        return self.sentence

    @model_validator(mode="after")
    def _winner_fits(self) -> Self:
        if (self.verdict == "better") != (self.winner is not None):
            raise ValueError("a winner goes with the verdict 'better', and only with it")
        if self.winner not in (None, self.a, self.b):
            raise ValueError(f"winner {self.winner!r} is neither {self.a!r} nor {self.b!r}")
        return self


class Verdict(Record):
    """The answer: a sentence, and everything that it rests on.

    Attributes:
        format: version of `verdict.json`.
        positive: the positive one of two classes, whose sensitivity, PPV and AUROC are given; None beyond two.
        rule: the decision rule in words, fixed before the data were seen.
        caveats: what the numbers do not say, worst first (confounds, leaks, sizes).
        details: further tables (calibration, operating points, ranks, …).
    """

    format: int = 1
    sentence: str
    metric: str
    positive: str | None = None
    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]
    rule: str = ""
    caveats: tuple[str, ...] = ()
    details: VerdictDetails = Field(default_factory=VerdictDetails)

    def __repr__(self) -> str:
        n = len({score.contender for score in self.scores})
        return f"Verdict({self.metric}, {n} contenders: {self.sentence})"

    def __str__(self) -> str:
        return self.sentence
