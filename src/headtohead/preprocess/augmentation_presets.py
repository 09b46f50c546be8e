"""Which augmentations are sound for which kind of image, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from headtohead.core.errors import unknown_name

__all__ = ["COLOUR", "OPERATIONS", "PRESETS", "Border", "Preset", "RandomOp", "get_preset"]

Border = Literal["black", "reflect"]

OPERATIONS: Mapping[str, str] = {
    "flip": "left and right exchanged",
    "flip_vertical": "top and bottom exchanged",
    "quarter_turn": "rotated by 90, 180 or 270 degrees",
    "rotate": "rotated about the centre, in degrees",
    "shift": "moved down and right, as shares of height and width",
    "scale": "enlarged about the centre, as a factor",
    "elastic": "bent smoothly, largest displacement as a share of the shorter side",
    "brightness": "added to every pixel",
    "contrast": "factor about mid-grey",
    "gamma": "exponent of every pixel",
    "bias_field": "smooth shading, standard deviation of its logarithm",
    "sharpness": "0 smoothed, 1 unchanged, 2 sharpened",
    "blur": "Gaussian, standard deviation in pixels at 224",
    "noise": "Gaussian, standard deviation",
    "erase": "a rectangle set to mid-grey, as a share of the area",
    "saturation": "factor on the distance of a colour from its grey",
    "hue": "colours turned about the grey axis, in degrees",
    "stain": "haematoxylin, eosin and DAB each made stronger or weaker, by at most this share",
}
"""Every augmentation there is, and the unit of its number; those of colour are applied before the others."""

COLOUR = ("saturation", "hue", "stain")
"""Those that change colours alone; grey images stay as they are."""


@dataclass(frozen=True, slots=True)
class RandomOp:
    """One augmentation of a preset.

    Attributes:
        name: one of `OPERATIONS`.
        probability: with which it is applied.
        low, high: range from which its number is drawn, evenly.
        reason: why it is sound for these images.
    """

    name: str
    probability: float
    low: float
    high: float
    reason: str


@dataclass(frozen=True, slots=True)
class Preset:
    """A set of augmentations.

    Attributes:
        border: what lies outside an image that is moved.
        left_out: augmentations that would be wrong here, each with its reason.
    """

    name: str
    ingredients: tuple[RandomOp, ...] = ()
    border: Border = "black"
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def flips(self) -> bool:
        """Whether left and right may be exchanged, in training and at the test."""
        return any(i.name == "flip" for i in self.ingredients)


def _i(name: str, probability: float, low: float, high: float, reason: str) -> RandomOp:
    return RandomOp(name, probability, low, high, reason)


_SENSOR_NOISE = "noise differs between devices and says nothing of the disease"
_POSITION = "where the subject lies in the image is chance"
_DISPLAY = "brightness and contrast are set by whoever displays the image"

PRESETS: Mapping[str, Preset] = {
    "none": Preset("none"),
    "study": Preset(
        "study",
        (
            _i("rotate", 1.0, -15, 15, "as in the published study: random turns"),
            _i("sharpness", 1.0, 0.5, 2.0, "as in the published study: random sharpness"),
        ),
        left_out={"flip": "not in the published study"},
    ),
    "mri": Preset(
        "mri",
        (
            _i("flip", 0.5, 1, 1, "heads are all but symmetric, and a tumour is one on either side"),
            _i("rotate", 0.8, -15, 15, "heads lie rotated in the coil"),
            _i("shift", 0.8, -0.06, 0.06, _POSITION),
            _i("scale", 0.8, 0.9, 1.12, "fields of view differ"),
            _i("elastic", 0.15, 0.005, 0.02, "heads differ in shape; lightly, as a mass effect is a sign"),
            _i("brightness", 0.5, -0.08, 0.08, "signal has no unit"),
            _i("contrast", 0.5, 0.8, 1.25, "signal has no unit"),
            _i("gamma", 0.4, 0.75, 1.35, "the balance between tissues differs between sequences"),
            _i("bias_field", 0.4, 0.03, 0.18, "coils shade the image"),
            _i("sharpness", 0.2, 0.3, 1.8, "reconstruction filters differ"),
            _i("blur", 0.15, 0.3, 1.2, "resolution differs"),
            _i("noise", 0.3, 0.005, 0.04, _SENSOR_NOISE),
            _i(
                "erase",
                0.15,
                0.02,
                0.08,
                "no single region may decide; small, so that a lesion is rarely lost",
            ),
        ),
        left_out={
            "flip_vertical": "front and back of a head differ, and no scanner exchanges them",
            "quarter_turn": "heads are never rotated that far",
        },
    ),
    "xray": Preset(
        "xray",
        (
            _i("rotate", 0.6, -8, 8, "patients stand or lie slightly rotated"),
            _i("shift", 0.6, -0.05, 0.05, _POSITION),
            _i("scale", 0.6, 0.92, 1.1, "distances to the detector differ"),
            _i("brightness", 0.5, -0.1, 0.1, _DISPLAY),
            _i("contrast", 0.5, 0.8, 1.25, _DISPLAY),
            _i("gamma", 0.4, 0.75, 1.35, "detector curves differ"),
            _i("blur", 0.1, 0.3, 1.0, "patients move"),
            _i("noise", 0.3, 0.005, 0.03, "dose differs"),
            _i("erase", 0.15, 0.02, 0.06, "labels and tubes must not decide"),
        ),
        left_out={
            "flip": "heart, liver and stomach have a side; a flipped chest is another finding",
            "flip_vertical": "nobody is X-rayed upside down",
            "elastic": "the outline of heart and ribs is itself a sign",
        },
    ),
    "ultrasound": Preset(
        "ultrasound",
        (
            _i("flip", 0.5, 1, 1, "the probe may be held either way round"),
            _i("rotate", 0.5, -8, 8, "the probe is tilted by hand"),
            _i("shift", 0.6, -0.06, 0.06, _POSITION),
            _i("scale", 0.6, 0.9, 1.15, "depth settings differ"),
            _i("brightness", 0.6, -0.12, 0.12, "gain is set by hand"),
            _i("contrast", 0.5, 0.75, 1.3, "dynamic range is set by hand"),
            _i("gamma", 0.5, 0.7, 1.4, "grey maps differ"),
            _i("bias_field", 0.3, 0.05, 0.25, "depth gain is set by hand"),
            _i("noise", 0.3, 0.01, 0.05, "speckle differs"),
        ),
        left_out={
            "flip_vertical": "sound enters from the top: shadows fall downwards",
            "elastic": "the shape of a mass is a sign",
        },
    ),
    "histology": Preset(
        "histology",
        (
            _i("flip", 0.5, 1, 1, "a section has no sides"),
            _i("flip_vertical", 0.5, 1, 1, "a section has no top"),
            _i("quarter_turn", 0.75, 1, 3, "a section lies on the slide as it fell"),
            _i("rotate", 0.3, -20, 20, "a section lies on the slide as it fell"),
            _i("scale", 0.4, 0.9, 1.12, "magnification differs a little; cell size is a sign, so little"),
            _i("brightness", 0.5, -0.08, 0.08, "lamps and section thickness differ"),
            _i("contrast", 0.5, 0.8, 1.25, "staining strength differs"),
            _i("gamma", 0.3, 0.8, 1.25, "cameras differ"),
            _i("stain", 0.6, 0.02, 0.2, "laboratories stain with other amounts, and stains fade"),
            _i("saturation", 0.3, 0.85, 1.15, "scanners differ"),
            _i("blur", 0.2, 0.3, 1.2, "focus differs"),
            _i("noise", 0.2, 0.005, 0.02, _SENSOR_NOISE),
        ),
        border="reflect",
        left_out={"elastic": "the shape of nuclei is a sign"},
    ),
    "photo": Preset(
        "photo",
        (
            _i("flip", 0.5, 1, 1, "skin and wounds have no sides"),
            _i("rotate", 0.7, -25, 25, "the camera is held as it comes"),
            _i("shift", 0.6, -0.08, 0.08, _POSITION),
            _i("scale", 0.7, 0.85, 1.2, "distances differ"),
            _i("brightness", 0.6, -0.12, 0.12, "light differs"),
            _i("contrast", 0.6, 0.75, 1.3, "light differs"),
            _i("gamma", 0.4, 0.75, 1.35, "cameras differ"),
            _i("hue", 0.4, -6, 6, "white balance differs; redness is a sign, so little"),
            _i("saturation", 0.4, 0.85, 1.2, "cameras differ"),
            _i("sharpness", 0.3, 0.3, 2.0, "cameras sharpen"),
            _i("blur", 0.2, 0.3, 1.5, "hands shake"),
            _i("noise", 0.3, 0.005, 0.04, _SENSOR_NOISE),
            _i("erase", 0.2, 0.02, 0.1, "rulers and hairs must not decide"),
        ),
        border="reflect",
        left_out={"flip_vertical": "light usually falls from above"},
    ),
}


def get_preset(name: str) -> Preset:
    """Return a preset of the catalogue.

    Raises:
        UnknownNameError: no preset of that name; the nearest are named.

    >>> get_preset("xray").flips
    False
    """
    if name not in PRESETS:
        raise unknown_name("augmentation preset", name, PRESETS)
    return PRESETS[name]
