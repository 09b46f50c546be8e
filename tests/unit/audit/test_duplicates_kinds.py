"""Planted copies of every kind, on images of several kinds; and what must never be joined."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from tests.planting.scenes import SCENES, SIDE
from tests.planting.scenes import series as slices_of_one_volume

from headtohead.audit.duplicates import Grouping
from headtohead.audit.image_index import find_groups
from headtohead.data.load import load

Grey = npt.NDArray[np.uint8]
Source = Callable[..., Any]


def turned(image: Grey, angle: float) -> Grey:
    matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), angle, 1)
    return np.asarray(cv2.warpAffine(image, matrix, (SIDE, SIDE)), np.uint8)


def lettered(image: Grey) -> Grey:
    out = image.copy()
    cv2.putText(out, "L 12.03", (6, 190), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2)
    return out


def resized(across: float, down: float) -> Callable[[Grey], Grey]:
    return lambda p: np.asarray(
        cv2.resize(p, None, fx=across, fy=down, interpolation=cv2.INTER_AREA), np.uint8
    )


def recompressed(image: Grey) -> Grey:
    stored = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
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
N = 2


def planted(make: Callable[[int], Grey]) -> dict[str, Grey]:
    """Return N originals and one copy of each kind of each, named `<class><number> <kind>`."""
    found = {f"{'ab'[seed % 2]}{seed:02d}": make(seed) for seed in range(N)}
    copies = {
        f"{name} {kind}": np.ascontiguousarray(change(image))
        for name, image in found.items()
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
@pytest.mark.slow
def test_every_planted_kind_is_found_and_nothing_else(scene: str, in_memory: Source) -> None:
    grouping = find_groups(in_memory(planted(SCENES[scene])), workers=2)
    assert [(pair.a, pair.b) for pair in grouping.pairs if pair.a[:3] != pair.b[:3]] == []
    assert {kind: share for kind, share in figures(grouping).items() if share < 1.0} == {}
    assert grouping.n_groups == N
    assert grouping.chains == ()


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.slow
def test_different_scenes_of_one_kind_are_never_joined(scene: str, in_memory: Source) -> None:
    images = {f"{'ab'[seed % 2]}{seed}": SCENES[scene](seed) for seed in range(100, 118)}
    grouping = find_groups(in_memory(images), workers=2)
    assert grouping.n_groups == 18
    assert grouping.pairs == ()
    assert grouping.similar == (), "letters and rulers that all share are no evidence of one patient"


def series(n: int) -> dict[str, Grey]:
    """Slices through one smooth volume, by name."""
    return {f"a{at}": image for at, image in enumerate(slices_of_one_volume(n))}


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


@pytest.mark.slow
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
