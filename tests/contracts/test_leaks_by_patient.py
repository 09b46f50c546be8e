"""Leaks that are not one image under two names: patients, volumes, frames, archives, labels, folders."""

from __future__ import annotations

import csv
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.planting import stored
from tests.planting.copies import gamma, resized, turned
from tests.planting.scenes import head, series

from headtohead.audit.check import run_checks
from headtohead.audit.context import AuditContext
from headtohead.audit.duplicates import Grouping
from headtohead.audit.image_index import find_groups
from headtohead.audit.registry import get_check
from headtohead.core.errors import LeakageError
from headtohead.core.progress import QuietReporter
from headtohead.core.records import Finding
from headtohead.data.dataset import Dataset
from headtohead.data.load import LoadOptions, load
from headtohead.data.splits.folds import make_folds

HEADS = [head(seed) for seed in range(12)]
PNG = [stored.png(image)[1] for image in HEADS]
Files = dict[str, bytes]


def written(root: Path, files: Files) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def listed(root: Path, files: Files, rows: Iterable[dict[str, Any]]) -> Path:
    """Write files and a manifest over them."""
    told = list(rows)
    with (written(root, files) / "list.csv").open("w", newline="") as table:
        writer = csv.DictWriter(table, list(told[0]))
        writer.writeheader()
        writer.writerows(told)
    return root / "list.csv"


def searched(source: Path, **options: Any) -> tuple[Dataset, Grouping]:
    data = load(str(source), LoadOptions(**options))
    return data, find_groups(data, workers=1)


def asked(data: Dataset, grouping: Grouping, code: str) -> Finding:
    return run_checks(AuditContext(data, grouping=grouping), [get_check(code)])[0]


def severe(data: Dataset, grouping: Grouping, code: str) -> Finding:
    """Return the finding of a check that must call this split invalid; folds by it must be refused."""
    found = asked(data, grouping, code)
    assert (found.outcome, found.severity) == ("issue", "severe"), found.message
    if code in ("H2H203", "H2H206"):
        with pytest.raises(LeakageError):
            make_folds(data.with_groups(grouping.groups), split="given")
    return found


def parts(seeds: Iterable[int] = range(8)) -> Files:
    """Return different heads in train/ and test/, two classes each."""
    return {f"{('train', 'test')[i % 2]}/{'ab'[i // 2 % 2]}/{i}.png": PNG[i] for i in seeds}


# ---- archives and folders ------------------------------------------------------------------------------


def zipped(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: Files) -> Path:
    written(path.parent / "in", files)
    with tarfile.open(path, "w:gz") as archive:
        for name in files:
            archive.add(path.parent / "in" / name, name)
    return path


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_copies_of_members_of_an_archive(pack: Callable[[Path, Files], Path], tmp_path: Path) -> None:
    smaller = stored.png(resized(HEADS[0], 0.7))[1]
    files = parts() | {"test/a/copy.png": smaller, "test/b/same.png": PNG[2]}
    data, grouping = searched(pack(tmp_path / "a.bin", files))
    found = severe(data, grouping, "H2H203")
    assert set(found.samples) == {"train/a/0.png", "test/a/copy.png", "train/b/2.png", "test/b/same.png"}


def test_copies_between_the_parts_of_an_npz(tmp_path: Path) -> None:
    train, test = np.stack(HEADS[:4]), np.stack([HEADS[6], gamma(HEADS[1], 0.7), HEADS[2], HEADS[7]])
    labels = np.array([0, 1, 0, 1])
    np.savez(
        tmp_path / "set.npz", train_images=train, test_images=test, train_labels=labels, test_labels=labels
    )
    data, grouping = searched(tmp_path / "set.npz")
    found = severe(data, grouping, "H2H203")
    assert set(found.samples) == {"train/000001", "test/000001", "train/000002", "test/000002"}


def test_the_same_name_in_two_parts(tmp_path: Path) -> None:
    files = parts() | {"train/b/again.png": PNG[9], "test/b/again.png": PNG[9]}
    data, grouping = searched(written(tmp_path, files))
    assert set(severe(data, grouping, "H2H203").samples) == {"train/b/again.png", "test/b/again.png"}


def test_a_link_to_a_training_image(tmp_path: Path) -> None:
    root = written(tmp_path, parts())
    (root / "test/a/link.png").symlink_to(root / "train/a/0.png")
    data, grouping = searched(root)
    assert set(severe(data, grouping, "H2H203").samples) == {"train/a/0.png", "test/a/link.png"}


def test_every_image_twice_in_a_doubled_folder_is_counted_once(tmp_path: Path) -> None:
    once = {f"{'ab'[i % 2]}/{i}.png": PNG[i] for i in range(6)}
    data, grouping = searched(written(tmp_path, once | {f"all/{name}": one for name, one in once.items()}))
    assert len(data) == grouping.n_groups == 6
    assert asked(data, grouping, "H2H103").outcome == "tip"


def test_a_folder_of_one_class_repeated_inside_it(tmp_path: Path) -> None:
    once = {f"{'ab'[i % 2]}/{i}.png": PNG[i] for i in range(8)}
    again = {f"a/more/{name[2:]}": one for name, one in once.items() if name[0] == "a"}
    data, grouping = searched(written(tmp_path, once | again))
    assert len(data) == 12
    assert asked(data, grouping, "H2H103").severity == "severe"
    assert asked(data, grouping, "H2H201").data["sets"] == [
        [f"a/{i}.png", f"a/more/{i}.png"] for i in (0, 2, 4, 6)
    ]


# ---- labels and augmentation ---------------------------------------------------------------------------


def test_copies_inside_one_class_without_any_split(tmp_path: Path) -> None:
    files = {f"{'ab'[i % 2]}/{i}.png": PNG[i] for i in range(8)}
    files |= {"a/same.png": PNG[0], "a/less.jpg": stored.jpeg(HEADS[2], 40)[1]}
    data, grouping = searched(written(tmp_path, files))
    assert set(asked(data, grouping, "H2H201").samples) == {"a/0.png", "a/same.png"}
    assert set(asked(data, grouping, "H2H202").samples) == {"a/2.png", "a/less.jpg"}
    assert asked(data, grouping, "H2H209").outcome == "issue"
    grouped = data.with_groups(grouping.groups)
    assert make_folds(grouped, folds=2, repeats=2).leaks == ()


def test_a_copy_under_the_other_label(tmp_path: Path) -> None:
    files = {f"{'ab'[i % 2]}/{i}.png": PNG[i] for i in range(6)}
    files |= {"b/same.png": PNG[0], "b/less.jpg": stored.jpeg(HEADS[2], 40)[1]}
    data, grouping = searched(written(tmp_path, files))
    assert set(severe(data, grouping, "H2H204").samples) == {"a/0.png", "b/same.png"}
    assert set(severe(data, grouping, "H2H403").samples) == {"a/2.png", "b/less.jpg"}


def test_a_set_that_was_augmented_before_the_split(tmp_path: Path) -> None:
    files = {f"{'ab'[i % 2]}/{i}.png": PNG[i] for i in range(6)}
    for i in range(6):
        for k, angle in enumerate((8, -12)):
            files[f"{'ab'[i % 2]}/{i}_aug{k}.png"] = stored.png(turned(HEADS[i], angle))[1]
    data, grouping = searched(written(tmp_path, files))
    found = asked(data, grouping, "H2H205")
    assert (found.outcome, found.severity) == ("issue", "severe")
    assert len(found.samples) == 18 and len(found.data["named"]) == 12
    assert grouping.n_groups == 6


# ---- patients ------------------------------------------------------------------------------------------


def of_patients(ids: Iterable[str]) -> Files:
    """Return one DICOM file of a different head for each id, by turns in train/ and test/."""
    return {
        f"{('train', 'test')[i % 2]}/{'ab'[i // 2 % 2]}/{i}.dcm": stored.dicom(HEADS[i], patient)[1]
        for i, patient in enumerate(ids)
    }


def test_one_dicom_patient_in_two_parts(tmp_path: Path) -> None:
    ids = ("p1", "p2", "p3", "p4", "p5", "p1", "p6", "p7")
    data, grouping = searched(written(tmp_path, of_patients(ids)))
    assert set(severe(data, grouping, "H2H206").samples) == {"train/a/0.dcm", "test/a/5.dcm"}
    assert grouping.n_groups == 7


@pytest.mark.parametrize("nobody", ["ANON", "UNKNOWN", "0", "", "Anonymous^Patient"])
def test_a_placeholder_joins_nothing_and_is_warned_of(nobody: str, tmp_path: Path) -> None:
    heard: list[str] = []

    class Ear(QuietReporter):
        def warning(self, message: str) -> None:
            heard.append(message)

    written(tmp_path, of_patients([*[nobody] * 6, "p1", "p1"]))
    data = load(str(tmp_path), reporter=Ear())
    assert len({sample.group for sample in data.samples}) == 7
    assert len(heard) == 1 and "6 DICOM files name no patient" in heard[0] and heard[0] in data.notes


def test_one_placeholder_is_no_matter(tmp_path: Path) -> None:
    data = load(str(written(tmp_path, of_patients(["ANON", "p1", "p2", "p3"]))))
    assert not [note for note in data.notes if "name no patient" in note]


def test_a_patient_read_from_the_paths(tmp_path: Path) -> None:
    names = ["train/a/p1_1", "train/a/p2_1", "train/b/p3_1", "test/a/p1_2", "test/b/p4_1", "test/b/p4_2"]
    names += ["train/b/p5_1", "train/a/p6_1"]
    source = written(tmp_path, {f"{name}.png": PNG[i] for i, name in enumerate(names)})
    data, grouping = searched(source, group_from=r"(p\d+)_")
    assert severe(data, grouping, "H2H206").data["groups"] == ["p1"]


def test_a_patient_in_a_column(tmp_path: Path) -> None:
    rows = [
        {"path": f"{i}.png", "label": "ab"[i % 2], "patient": f"p{i % 5}", "split": ("train", "test")[i // 4]}
        for i in range(8)
    ]
    data, grouping = searched(listed(tmp_path, {f"{i}.png": PNG[i] for i in range(8)}, rows))
    assert severe(data, grouping, "H2H206").data["groups"] == ["p0", "p1", "p2"]


def test_a_copy_joins_two_patients(tmp_path: Path) -> None:
    rows = [{"path": f"{i}.png", "label": "ab"[i % 2], "patient": f"p{i // 2}"} for i in range(8)]
    files = {f"{i}.png": PNG[i] for i in range(7)} | {"7.png": stored.png(resized(HEADS[1], 0.8))[1]}
    _, grouping = searched(listed(tmp_path, files, rows))
    assert grouping.groups["1.png"] == grouping.groups["7.png"] == "p0+p3"
    assert any("p0, p3" in note for note in grouping.notes)


# ---- frames, pages, slices -----------------------------------------------------------------------------


def framed(tmp_path: Path, name: str, content: bytes, n: int) -> tuple[Dataset, Grouping]:
    """Load single images beside the frames of one file, half of them in each part."""
    files = {f"{i}.png": PNG[i] for i in range(4)} | {name: content}
    rows = [
        {"path": f"{i}.png", "label": "ab"[i % 2], "frame": "", "split": ("train", "test")[i // 2]}
        for i in range(4)
    ]
    rows += [
        {"path": name, "label": "ab"[i % 2], "frame": str(i), "split": ("train", "test")[i >= n // 2]}
        for i in range(n)
    ]
    return searched(listed(tmp_path, files, rows))


@pytest.mark.parametrize("kind", ["pages of a TIFF", "frames of a DICOM file", "slices of a NIfTI volume"])
def test_frames_of_one_file_in_two_parts(kind: str, tmp_path: Path) -> None:
    shown = np.stack(HEADS[4:8])
    write = {
        "pages of a TIFF": lambda: stored.pages(*shown),
        "frames of a DICOM file": lambda: stored.dicom(shown),
        "slices of a NIfTI volume": lambda: stored.nifti(shown),
    }
    suffix, content = write[kind]()
    data, grouping = framed(tmp_path, f"volume{suffix}", content, 4)
    assert len({grouping.groups[s.id] for s in data.samples if s.frame is not None}) == 1
    found = severe(data, grouping, "H2H206")
    assert set(found.samples) == {s.id for s in data.samples if s.frame is not None}


def test_a_page_that_is_also_a_file(tmp_path: Path) -> None:
    files = parts() | {"train/a/pages.tif": stored.pages(*HEADS[8:10])[1], "test/b/9.png": PNG[9]}
    data, grouping = searched(written(tmp_path, files), pages="all")
    assert set(severe(data, grouping, "H2H203").samples) >= {"train/a/pages.tif#1", "test/b/9.png"}


def test_neighbouring_slices_without_a_patient_are_possibly_one(tmp_path: Path) -> None:
    slices = series(6)
    files = {
        f"{('train', 'test')[i % 2]}/{'ab'[i // 2 % 2]}/{i}.png": stored.png(s)[1]
        for i, s in enumerate(slices)
    }
    data, grouping = searched(written(tmp_path, files))
    assert grouping.n_groups == len(slices), "slices are no copies"
    found = asked(data, grouping, "H2H208")
    assert found.outcome == "issue" and len(found.samples) == len(slices)
    joined = find_groups(data, workers=1, similar=True)
    assert joined.n_groups == 1


def test_names_that_tell_of_a_series(tmp_path: Path) -> None:
    names = [f"{'ab'[i % 2]}/case{i % 6}_{i // 6}.png" for i in range(12)]
    data = load(str(written(tmp_path, {name: stored.png(head(i))[1] for i, name in enumerate(names)})))
    alone = Grouping({s.id: s.id for s in data.samples}, (), (), (), (), {"images": len(data)})
    assert asked(data, alone, "H2H210").outcome == "tip"


def test_groups_of_one_image_each_are_groups_too(tmp_path: Path) -> None:
    """A group column that names each image says that no two are of one patient."""
    names = [f"{'ab'[i % 2]}/case{i % 6}_{i // 6}.png" for i in range(12)]
    root = written(tmp_path, {name: stored.png(head(i))[1] for i, name in enumerate(names)})
    rows = [f"{name},{name[0]},P{i}" for i, name in enumerate(names)]
    (root / "t.csv").write_text("\n".join(["path,label,patient_id", *rows]))
    data = load(str(root / "t.csv"))
    alone = Grouping({s.id: s.id for s in data.samples}, (), (), (), (), {"images": len(data)})
    assert asked(data, alone, "H2H210").outcome == "not_applicable"
