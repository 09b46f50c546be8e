"""NRRD, MetaImage, MGH and Analyze: the same slices as the same volume in NIfTI."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from tests.planting.volumes import AFFINE, corpus, voxels, write_itk

from headtohead.core.errors import UnreadableError
from headtohead.data.load import load, source_digest
from headtohead.data.readers import Limits, SliceOptions, count_frames, is_candidate, read_image, sniff

OBLIQUE = AFFINE.copy()
OBLIQUE[:3, :3] = AFFINE[:3, :3] @ np.array([[0.98, -0.17, 0], [0.17, 0.98, 0], [0, 0, 1]])
PLANES = (SliceOptions("axial"), SliceOptions("coronal"), SliceOptions("sagittal"))


def as_nifti(array: Any, affine: Any) -> bytes:
    content: bytes = nib.Nifti1Image(array, affine).to_bytes()  # type: ignore[no-untyped-call]
    return content


def same_as_nifti(content: bytes, array: Any, affine: Any) -> None:
    """Hold every plane of a volume against the same volume in NIfTI."""
    nifti = as_nifti(array, affine)
    for slices in PLANES:
        count = count_frames(content, slices=slices)
        assert count == count_frames(nifti, slices=slices)
        for frame in (0, count - 1, None):
            ours, theirs = (read_image(c, frame=frame, slices=slices) for c in (content, nifti))
            assert (ours.pixels == theirs.pixels).all() and ours.pixels.dtype == theirs.pixels.dtype
            assert ours.spacing_mm == pytest.approx(theirs.spacing_mm, rel=1e-5)
            assert ours.window == pytest.approx(theirs.window) and ours.facts == theirs.facts


@pytest.mark.parametrize("affine", [AFFINE, OBLIQUE, np.eye(4)], ids=["turned", "oblique", "plain"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("suffix", ["mha", "nrrd"])
def test_what_simpleitk_writes(tmp_path: Path, suffix: str, packed: bool, affine: Any) -> None:
    write_itk(tmp_path / f"a.{suffix}", voxels(), affine, packed=packed)
    same_as_nifti((tmp_path / f"a.{suffix}").read_bytes(), voxels(), affine)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("suffix", ["mgh", "mgz"])
def test_what_freesurfer_writes(tmp_path: Path, suffix: str, dtype: str) -> None:
    array = np.abs(voxels() % 200).astype(dtype)
    nib.save(nib.MGHImage(array, AFFINE), tmp_path / f"a.{suffix}")  # type: ignore[no-untyped-call]
    content = (tmp_path / f"a.{suffix}").read_bytes()
    assert sniff(content) == "MGH"
    same_as_nifti(content, array, AFFINE)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float64"])
def test_types_and_byte_orders_of_nrrd(dtype: str) -> None:
    array = np.abs(voxels()).astype(dtype)
    names = {"uint8": "uchar", "uint16": "unsigned short", "int32": "int", "float64": "double"}
    head = f"NRRD0004\n# comment\ntype: {names[dtype]}\ndimension: 3\nsizes: 7 8 9\nendian: big\nkey:=v\n"
    body = array.astype(np.dtype(dtype).newbyteorder(">")).tobytes(order="F")
    raw, packed = (f"{head}encoding: {how}\n\n" for how in ("raw", "gzip"))
    for content in (raw.encode() + body, packed.encode() + gzip.compress(body)):
        image = read_image(content, frame=4)
        assert (image.pixels == array[:, :, 4].T).all()
        assert any("not stated" in note for note in image.history)


def test_flat_images_come_as_stored() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (6, 5), dtype=np.uint8)
    nrrd = b"NRRD0004\ntype: uint8\ndimension: 2\nsizes: 5 6\nencoding: raw\n\n" + pixels.tobytes()
    mha = b"ObjectType = Image\nNDims = 2\nDimSize = 5 6\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n"
    colour = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 3 5 6\nkinds: RGB-color domain domain\nencoding: raw\n\n"
    for content in (nrrd, mha + pixels.tobytes()):
        assert (read_image(content).pixels == pixels).all() and count_frames(content) == 1
    rgb = np.stack([pixels, pixels // 2, pixels // 3], -1)
    assert (read_image(colour + rgb.tobytes()).pixels == rgb).all()


def test_of_several_volumes_the_first_is_said() -> None:
    array = np.arange(5 * 6 * 7 * 2, dtype=np.uint8).reshape(5, 6, 7, 2)
    head = b"NRRD0004\ntype: uint8\ndimension: 4\nsizes: 5 6 7 2\nencoding: raw\n\n"
    image = read_image(head + array.tobytes(order="F"), frame=3)
    assert (image.pixels == array[:, :, 3, 0].T).all()
    assert any("2 volumes; the first was taken" in note for note in image.history)


@pytest.mark.parametrize("name", sorted(corpus()))
def test_damage_is_told(name: str) -> None:
    content = corpus()[name]
    for cut in (30, len(content) // 2, *([len(content) - 1] if name in ("a.mha", "a.nrrd") else [])):
        with pytest.raises(UnreadableError):
            read_image(content[:cut])
    with pytest.raises(UnreadableError, match="limit"):
        read_image(content, limits=Limits(voxels=100))
    assert is_candidate(name, content[:4096])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 5 6\nencoding: raw\n\n", "do not fit"),
        (b"NRRD0004\ntype: block\ndimension: 1\nsizes: 5\nencoding: raw\n\n", "type 'block' is not read"),
        (b"NRRD0004\ntype: uint8\ndimension: 2\nsizes: 5 6\nencoding: bzip2\n\n", "'bzip2' is not read"),
        (b"NRRD0004\ntype: uint8\ndimension: 2\nsizes: 5 -6\nencoding: raw\n\n", "at least 1"),
        (b"NRRD0004\ntype: uint8\ndimension: 2\nsizes: 5 x\nencoding: raw\n\n", "no whole numbers in sizes"),
        (b"NRRD0004\ntype: uint8\nsizes: 5 6", "no empty line"),
        (b"NRRD0004\ndata file: a.raw\ntype: uint8\n", "keep both side by side"),
        (b"ObjectType = Image\nNDims = 3\nDimSize = 5 6\nElementDataFile = LOCAL\n", "do not fit"),
        (
            b"ObjectType = Image\nNDims = 2\nDimSize = 5 6\nElementDataFile = a.raw\n",
            "keep both side by side",
        ),
        (b"ObjectType = Image\nNDims = 2\n", "no ElementDataFile"),
        (
            b"ObjectType = Image\nNDims = 2\nDimSize = 5 6\nElementType = MET_X\nElementDataFile = LOCAL\n",
            "MET_X",
        ),
    ],
)
def test_what_is_refused_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        read_image(content + bytes(10) if content.endswith(b"\n") else content)


def test_data_beside_their_headers(tmp_path: Path) -> None:
    for label, shift in (("no", 0), ("yes", 50)):
        (tmp_path / label).mkdir()
        array = voxels() + shift
        write_itk(tmp_path / label / "a.mhd", array)
        write_itk(tmp_path / label / "b.nhdr", array)
        nib.save(nib.Nifti1Pair(array, AFFINE), tmp_path / label / "c.img")  # type: ignore[no-untyped-call]
    data = load(str(tmp_path))
    assert [s.path for s in data.samples if s.label == "no"] == ["no/a.mhd", "no/b.nhdr", "no/c.hdr"]
    assert [s.format for s in data.samples[:3]] == ["METAIMAGE", "NRRD", "NIFTI"]
    for sample in data.samples:
        array = voxels() + (50 if sample.label == "yes" else 0)
        assert (data.read(sample).pixels == read_image(as_nifti(array, AFFINE)).pixels).all()
    assert source_digest(str(tmp_path)) == data.digest()
    (beside,) = [left for left in data.left_out if "data files" in left.why]
    assert beside.n == 6 and not data.problems
    raw = next((tmp_path / "no").glob("a.*raw"))
    raw.write_bytes(raw.read_bytes()[::-1])
    assert source_digest(str(tmp_path)) != data.digest()


def test_analyze_is_read_as_nibabel_does(tmp_path: Path) -> None:
    for label in ("no", "yes"):
        (tmp_path / label).mkdir()
        nib.save(nib.AnalyzeImage(voxels(), None), tmp_path / label / "a.img")  # type: ignore[no-untyped-call]
    theirs: Any = nib.load(tmp_path / "no" / "a.hdr")
    data = load(str(tmp_path))
    expected = read_image(as_nifti(np.asarray(theirs.dataobj).astype(np.int16), theirs.affine))
    assert (data.read(data.samples[0]).pixels == expected.pixels).all()


def test_a_header_alone_or_leading_elsewhere(tmp_path: Path) -> None:
    for label in ("no", "yes"):
        (tmp_path / label).mkdir()
        write_itk(tmp_path / label / "a.mha", voxels())
        write_itk(tmp_path / label / "b.mhd", voxels())
    next((tmp_path / "no").glob("b.*raw")).unlink()
    header = tmp_path / "yes" / "b.mhd"
    header.write_text(header.read_text().replace("ElementDataFile = ", "ElementDataFile = ../no/"))
    reasons = {p.path: p.reason for p in load(str(tmp_path)).problems}
    assert "not next to it" in reasons["no/b.mhd"] and "another folder" in reasons["yes/b.mhd"]


def test_a_series_of_volumes_is_said_when_loading(tmp_path: Path) -> None:
    for label, shift in (("no", 0), ("yes", 9)):
        (tmp_path / label).mkdir()
        series = np.stack([voxels() + shift, voxels() * 2], -1)
        (tmp_path / label / "a.nii").write_bytes(as_nifti(series, AFFINE))
    data = load(str(tmp_path))
    assert any("2 files hold several volumes (4-D): volume 0 of each is read" in note for note in data.notes)
    assert (data.read(data.samples[0]).pixels == read_image(as_nifti(voxels(), AFFINE)).pixels).all()
