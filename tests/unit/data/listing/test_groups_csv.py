"""The groups file: what is written is read back, and hand-made corrections are never lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.planting.listener import Listener

from headtohead.core.errors import (
    DataError,
    ManifestError,
)
from headtohead.core.records import Sample
from headtohead.data.dataset import Dataset
from headtohead.data.listing.groups_csv import format_groups, read_groups, write_groups


def sample(path: str, frame: int | None = None, group: str | None = None) -> Sample:
    return Sample(
        id=path if frame is None else f"{path}#{frame}",
        path=path,
        label="no",
        group=path if group is None else group,
        frame=frame,
        sha256="0" * 64,
        pixel_hash="0" * 64,
        width=1,
        height=1,
        n_bytes=1,
        mode="L",
        format="PNG",
        suffix=".png",
        bit_depth=8,
    )


def dataset(*samples: Sample) -> Dataset:
    return Dataset(root="/", samples=samples, classes=("no", "yes"), positive="yes")


PATHS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=8
) | st.sampled_from(
    [" a.png", "a.png ", 'q"uote.png', "new\nline.png", "c\rr.png", "r\r\nn", "a,b", "a#0", "=1", "'"]
)


@st.composite
def grouped(draw: st.DrawFn) -> tuple[Dataset, dict[str, str]]:
    samples = []
    for path in draw(st.lists(PATHS, min_size=1, max_size=6, unique_by=str.strip)):
        n_frames = draw(st.integers(0, 3))
        samples += [sample(path, frame) for frame in range(n_frames)] or [sample(path)]
    samples = list({s.id: s for s in samples}.values())
    names = PATHS.map(str.strip).filter(bool) | st.sampled_from([s.path for s in samples]).filter(str.strip)
    groups = {s.id: draw(names) for s in samples}
    return dataset(*samples), groups


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=grouped())
def test_what_is_written_is_read_back(tmp_path: Path, case: tuple[Dataset, dict[str, str]]) -> None:
    data, groups = case
    file = tmp_path / "groups.csv"
    file.unlink(missing_ok=True)
    assert write_groups(file, data, groups) == file
    if all(s.path.strip() for s in data.samples):
        assert read_groups(file, data) == groups


def test_frames_of_one_file_may_lie_in_different_groups(tmp_path: Path) -> None:
    data = dataset(*(sample("0.tif", frame) for frame in range(3)), sample("1.png"))
    groups = {"0.tif#0": "g1", "0.tif#1": "g2", "0.tif#2": "g1", "1.png": "g2"}
    file = write_groups(tmp_path / "groups.csv", data, groups)
    assert file.read_text() == "path,frame,group\n0.tif,0,g1\n0.tif,1,g2\n0.tif,2,g1\n1.png,,g2\n"
    assert read_groups(file, data) == groups


def test_a_row_without_frame_speaks_for_the_file_and_blanks_are_no_part_of_a_name(tmp_path: Path) -> None:
    data = dataset(sample("0.tif", 0), sample("0.tif", 1), sample("1.png"))
    file = tmp_path / "g.csv"
    file.write_text("path, frame, group\n0.tif, , g1\n 1.png ,,g1 \n")
    assert set(read_groups(file, data).values()) == {"g1"}
    file.write_text("path,group\n0.tif#0,a\n0.tif#1,b\n1.png,b\n")
    assert read_groups(file, data) == {"0.tif#0": "a", "0.tif#1": "b", "1.png": "b"}


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("0.tif,0,a\n0.tif,1,a\n0.tif,2,a\n", r"not in the data.*0\.tif#2"),
        ("0.tif,0,a\n", r"have no row.*0\.tif#1"),
        ("0.tif,0,a\n0.tif,1,\n", r"have no group.*0\.tif#1"),
        ("0.tif,0,a\n0.tif,,b\n", r"in two groups.*0\.tif#0"),
        ("0.tif,one,a\n", "got frame 'one'.*expected a whole number"),
    ],
)
def test_rows_that_do_not_fit_the_data_are_named(tmp_path: Path, rows: str, fault: str) -> None:
    (tmp_path / "g.csv").write_text("path,frame,group\n" + rows)
    with pytest.raises(ManifestError, match=fault):
        read_groups(tmp_path / "g.csv", dataset(sample("0.tif", 0), sample("0.tif", 1)))


DATA = dataset(sample("a.png"), sample("b.png"), sample("c.png"))
FIRST = {"a.png": "g1", "b.png": "g1", "c.png": "g2"}
SECOND = {"a.png": "g1", "b.png": "g2", "c.png": "g2"}


def test_a_file_that_nobody_edited_is_replaced(tmp_path: Path) -> None:
    file, ear = tmp_path / "groups.csv", Listener()
    write_groups(file, DATA, FIRST, ear)
    write_groups(file, DATA, SECOND, ear)
    assert read_groups(file, DATA) == SECOND
    assert not ear.warnings and not (tmp_path / "groups.new.csv").exists()


def test_a_corrected_file_is_kept_and_the_new_groups_lie_beside_it(tmp_path: Path) -> None:
    file, ear = tmp_path / "groups.csv", Listener()
    write_groups(file, DATA, FIRST, ear)
    corrected = "path,group\na.png,x\nb.png,y\nc.png,z\n"
    file.write_text(corrected)
    for groups in (FIRST, SECOND):
        assert write_groups(file, DATA, groups, ear) == tmp_path / "groups.new.csv"
        assert file.read_text() == corrected
        assert read_groups(tmp_path / "groups.new.csv", DATA) == groups
    assert "edited by hand and is kept" in ear.warnings[0] and "groups.new.csv" in ear.warnings[0]
    (tmp_path / "groups.new.csv").write_text(corrected)
    with pytest.raises(DataError, match="both edited by hand"):
        write_groups(file, DATA, SECOND, ear)
    assert (tmp_path / "groups.new.csv").read_text() == corrected


def test_a_file_of_unknown_origin_counts_as_corrected(tmp_path: Path) -> None:
    file = tmp_path / "groups.csv"
    file.write_text(format_groups(DATA, SECOND))
    assert write_groups(file, DATA, SECOND) == file
    file.with_name("groups.csv.written.json").write_text("no record")
    assert write_groups(file, DATA, FIRST) == tmp_path / "groups.new.csv"
    assert read_groups(file, DATA) == SECOND


def test_corrections_that_are_given_back_stay_as_they_were_typed(tmp_path: Path) -> None:
    file, ear = tmp_path / "groups.csv", Listener()
    write_groups(file, DATA, FIRST)
    typed = "path,group,why\nc.png, g2,\nb.png, g2,another patient\na.png,g1,\n"
    file.write_text(typed)
    assert write_groups(file, DATA, read_groups(file, DATA), ear) == file
    assert file.read_text() == typed and not ear.warnings


def test_a_write_that_was_cut_off_leaves_nothing_in_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "groups.csv"
    write_groups(file, DATA, FIRST)

    def killed(path: Path, content: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("headtohead.data.listing.groups_csv.write_atomic", killed)
        with pytest.raises(KeyboardInterrupt):
            write_groups(file, DATA, SECOND)
    assert len(json.loads((tmp_path / "groups.csv.written.json").read_text())["sha256"]) == 2
    assert write_groups(file, DATA, SECOND) == file
    assert read_groups(file, DATA) == SECOND


Made = Callable[..., Dataset]


def small(made: Made) -> Dataset:
    return made([("no", "g0"), ("no", "g1"), ("yes", "g2"), ("yes", "g3")], ["train", None, "val", "test"])


def test_groups_read_back(made: Made, tmp_path: Path) -> None:
    data = small(made)
    file = tmp_path / "groups.csv"
    file.write_text("path,group,note\ns0000,one,\ns0001,one,reviewed\ns0002,two,\ns0003,three,\n")
    assert read_groups(file, data) == {"s0000": "one", "s0001": "one", "s0002": "two", "s0003": "three"}
    for text, fault in (
        ("path\ns0000\n", "expected path and group"),
        ("path,group\ns0000,a\ns0001,a\ns0002,b\n", "1 images of the data have no row.*s0003"),
        ("path,group\ns0000,a\ns0001,a\ns0002,b\ns0003,c\nzz,c\n", "not in the data.*zz"),
        ("path,group\ns0000,a\ns0001,\ns0002,b\ns0003,c\n", "have no group.*s0001"),
        ("path,group\ns0000,a\ns0001,a\ns0002,b\ns0003,c\ns0003,d\n", "in two groups.*s0003"),
    ):
        file.write_text(text)
        with pytest.raises(ManifestError, match=fault):
            read_groups(file, data)


def test_groups_of_a_file_speak_for_its_frames(made: Made, tmp_path: Path) -> None:
    data = small(made)
    frames = [
        s.model_copy(update={"id": f"a.tif#{i}", "path": "a.tif", "frame": i})
        for i, s in enumerate(data.samples[:2])
    ]
    data = replace(data, samples=(*frames, *data.samples[2:]))
    (tmp_path / "g.csv").write_text("path,group\na.tif,one\ns0002,two\ns0003,two\n")
    assert read_groups(tmp_path / "g.csv", data) == {
        "a.tif#0": "one",
        "a.tif#1": "one",
        "s0002": "two",
        "s0003": "two",
    }
