"""The files of a run folder: what a missing, damaged or foreign one is called."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from headtohead.core.atomic_io import write_table
from headtohead.core.config import StudyConfig
from headtohead.core.errors import ChangedDataError, RunFolderError
from headtohead.core.run_folder import FORMAT, RunFolder, slug, write_record

CONFIG = StudyConfig(data="scans", contenders=("a", "b"))


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A folder that belongs to a study."""
    run = RunFolder(tmp_path / "run")
    run.check_or_write_config(CONFIG)
    return run


def test_every_record_carries_the_version_in_front(run: RunFolder) -> None:
    run.write("x.json", {"b": 1, "a": 2})
    assert list(json.loads((run / "x.json").read_text())) == ["format", "b", "a"]
    assert run.json("x.json") == {"format": FORMAT, "b": 1, "a": 2}
    write_record(run / "y.json", {"format": 7})
    assert run.json("y.json") == {"format": 7}, "a record with a version of its own keeps it"


def test_what_is_missing_is_told_apart(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"holds no verdict.json: the run is not finished. Run the same"):
        run.verdict()
    (tmp_path / "other").mkdir()
    with pytest.raises(RunFolderError, match=r"not a run folder: it holds no study.toml and no verdict.json"):
        RunFolder(tmp_path / "other").verdict()
    with pytest.raises(RunFolderError, match=r"There is no run at .*none; expected the folder that a study"):
        RunFolder(tmp_path / "none").table("predictions.parquet")
    with pytest.raises(RunFolderError, match=r"other is not a run folder: it holds no study.toml"):
        RunFolder(tmp_path / "other").config()


def test_a_verdict_that_is_none_is_refused_by_its_first_field(run: RunFolder) -> None:
    run.write("verdict.json", {"sentence": "A wins."})
    with pytest.raises(RunFolderError, match=r"verdict.json is not what headtohead writes: metric: "):
        run.verdict()


def test_a_table_comes_back_and_a_torn_one_is_refused(run: RunFolder) -> None:
    table = pd.DataFrame({"id": ["a", "ö"], "p": [0.1, 0.9]})
    write_table(run / "predictions.parquet", table)
    pd.testing.assert_frame_equal(run.table("predictions.parquet"), table)
    (run / "predictions.parquet").write_bytes((run / "predictions.parquet").read_bytes()[:-9])
    with pytest.raises(RunFolderError, match=r"predictions.parquet cannot be read: .*It is damaged"):
        run.table("predictions.parquet")


def test_a_finished_run_tells_of_which_data(run: RunFolder) -> None:
    assert run.finished_digest is None
    run.mark_finished("abc")
    assert run.finished_digest == "abc"
    assert run.is_claimed and not RunFolder(run / "none").is_claimed


@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX")
def test_the_configuration_names_no_folder_above_the_run(run: RunFolder, tmp_path: Path) -> None:
    other = RunFolder(tmp_path / "second")
    other.check_or_write_config(CONFIG.model_copy(update={"data": str(tmp_path / "scans")}))
    assert (other / "study.toml").read_text().count(str(tmp_path)) == 0
    assert other.config().data == str(tmp_path / "scans")
    assert run.config() == CONFIG


def test_the_same_configuration_by_another_path_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = CONFIG.model_copy(update={"groups": str(tmp_path / "groups.csv")})
    run = RunFolder(tmp_path / "run")
    run.check_or_write_config(groups)
    run.check_or_write_data("d", {"a": "1"})
    monkeypatch.chdir(tmp_path)
    RunFolder(Path("run")).check_or_write_config(
        groups.model_copy(update={"groups": str(tmp_path / "run" / ".." / "groups.csv")})
    )


def test_many_changed_files_are_counted_and_five_named(run: RunFolder) -> None:
    old = {f"{n}.png": "1" for n in range(9)}
    run.check_or_write_data("d1", old)
    with pytest.raises(ChangedDataError) as caught:
        run.check_or_write_data("d2", dict.fromkeys(old, "2"))
    assert "9 changed (0.png, 1.png, 2.png, 3.png, 4.png, …). Put them back" in str(caught.value)
    with pytest.raises(ChangedDataError, match=r"5 removed \(0.png, 1.png, 2.png, 3.png, 4.png\)\."):
        run.check_or_write_data("d2", {f"{n}.png": "1" for n in range(5, 9)})


@pytest.mark.parametrize(
    "content", [{"digest": "d"}, {"files": {}}, {"digest": 1, "files": {}}, {"digest": "d", "files": []}]
)
def test_a_record_of_the_data_without_files_is_damaged(run: RunFolder, content: dict[str, object]) -> None:
    run.write("data.json", content)
    with pytest.raises(RunFolderError, match=r"data.json is damaged: it names no files") as caught:
        run.check_or_write_data("d", {"a.png": "1"})
    assert not isinstance(caught.value, ChangedDataError)


def test_a_folder_with_only_locks_may_be_claimed_and_one_with_more_not(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    (tmp_path / ".lock").touch()
    (tmp_path / ".locks").mkdir()
    run.check_or_write_config(CONFIG)
    for name in ("d.txt", "b.txt", "c.txt", "a.txt"):
        (tmp_path / "foreign").mkdir(exist_ok=True)
        (tmp_path / "foreign" / name).touch()
    with pytest.raises(RunFolderError, match=r"it holds a.txt, b.txt, c.txt…\)"):
        RunFolder(tmp_path / "foreign").check_or_write_config(CONFIG)
    assert not (tmp_path / "foreign" / "study.toml").exists()


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("x")
    with (
        pytest.raises(RunFolderError, match="run is a file, not a folder"),
        RunFolder(tmp_path / "run").lock(),
    ):
        pass


def test_the_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "deep" / "run")
    with pytest.raises(KeyError), run.lock():
        raise KeyError
    with run.lock():
        assert (run / ".lock").exists() or os.name == "nt"


def test_places_of_a_cell_lie_apart_for_each_repeat_and_fold(run: RunFolder) -> None:
    places = [
        place(name, repeat, fold)
        for place in (run.cell_path, run.training_path, run.work_folder)
        for name in ("a", "b(a)")
        for repeat in (0, 1, 11)
        for fold in (0, 1, 11)
    ]
    assert len(set(places)) == len(places)
    assert run.cell_path("a", 1, 2) == run.path / "cells" / "a" / "r1f2.json"
    assert run.training_path("a", 1, 2) == run.path / "training" / "a" / "r1f2.json"
    assert run.work_folder("a", 1, 2) == run.path / "cells" / "a" / "r1f2.work"


def test_a_run_without_its_images_says_what_to_do(run: RunFolder) -> None:
    said = str(run.missing_data("/gone/scans"))
    assert "are not at /gone/scans" in said and str(run / "study.toml") in said


@pytest.mark.parametrize(
    "name", ["..", "/etc/passwd", "a/../b", "脳", "", "._.", " ", "a\x00b", "CON:x", "é" * 300]
)
def test_no_name_leads_out_of_its_folder(name: str) -> None:
    found = slug(name)
    assert found == "" if name == "" else found.strip(".")
    assert found.isascii() and not set(found) & set("/\\:\0 ") and len(found) <= 80
