"""Masks are found by name, read, and tell a map that finds the region from one that does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Picture

from headtohead.core.errors import DataError, UsageError
from headtohead.core.records import Box, Sample
from headtohead.data.load import load
from headtohead.explain.attribution import Attribution
from headtohead.explain.image_map import ImageMap
from headtohead.explain.run.agreement import contender_agreement
from headtohead.explain.run.known_regions import BASELINES, localisation_table
from headtohead.explain.run.mask_folder import find_masks, read_mask

SIDE = 28
N = 12


def write(path: Path, pixels: npt.NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Picture.fromarray(pixels.astype(np.uint8)).save(path)


@pytest.fixture
def samples(tmp_path: Path) -> tuple[Sample, ...]:
    rng = np.random.default_rng(0)
    for label in ("a", "b"):
        for i in range(N // 2):
            write(tmp_path / "data" / label / f"{label}{i}.png", rng.integers(0, 255, (SIDE, SIDE)))
    return load(str(tmp_path / "data")).samples


def place(number: int) -> tuple[slice, slice]:
    row, column = 4 * (number % 5), 4 * (number * 2 % 5)
    return slice(row, row + 6), slice(column, column + 6)


def region(number: int) -> npt.NDArray[np.bool_]:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[place(number)] = True
    return mask


def map_of(sample: Sample, values: npt.NDArray[np.generic], name: str = "net") -> ImageMap:
    grid: npt.NDArray[np.float64] = values.astype(np.float64)
    own = Attribution(grid, 1, float(grid.sum()), 0.0, {}, None)
    return ImageMap(
        sample.id, name, "contributions", ("a", "b"), own, Box(0, 0, SIDE, SIDE), (SIDE, SIDE), sample.label
    )


class TestFinding:
    def test_names_as_people_give_them(self, samples: tuple[Sample, ...], tmp_path: Path) -> None:
        masks = tmp_path / "masks"
        for name in ("a/a0.png", "a1_mask.png", "A2_Mask_1.bmp", "a2_mask_2.bmp", "b/b0_seg.png"):
            write(masks / name, region(0) * 255)
        found = find_masks(masks, samples)
        of = {Path(sample.path).stem: sample.id for sample in samples}
        assert {name: len(paths) for name, paths in found.items()} == {
            of["a0"]: 1, of["a1"]: 1, of["a2"]: 2, of["b0"]: 1,
        }  # fmt: skip

    def test_masks_beside_the_images(self, samples: tuple[Sample, ...], tmp_path: Path) -> None:
        write(tmp_path / "data" / "a" / "a0_mask.png", region(0) * 255)
        assert [len(paths) for paths in find_masks(tmp_path / "data", samples).values()] == [1]

    def test_a_name_of_two_images_is_refused(self, tmp_path: Path) -> None:
        for label in ("a", "b"):
            for i in range(4):
                write(tmp_path / "data" / label / f"{i}.png", np.full((8, 8), 10 * i))
        samples = load(str(tmp_path / "data")).samples
        write(tmp_path / "masks" / "0_mask.png", np.eye(8) * 255)
        with pytest.raises(UsageError, match=r"1 masks fit several images: 0_mask\.png"):
            find_masks(tmp_path / "masks", samples)

    def test_nothing_that_fits_is_refused(self, samples: tuple[Sample, ...], tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no folder of masks"):
            find_masks(tmp_path / "none", samples)
        write(tmp_path / "masks" / "zzz.png", region(0))
        with pytest.raises(UsageError, match=r"No file in .* is called like an image"):
            find_masks(tmp_path / "masks", samples)


class TestReading:
    def test_several_masks_are_joined_and_faint_edges_left_out(self, tmp_path: Path) -> None:
        faint = region(0) * 255
        faint[20, 20] = 40
        write(tmp_path / "1.png", faint)
        write(tmp_path / "2.png", region(3) * 1)
        write(tmp_path / "3.png", np.zeros((SIDE, SIDE)))
        found = read_mask([tmp_path / f"{i}.png" for i in (1, 2, 3)], (SIDE, SIDE))
        assert np.array_equal(found, region(0) | region(3))

    def test_another_size_is_refused(self, tmp_path: Path) -> None:
        write(tmp_path / "1.png", np.ones((10, 12)))
        with pytest.raises(DataError, match="12 x 10 pixels, its image 28 x 28"):
            read_mask([tmp_path / "1.png"], (SIDE, SIDE))


class TestRegions:
    def table(self, samples: tuple[Sample, ...], tmp_path: Path, found: list[ImageMap]) -> dict[str, object]:
        for number, sample in enumerate(samples):
            write(tmp_path / "masks" / Path(sample.path).name, region(number) * 255)
        return localisation_table(found, samples, find_masks(tmp_path / "masks", samples))

    def test_a_map_that_knows_is_told_from_one_that_does_not(
        self, samples: tuple[Sample, ...], tmp_path: Path
    ) -> None:
        rng = np.random.default_rng(1)
        found = []
        for number, sample in enumerate(samples):
            sign = 1.0 if sample.label == "b" else -1.0
            found.append(map_of(sample, sign * region(number), "knows"))
            found.append(map_of(sample, rng.normal(size=(SIDE, SIDE)), "guesses"))
            found.append(map_of(sample, -sign * region(number), "reversed"))
        rows = self.table(samples, tmp_path, found)["rows"]
        assert isinstance(rows, dict) and list(rows)[-2:] == list(BASELINES)
        assert rows["knows"]["hit"] == {"value": 1.0, "low": 1.0, "high": 1.0}
        assert rows["knows"]["lift"]["value"] == pytest.approx(SIDE**2 / 36, abs=1e-3)
        assert rows["guesses"]["lift"]["low"] < 1.3 and rows["guesses"]["auprc"]["high"] < 0.3
        assert rows["reversed"]["hit"]["value"] == 0.0
        assert rows["knows"]["n_images"] == N

    def test_empty_and_full_masks_are_counted_and_left_out(
        self, samples: tuple[Sample, ...], tmp_path: Path
    ) -> None:
        found = [map_of(sample, region(0)) for sample in samples]
        write(tmp_path / "masks" / Path(samples[0].path).name, np.zeros((SIDE, SIDE)))
        write(tmp_path / "masks" / Path(samples[1].path).name, np.ones((SIDE, SIDE)))
        files = find_masks(tmp_path / "masks", samples)
        with pytest.raises(UsageError, match="All 2 masks are empty"):
            localisation_table(found, samples, files)
        write(tmp_path / "masks" / Path(samples[2].path).name, region(2) * 255)
        told = localisation_table(found, samples, find_masks(tmp_path / "masks", samples))
        assert (told["masks"], told["empty"], told["rows"]["net"]["n_images"]) == (3, 2, 1)

    def test_a_mask_that_vanishes_in_a_large_image_is_counted_as_empty(
        self, samples: tuple[Sample, ...], tmp_path: Path
    ) -> None:
        large = [sample.model_copy(update={"height": 1100, "width": 1100}) for sample in samples[:2]]
        dot, square = np.zeros((1100, 1100)), np.zeros((1100, 1100))
        dot[1, 1] = 255  # of three rows and columns only the first counts
        square[300:400, 300:400] = 255
        for sample, mask in zip(large, (dot, square), strict=True):
            write(tmp_path / "masks" / Path(sample.path).name, mask)
        files = find_masks(tmp_path / "masks", large)
        found = [
            replace(map_of(sample, square), box=Box(0, 0, 1100, 1100), size=(1100, 1100)) for sample in large
        ]
        told = localisation_table(found, large, files)
        assert (told["masks"], told["empty"], told["rows"]["net"]["n_images"]) == (2, 1, 1)


class TestAgreement:
    def test_the_same_finding_is_told_from_the_same_habit(self, samples: tuple[Sample, ...]) -> None:
        rng = np.random.default_rng(2)
        middle = np.exp(-np.add.outer((np.arange(SIDE) - 14) ** 2, (np.arange(SIDE) - 14) ** 2) / 60.0)
        found = []
        for number, sample in enumerate(samples):
            seen = region(number) + 0.05 * rng.normal(size=(SIDE, SIDE))
            found += [map_of(sample, seen + 0.01, "one"), map_of(sample, 3 * seen, "two")]
            found.append(map_of(sample, middle, "habit"))
            found.append(map_of(sample, middle + 0.01 * rng.normal(size=(SIDE, SIDE)), "same habit"))
        groups = {sample.id: sample.id for sample in samples}
        pairs = {(one["a"], one["b"]): one for one in contender_agreement(found, groups)}
        assert pairs["one", "two"]["same"] > 0.9 and pairs["one", "two"]["difference"]["passed"]
        habit = pairs["habit", "same habit"]
        assert habit["same"] > 0.9 and habit["other"] > 0.9 and abs(habit["difference"]["value"]) < 0.05

    def test_images_of_one_group_alone_have_no_control(self, samples: tuple[Sample, ...]) -> None:
        found = [map_of(sample, region(1), name) for sample in samples for name in ("one", "two")]
        assert contender_agreement(found, {sample.id: "g" for sample in samples}) == []
