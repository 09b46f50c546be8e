"""The demonstration set: repeatable, synthetic, and as its `truth.json` says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("nilearn", reason="the demonstration set needs the extra 'demo'")

from headtohead.core.errors import DataError, InsufficientDataError
from headtohead.data.demo import CLASSES, make_demo
from headtohead.data.demo.anatomy import SIDE, smooth_noise
from headtohead.data.demo.plan import COPY_KINDS, draw_plan
from headtohead.data.demo.scene import draw_scene
from headtohead.preprocess.foreground import foreground_box

N = 48


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "set"
    make_demo(folder, n=N, seed=5)
    return folder


@pytest.fixture(scope="module")
def truth(demo: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((demo / "truth.json").read_text())
    return found


def read(path: Path) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_the_same_seed_gives_the_same_bytes(demo: Path, tmp_path: Path) -> None:
    make_demo(tmp_path / "again", n=N, seed=5)
    assert hashes(tmp_path / "again") == hashes(demo)


def test_a_scene_depends_on_seed_and_number_alone() -> None:
    first, second = draw_scene(3, 7, True), draw_scene(3, 7, True)
    np.testing.assert_array_equal(first.pixels, second.pixels)
    other = draw_scene(4, 7, True).pixels
    assert other.shape != first.pixels.shape or (other != first.pixels).any()


def test_every_file_is_in_the_truth_and_says_synthetic(demo: Path, truth: dict[str, Any]) -> None:
    images = {f"{p.parent.name}/{p.name}" for p in demo.glob("*/*")}
    unreadable = set(truth["odd_files"]["unreadable"])
    assert images == set(truth["images"]) | unreadable
    assert len(truth["images"]) == N
    assert all("synthetic" in name for name in images)
    assert truth["synthetic"] is True
    assert "synthetic" in (demo / "DATA.md").read_text().lower()
    assert "Louis Collins" in (demo / "DATA.md").read_text()
    assert {name.split("/")[0] for name in images} == set(CLASSES)


def test_planted_copies_are_what_they_are_called(demo: Path, truth: dict[str, Any]) -> None:
    assert {copy["kind"] for copy in truth["copies"]} == set(COPY_KINDS)
    for copy in truth["copies"]:
        a, b = demo / copy["of"], demo / copy["path"]
        assert truth["scenes"][copy["of"]] == truth["scenes"][copy["path"]]
        if copy["kind"] == "byte copy":
            assert a.read_bytes() == b.read_bytes()
            continue
        assert a.read_bytes() != b.read_bytes()
        one, two = read(a), read(b)
        if copy["kind"] == "re-cropped":
            scores = cv2.matchTemplate(one, two, cv2.TM_CCOEFF_NORMED)
            assert scores.max() > 0.97
        else:
            two = np.asarray(cv2.resize(two, one.shape[::-1], interpolation=cv2.INTER_AREA))
            assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.95


def test_odd_files_are_odd(demo: Path, truth: dict[str, Any]) -> None:
    odd = truth["odd_files"]
    for name in odd["png_in_jpg"]:
        assert name.endswith(".jpg")
        assert (demo / name).read_bytes().startswith(b"\x89PNG")
    for name in odd["capital_suffix"]:
        assert name.endswith(".JPG")
    for name in odd["white_frame"]:
        image = read(demo / name)
        assert image[0].min() > 230
        assert image[:, -1].min() > 230
    assert odd["png_in_jpg"]
    assert odd["white_frame"]
    from PIL import Image as Pillow

    for name in odd["unreadable"]:
        with pytest.raises(OSError, match=r"."), Pillow.open(demo / name) as broken:
            broken.load()


def test_labels_boxes_and_sizes_fit(demo: Path, truth: dict[str, Any]) -> None:
    wrong = {truth["scenes"][name] for name in truth["wrong_labels"]}
    for name, facts in truth["images"].items():
        height, width = read(demo / name).shape
        assert facts["size"] == [height, width]
        assert name.split("/")[0] == facts["label"]
        assert (facts["label"] != facts["true_label"]) == (facts["scene"] in wrong)
        ill = facts["true_label"] == "lesion"
        assert (facts["difficulty"] is not None) == ill
        if ill:
            top, left, bottom, right = facts["lesion_box"]
            assert 0 <= top < bottom <= height
            assert 0 <= left < right <= width


def test_file_facts_lean_on_the_label() -> None:
    """Of many drawn views those of the ill are larger, but the two ranges overlap."""
    from headtohead.data.demo.acquire import sample_acquisition

    rng = np.random.default_rng(0)
    sides = [[sample_acquisition(rng, bool(rng.random() < p)).height for _ in range(600)] for p in (0.3, 0.7)]
    above = np.mean([b > a for a, b in zip(*sides, strict=True)])
    assert 0.55 < above < 0.75


def aligned(path: Path) -> npt.NDArray[np.float64]:
    """The head alone, at one size, without what is smooth, as a unit vector."""
    image = read(path)
    head = foreground_box(image)[0].crop(image)
    small = cv2.resize(head, (96, 96), interpolation=cv2.INTER_AREA).astype(np.float64)
    fine = (small - cv2.GaussianBlur(small, (0, 0), 8)).ravel()
    fine -= fine.mean()
    return np.asarray(fine / np.linalg.norm(fine))


def test_different_patients_do_not_look_like_copies(demo: Path, truth: dict[str, Any]) -> None:
    """After taking both heads to one frame, copies correlate far above any two different patients."""
    names = list(truth["images"])
    rows = np.stack([aligned(demo / name) for name in names])
    scores = rows @ rows.T
    scene = np.array([truth["scenes"][name] for name in names])
    cut = {truth["scenes"][copy["path"]] for copy in truth["copies"] if copy["kind"] == "re-cropped"}
    same = scene[:, None] == scene[None]
    whole = np.triu(same, 1) & ~np.isin(scene, list(cut))[:, None]  # a re-crop may cut the outline
    apart = scores[~same]
    assert scores[whole].min() > apart.max() + 0.1
    assert apart.max() < 0.7
    assert np.quantile(apart, 0.99) < 0.5


def test_the_plan_counts() -> None:
    plan = draw_plan(240, 0)
    assert len(plan.has_lesion) + len(plan.copies) == 240
    assert sorted(plan.order) == list(range(240))
    assert len({copy.scene for copy in plan.copies}) == len(plan.copies)
    assert 0.5 < np.mean(plan.has_lesion) < 0.6
    odd = [plan.mislabelled, plan.white_frame, plan.png_in_jpg]
    assert sum(len(s) for s in odd) == len(frozenset().union(*odd))


def test_smooth_noise_has_unit_spread() -> None:
    for sigma in (2.0, 9.0, 26.0, 70.0):
        noise = smooth_noise(np.random.default_rng(1), sigma)
        assert noise.shape == (SIDE, SIDE)
        assert abs(float(noise.mean())) < 1e-4
        assert float(noise.std()) == pytest.approx(1, abs=1e-3)


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(InsufficientDataError, match="at least 40"):
        make_demo(tmp_path / "few", n=10, seed=0)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    with pytest.raises(DataError, match="not empty"):
        make_demo(tmp_path / "full", n=40, seed=0)
