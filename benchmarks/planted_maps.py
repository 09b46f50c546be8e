"""Do exact maps find a planted lesion, and a planted corner marker? Figures for docs/where-did-it-look.md.

    python benchmarks/planted_maps.py efficientnet-lite0 dinov2-small

Synthetic heads of the demonstration set without a lesion; one class gets a bright textured blob at a random place
of the brain, or a small marker in one corner. A probe is cross-validated, each image is explained by the head that
did not see it, and the maps of the changed class are compared with the known place.
"""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt

from headtohead.backbones.catalog import resolve
from headtohead.backbones.load import load_backbone
from headtohead.core.records import Box, Image
from headtohead.data.demo.lesion import draw_shape
from headtohead.data.demo.scene import draw_scene
from headtohead.explain.faithfulness.localisation import centred_blob, localise, random_map
from headtohead.explain.linear_head import LinearHead
from headtohead.explain.linear_model import LinearModel, explain_images
from headtohead.explain.placement import to_pixels
from headtohead.preprocess.recipe import get_recipe
from headtohead.training.logistic import fit_probe

N, SIDE, FOLDS, C = 200, 224, 5, 1e-2
Grey = npt.NDArray[np.uint8]


def heads(n: int) -> list[Grey]:
    """Return heads without a lesion, cut to a square of SIDE pixels."""
    import cv2

    return [
        np.asarray(cv2.resize(draw_scene(11, i, False).pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
        for i in range(n)
    ]


def lesion(rng: np.random.Generator, image: Grey) -> tuple[Grey, npt.NDArray[np.bool_]]:
    """Plant a bright blob of 18 to 28 pixels radius into the brain."""
    import cv2

    inside = cv2.erode((image > 40).astype(np.uint8), np.ones((45, 45), np.uint8))
    places = np.argwhere(inside > 0)
    row, column = places[int(rng.integers(len(places)))] if len(places) else (SIDE // 2, SIDE // 2)
    radius = float(rng.uniform(18, 28))
    shape = draw_shape(rng, (128.0, 128.0), radius, 0.2)
    big = np.zeros((SIDE + 512, SIDE + 512), np.float32)
    top, left = int(row) + 256 - 128, int(column) + 256 - 128
    big[top : top + shape.shape[0], left : left + shape.shape[1]] = shape
    amount = 0.75 * big[256 : 256 + SIDE, 256 : 256 + SIDE]
    return np.asarray(np.rint(image * (1 - amount) + 235 * amount), np.uint8), amount > 0.35


def marker(rng: np.random.Generator, image: Grey) -> tuple[Grey, npt.NDArray[np.bool_]]:
    """Plant a white cross of 22 pixels into the lower right corner."""
    changed, mask = image.copy(), np.zeros(image.shape, bool)
    row, column = SIDE - 30 + int(rng.integers(-2, 3)), SIDE - 30 + int(rng.integers(-2, 3))
    changed[row + 8 : row + 14, column : column + 22] = 240
    changed[row : row + 22, column + 8 : column + 14] = 240
    mask[row - 8 : row + 30, column - 8 : column + 30] = True
    return changed, mask


def study(
    name: str, images: list[Grey], labels: npt.NDArray[np.int64], masks: dict[int, npt.NDArray[np.bool_]]
) -> str:
    """Return the figures of one network as a line of a table."""
    import torch

    network, record = load_backbone(resolve(name)), resolve(name)
    from headtohead.backbones.features.input_transform import to_network_input

    unit = [image.astype(np.float32) / 255 for image in images]
    rows = []
    for start in range(0, len(unit), 8):
        x = torch.from_numpy(np.stack([to_network_input(u, record) for u in unit[start : start + 8]]))
        with torch.inference_mode():
            rows.append(network(x).numpy())
    features = np.concatenate(rows)
    fold = np.arange(len(images)) // 2 % FOLDS
    fitted = [fit_probe(features[fold != f], labels[fold != f], C) for f in range(FOLDS)]
    right = np.mean(
        [fitted[fold[i]].predict_proba(features[i : i + 1]).argmax() == labels[i] for i in range(len(images))]
    )
    model = LinearModel((network,), (record,), get_recipe("none"))
    rng = np.random.default_rng(3)
    own, blob, noise, parts = [], [], [], []
    for i, mask in masks.items():
        (found,) = explain_images(
            model, [Image(images[i], 8, "L", "PNG")], [[LinearHead.from_probe(fitted[fold[i]])]]
        )
        size = images[i].shape
        own.append(localise(to_pixels(found.grid, Box(0, 0, *size), size), mask))
        blob.append(localise(centred_blob(size), mask))
        noise.append(localise(random_map(size, rng), mask))
        parts.append(abs(found.not_localised) / (abs(found.not_localised) + abs(found.localised)))
    lines = [f"{name}: accuracy {right:.3f}, not localised {np.median(parts):.0%} (median)"]
    for title, items in (("map", own), ("centred blob", blob), ("random", noise)):
        lift = np.median([m.mass / m.area for m in items])
        lines.append(
            f"  {title:13s} hit {np.mean([m.hit for m in items]):.2f}  mass/area {lift:.1f}  "
            f"distance {np.median([m.distance for m in items]):.3f}  AUPRC {np.mean([m.auprc for m in items]):.2f}"
        )
    return "\n".join(lines)


def main() -> None:
    plain = heads(N)
    for title, plant in (("lesion", lesion), ("corner marker", marker)):
        rng = np.random.default_rng(5)
        images, masks = list(plain), {}
        labels = np.arange(N) % 2
        for i in np.flatnonzero(labels):
            images[i], masks[int(i)] = plant(rng, plain[i])
        print(f"== {title}: {N} images, area {np.mean([m.mean() for m in masks.values()]):.3f}")
        for name in sys.argv[1:]:
            print(study(name, images, labels, masks), flush=True)


if __name__ == "__main__":
    main()
