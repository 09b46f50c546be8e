"""The JSON files of a bundle as records: configuration, preprocessing, calibration, guard reference, estimate."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from headtohead.backbones.features.views import FeatureView
from headtohead.backbones.record import BackboneRecord
from headtohead.core.records import Record, Score
from headtohead.preprocess.recipe import Recipe, Step

__all__ = [
    "BUNDLE_FORMAT",
    "BodySpec",
    "BundleCalibration",
    "BundleConfig",
    "BundleEstimate",
    "CombinationSpec",
    "GuardReference",
    "InputSpec",
    "MemberSpec",
    "NamedThreshold",
    "PreprocessorConfig",
    "RecipeSpec",
    "VennAbersSteps",
]

BUNDLE_FORMAT = 1
"""Version of the bundle; a reader refuses a newer one."""


class RecipeSpec(Record):
    """A recipe as data."""

    name: str
    steps: tuple[tuple[str, dict[str, float | int]], ...] = ()

    @classmethod
    def of(cls, recipe: Recipe) -> RecipeSpec:
        """Return the record of a recipe."""
        return cls(name=recipe.name, steps=tuple((s.name, dict(s.params)) for s in recipe.steps))

    def recipe(self) -> Recipe:
        """Return the recipe."""
        return Recipe(self.name, tuple(Step(n, tuple(sorted(p.items()))) for n, p in self.steps))


class InputSpec(Record):
    """One input of the network: what becomes of an image after its recipe.

    Attributes:
        recipe: position in `PreprocessorConfig.recipes`.
        input_size: side in pixels.
        mean, std: per channel, of pixels in [0, 1].
        aspect: "squash" fills the square, "pad" keeps the aspect ratio.
    """

    recipe: int = 0
    input_size: int = Field(gt=0)
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    aspect: Literal["squash", "pad"] = "squash"


class PreprocessorConfig(Record):
    """From a file to the inputs of the network; almost always one recipe and one input.

    Attributes:
        channels, volume: which channels and which volume of a file were read in training.
        plain_formats: with `channels`, formats of training files that had none to choose from and were read as stored.
    """

    format: int = BUNDLE_FORMAT
    recipes: tuple[RecipeSpec, ...]
    inputs: tuple[InputSpec, ...]
    channels: tuple[int, ...] = ()
    plain_formats: tuple[str, ...] = ()
    volume: int | None = None


class NamedThreshold(Record):
    """A threshold of the positive class's calibrated probability, and what it was chosen for."""

    name: str
    value: float
    chosen_for: str
    chosen_on: str


class BodySpec(Record):
    """A network below a head.

    Attributes:
        kind: one backbone, two joined behind one input, or a transformer on a backbone's map.
        records: its backbones.
        settings: for each backbone, the configuration that transformers builds it from; {} for timm's.
        weights: for each backbone, sha256, source, revision and licence of the pretrained weights.
        tuned: whether it was trained further; its weights are then in the bundle.
        stored: whether its weights are in the bundle.
    """

    kind: Literal["backbone", "hybrid", "reader"] = "backbone"
    records: tuple[BackboneRecord, ...]
    settings: tuple[dict[str, Any], ...]
    weights: tuple[dict[str, Any], ...]
    tuned: bool = False
    stored: bool = True


class MemberSpec(Record):
    """One fitted head on one or more networks.

    Attributes:
        head: "linear" or "mlp".
        bodies: positions in `BundleConfig.bodies`; their features are joined.
        inputs: for each body, the position of its input.
        view: of the features: "plain", "layers", "flip", "layers+flip" or "symmetry".
        layers: hidden networks of an mlp whose probabilities are averaged.
        flip_test: probabilities are averaged with those of the flipped image.
    """

    head: Literal["linear", "mlp"]
    bodies: tuple[int, ...]
    inputs: tuple[int, ...]
    view: str = "plain"
    networks: int = 1
    hidden: int = 0
    flip_test: bool = False

    @property
    def feature_view(self) -> FeatureView:
        """The view of the features; "plain" is the last layer alone."""
        return FeatureView() if self.view == str(FeatureView()) else FeatureView.parse(f":{self.view}")


class CombinationSpec(Record):
    """How members are combined: a member itself, a weighted mean of parts, or stacking on their log-odds."""

    member: int | None = None
    parts: tuple[CombinationSpec, ...] = ()
    weights: tuple[float, ...] = ()
    coefficients: tuple[tuple[float, ...], ...] = ()
    intercept: tuple[float, ...] = ()


class BundleConfig(Record):
    """What a bundle holds and how its parts belong together.

    Attributes:
        name: of the model; contender: the expression that was trained.
        positive: the positive one of two classes, else None.
        thresholds: by name; default_threshold: the one that is used unless another is asked for.
        refused: why the run's verdict was refused, accepted by who trained the model; else "".
    """

    format: int = BUNDLE_FORMAT
    name: str
    contender: str
    classes: tuple[str, ...]
    positive: str | None
    thresholds: tuple[NamedThreshold, ...] = ()
    default_threshold: str | None = None
    bodies: tuple[BodySpec, ...]
    members: tuple[MemberSpec, ...]
    combination: CombinationSpec
    refused: str = ""
    research_use_only: Literal[True] = True  # a bundle that says otherwise is not read


class VennAbersSteps(Record):
    """The two isotonic fits of a Venn-Abers predictor as steps over the uncalibrated probability.

    Attributes:
        levels: probabilities of the positive class in the calibration set, ascending; those between equal steps left
            out.
        low, high: at each level, the fitted value if a new line there had the label 0, and 1.
    """

    levels: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class BundleCalibration(Record):
    """How scores become probabilities and sets, learnt from out-of-fold predictions on grouped folds.

    Attributes:
        method: "temperature", or "venn-abers" (two classes).
        temperature: p -> softmax(log p / temperature); 1 with Venn-Abers.
        venn_abers: the steps of its two isotonic fits; None with a temperature.
        alpha: error rate of the conformal sets.
        quantiles: class -> largest 1 - p that still belongs to its set; None where they were refused.
        refused: why there are no sets.
        learnt_from: in words; n_lines, n_groups: how many.
    """

    format: int = BUNDLE_FORMAT
    method: Literal["temperature", "venn-abers"] = "temperature"
    temperature: float = Field(default=1.0, gt=0)
    venn_abers: VennAbersSteps | None = None
    alpha: float = 0.1
    quantiles: dict[str, float] | None = None
    refused: str = ""
    learnt_from: str
    n_lines: int
    n_groups: int


class GuardReference(Record):
    """What the training images were like, for the guard and the leak check.

    Attributes:
        sha256, pixel_hashes: of the training images, in one order.
        limits: check -> limit of its number; absent where the check is off.
        false_alarms: check -> share of training images that it flags, cross-fitted where it learns.
        off: check -> why it is off.
        modalities: stated in the DICOM files among them.
        neighbours: how many nearest training images the distance is averaged over.
        copies_found: share of smaller, recompressed copies of training images that are recognised as near copies;
            None where the model holds no hashes for it.
    """

    format: int = BUNDLE_FORMAT
    sha256: tuple[str, ...] = ()
    pixel_hashes: tuple[str, ...] = ()
    limits: dict[str, float] = Field(default_factory=dict)
    false_alarms: dict[str, float] = Field(default_factory=dict)
    off: dict[str, str] = Field(default_factory=dict)
    modalities: tuple[str, ...] = ()
    neighbours: int = 5
    copies_found: float | None = None


class BundleEstimate(Record):
    """Cross-validated scores of the method that made the model, and the caveats that go with every answer.

    Attributes:
        scores: of the contender on out-of-fold predictions, each with its interval.
        calibrated: the same after temperature scaling fitted on inner folds; empty where not defined.
        conformal: coverage and size of the sets on out-of-fold predictions.
        sentence: the run's verdict. audit: its severe findings.
        fidelity: what differs between the run that was scored and the model in the bundle.
        per: "case", "case:mean" or "case:max" where the run scored each case once; None where each image.
    """

    format: int = BUNDLE_FORMAT
    scores: tuple[Score, ...] = ()
    calibrated: tuple[Score, ...] = ()
    conformal: dict[str, Any] = Field(default_factory=dict)
    metric: str = ""
    per: str | None = None
    n_samples: int = 0
    n_groups: int = 0
    sentence: str = ""
    caveats: tuple[str, ...] = ()
    audit: tuple[str, ...] = ()
    fidelity: tuple[str, ...] = ()
