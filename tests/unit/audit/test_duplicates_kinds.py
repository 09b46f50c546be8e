"""Planted copies of every kind, on pictures of several kinds; and what must never be joined."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from headtohead.audit.duplicates import Grouping, find_groups
from headtohead.data.load import load

Grey = npt.NDArray[np.uint8]
Source = Callable[..., Any]
SIDE = 200


def field(rng: np.random.Generator, width: float) -> npt.NDArray[np.float64]:
    """Return smooth noise, mean 0, variance 1."""
    noise = cv2.GaussianBlur(rng.normal(size=(SIDE, SIDE)), (0, 0), width)
    return np.asarray((noise - noise.mean()) / noise.std())


def ellipse(height: float, width: float) -> npt.NDArray[np.bool_]:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    return np.asarray((y / height) ** 2 + (x / width) ** 2 < 1)


def head(seed: int) -> Grey:
    """A slice: bright rim, folded tissue, dark ground, receiver noise."""
    rng = np.random.default_rng(seed)
    height, width = rng.uniform(0.36, 0.44), rng.uniform(0.30, 0.38)
    tissue = 110 + 25 * np.sign(field(rng, 5)) + 15 * field(rng, 2.5)
    ventricle = ellipse(rng.uniform(0.08, 0.14), rng.uniform(0.04, 0.1))
    inside = np.where(ventricle, 40 + 8 * field(rng, 2), tissue)
    picture = np.where(ellipse(height - 0.03, width - 0.03), inside, np.where(ellipse(height, width), 210, 4))
    seen = cv2.GaussianBlur(picture, (0, 0), 0.8) + rng.normal(0, 3, picture.shape)
    return np.asarray(np.clip(seen, 0, 255), np.uint8)


def echo(seed: int) -> Grey:
    """An ultrasound fan with speckle, under the same letters and scale in every picture."""
    rng = np.random.default_rng(1000 + seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    fan = (np.abs(x - SIDE / 2) < 0.15 * SIDE + 0.4 * y) & (y > 20) & (np.hypot(x - SIDE / 2, y) < 180)
    speckle = np.abs(field(rng, 1.2) + 1j * field(rng, 1.2)) * np.exp(0.6 * field(rng, 14))
    picture = np.where(fan, np.clip(45 * speckle, 0, 255), 0).astype(np.uint8)
    for row, words in enumerate(("CLINIC A", "MI 1.1", "TIS 0.4")):
        cv2.putText(picture, words, (4, 14 + 12 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.35, 200, 1)
    for tick in range(30, 180, 15):
        cv2.line(picture, (192, tick), (198, tick), 180, 1)
    return picture


def chest(seed: int) -> Grey:
    """A radiograph: lungs at the same place in every picture, ribs, soft shadows, no dark ground."""
    rng = np.random.default_rng(2000 + seed)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    left, right = (np.exp(-((((x - at) / 0.13) ** 2 + ((y + 0.02) / 0.3) ** 2) ** 2)) for at in (-0.2, 0.2))
    lungs = left + right
    ribs = np.sin((y + rng.uniform(0.2, 0.6) * x**2 + rng.uniform(0, 0.1)) * rng.uniform(55, 75)) * lungs
    picture = 170 - 100 * lungs + 14 * ribs + 9 * field(rng, 8) + 6 * field(rng, 2)
    return np.asarray(np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255), np.uint8)


def tissue(seed: int) -> Grey:
    """A histology tile: cells all over, no ground."""
    rng = np.random.default_rng(3000 + seed)
    cells = np.maximum(field(rng, 2.5), field(rng, 3.5))
    picture = 190 - 70 * (cells > 1.1) - 15 * field(rng, 6) - 6 * field(rng, 1)
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def turned(picture: Grey, angle: float) -> Grey:
    matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), angle, 1)
    return np.asarray(cv2.warpAffine(picture, matrix, (SIDE, SIDE)), np.uint8)


def lettered(picture: Grey) -> Grey:
    out = picture.copy()
    cv2.putText(out, "L 12.03", (6, 190), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2)
    return out


def resized(across: float, down: float) -> Callable[[Grey], Grey]:
    return lambda p: np.asarray(
        cv2.resize(p, None, fx=across, fy=down, interpolation=cv2.INTER_AREA), np.uint8
    )


def recompressed(picture: Grey) -> Grey:
    stored = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    return np.asarray(cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE), np.uint8)


KINDS: dict[str, Callable[[Grey], Grey]] = {
    "crop 15 %": lambda p: p[20:190, 10:180],
    "smaller": resized(0.6, 0.6),
    "larger": resized(1.7, 1.7),
    "stretched": resized(1.0, 0.8),
    "JPEG q30": recompressed,
    "gamma": lambda p: (255 * (p / 255.0) ** 0.6).astype(np.uint8),
    "contrast": lambda p: np.clip((p.astype(float) - 60) * 1.5 + 60, 0, 255).astype(np.uint8),
    "frame": lambda p: np.pad(p, 16, constant_values=255),
    "letters": lettered,
    "mirrored": lambda p: p[:, ::-1],
    "turned 90": lambda p: np.rot90(p),
    "turned 7": lambda p: turned(p, 7),
    "inverted": lambda p: np.asarray(255 - p, np.uint8),
}
SCENES: dict[str, Callable[[int], Grey]] = {"head": head, "echo": echo, "chest": chest, "tissue": tissue}
N = 2


def planted(make: Callable[[int], Grey]) -> dict[str, Grey]:
    """Return N originals and one copy of each kind of each, named `<class><number> <kind>`."""
    found = {f"{'ab'[seed % 2]}{seed:02d}": make(seed) for seed in range(N)}
    copies = {
        f"{name} {kind}": np.ascontiguousarray(change(picture))
        for name, picture in found.items()
        for kind, change in KINDS.items()
    }
    return found | copies


def figures(grouping: Grouping) -> dict[str, float]:
    """Return the share of copies of each kind that are in the group of their original."""
    groups = grouping.groups
    return {
        kind: float(np.mean([groups[name] == groups[name[:3]] for name in groups if name[3:] == f" {kind}"]))
        for kind in KINDS
    }


@pytest.mark.parametrize("scene", SCENES)
def test_every_planted_kind_is_found_and_nothing_else(scene: str, in_memory: Source) -> None:
    grouping = find_groups(in_memory(planted(SCENES[scene])), workers=2)
    assert [(pair.a, pair.b) for pair in grouping.pairs if pair.a[:3] != pair.b[:3]] == []
    assert {kind: share for kind, share in figures(grouping).items() if share < 1.0} == {}
    assert grouping.n_groups == N
    assert grouping.chains == ()


@pytest.mark.parametrize("scene", SCENES)
def test_different_scenes_of_one_kind_are_never_joined(scene: str, in_memory: Source) -> None:
    pictures = {f"{'ab'[seed % 2]}{seed}": SCENES[scene](seed) for seed in range(100, 118)}
    grouping = find_groups(in_memory(pictures), workers=2)
    assert grouping.n_groups == 18
    assert grouping.pairs == ()
    assert grouping.similar == (), "letters and rulers that all share are no evidence of one patient"


def series(n: int) -> dict[str, Grey]:
    """Slices through one smooth volume, each with noise of its own."""
    rng = np.random.default_rng(5)
    volume = np.stack([cv2.GaussianBlur(rng.normal(size=(SIDE, SIDE)), (0, 0), 6) for _ in range(n + 60)])
    along = np.exp(-0.5 * (np.arange(-24, 25) / 4.0) ** 2)
    volume = np.apply_along_axis(np.convolve, 0, volume, along, mode="same")[30 : 30 + n]
    volume = (volume - volume.mean()) / volume.std()
    inside = ellipse(0.42, 0.36)
    return {
        f"a{at}": np.clip(np.where(inside, 115 + 45 * one, 3) + rng.normal(0, 3, one.shape), 0, 255).astype(
            np.uint8
        )
        for at, one in enumerate(volume)
    }


def test_neighbouring_slices_are_possibly_one_patient_and_not_duplicates(in_memory: Source) -> None:
    slices = series(8)
    assert np.corrcoef(slices["a0"].ravel(), slices["a1"].ravel())[0, 1] > 0.95
    grouping = find_groups(in_memory(slices))
    assert grouping.n_groups == len(slices)
    assert {("a0", "a1"), ("a3", "a4")} <= {(pair.a, pair.b) for pair in grouping.similar}


def test_similar_pairs_are_joined_only_on_demand(in_memory: Source) -> None:
    slices = in_memory(series(4))
    assert find_groups(slices).n_groups == 4
    assert find_groups(slices, similar=True).n_groups == 1


def test_the_253_come_out_as_199_scenes(brain_mri: Path) -> None:
    dataset = load(str(brain_mri))
    grouping = find_groups(dataset, workers=2)
    label = {sample.id: sample.label for sample in dataset.samples}
    near = [pair for pair in grouping.pairs if pair.kind != "exact"]
    assert grouping.n_groups == 199, "as seen by eye on contact sheets of all groups"
    assert grouping.counts["exact"] == 25
    assert len(near) == 32
    assert all(label[pair.a] == label[pair.b] for pair in grouping.pairs)
    assert min(pair.detail for pair in near) > 0.97
    assert max(pair.residual for pair in near) < 0.35
    assert max(pair.detail for pair in grouping.similar) < 0.35
    assert {pair.kind for pair in grouping.pairs} == {"exact", "near"}
    assert grouping.chains == ()
