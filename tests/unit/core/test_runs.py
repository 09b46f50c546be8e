"""A run folder belongs to one configuration and one set of images."""

from __future__ import annotations

from pathlib import Path

import pytest

from headtohead.core.atomic_io import write_atomic, write_json
from headtohead.core.config import DataConfig, StudyConfig, differences
from headtohead.core.errors import ChangedConfigError, ChangedDataError, RunFolderError, UsageError
from headtohead.core.run_folder import RunFolder, slug


def config(**changes: object) -> StudyConfig:
    return StudyConfig.model_validate({"data": "scans", "contenders": ("a", "b"), **changes})


def test_configuration_round_trips_through_toml() -> None:
    full = config(
        rope=0.02,
        by=("sex", "scanner"),
        ignore={"H2H203": "known"},
        data_options=DataConfig(map_labels={"a": "yes"}, drop=("c",)),
    )
    assert StudyConfig.from_toml(full.to_toml()) == full


def test_a_setting_that_does_not_exist_is_named() -> None:
    with pytest.raises(UsageError, match="foldz"):
        StudyConfig.from_toml('data = "x"\ncontenders = ["a"]\nfoldz = 3\n')


def test_a_changed_configuration_is_refused_with_the_difference(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.check_or_write_config(config())
    run.check_or_write_config(config(data="elsewhere"))
    run.check_or_write_data("d1", {"a.png": "1"})
    with pytest.raises(ChangedConfigError, match=r"folds: 5 there, 3 asked for"):
        run.check_or_write_config(config(folds=3))


def test_a_folder_without_work_may_be_claimed_anew(tmp_path: Path) -> None:
    """As after a contender without weights: its name is changed, and the same folder is asked for."""
    run = RunFolder(tmp_path / "run")
    run.check_or_write_config(config())
    (run / "contenders").mkdir()
    (run / "contenders" / "found.json").write_text("{}")
    run.check_or_write_config(config(folds=3))
    assert run.config() == config(folds=3) and not (run / "contenders").exists()


def test_differences_name_nested_settings() -> None:
    assert differences(config(), config(data_options=DataConfig(positive="a"))) == [
        "data_options.positive: None there, 'a' asked for"
    ]


def test_changed_images_are_refused_by_name(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.check_or_write_data("d1", {"a.png": "1", "b.png": "2", "c.png": "3"})
    run.check_or_write_data("d1", {"a.png": "1", "b.png": "2", "c.png": "3"})
    with pytest.raises(
        ChangedDataError, match=r"1 added \(d.png\); 1 removed \(a.png\); 1 changed \(b.png\)"
    ):
        run.check_or_write_data("d2", {"b.png": "9", "c.png": "3", "d.png": "4"})


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("x")
    with pytest.raises(RunFolderError, match="not a run folder"):
        RunFolder(tmp_path).check_or_write_config(config())


def test_two_processes_cannot_hold_one_folder(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    with run.lock(), pytest.raises(RunFolderError, match="in use"), RunFolder(tmp_path / "run").lock():
        pass


def test_slugs_are_safe_and_distinct() -> None:
    names = ["a", "ensemble(a,b)", "ensemble(a;b)", "path:/x/y", "path:/x_y", "a" * 200, "a" * 199]
    slugs = [slug(name) for name in names]
    assert len(set(slugs)) == len(names)
    assert all("/" not in word and len(word) <= 80 for word in slugs)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    before = path.read_bytes()

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, "new")
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["x.json"]


def test_json_refuses_numbers_that_are_not() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        write_json(Path("never-written.json"), {"a": float("nan")})


def test_a_name_as_long_as_the_system_takes_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("脳" * 83 + ".json")  # 254 bytes
    write_json(path, {"a": 1})
    assert [item.name for item in tmp_path.iterdir()] == [path.name]
