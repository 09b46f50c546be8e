"""Files that come back, perhaps from another hospital: bounded, checked, and refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from headtohead.core.config import SearchConfig, StudyConfig
from headtohead.core.errors import RunFolderError, UsageError
from headtohead.core.safety.limits import ENVIRONMENT
from headtohead.core.tables.score import TestResult
from headtohead.core.tables.stored_files import (
    MAX_CONFIG,
    MAX_DOTS,
    read_as,
    read_config,
    read_frame,
    read_json_file,
    read_settings,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.file"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cannot be read: Expecting value"),
        (b"{", "cannot be read: Expecting property name"),
        (b'{"a": "\xff"}', "cannot be read: 'utf-8' codec"),
        (b"[" * 100_000, "cannot be read: "),
        (b"[1]", "holds a list; expected a table. It is damaged"),
        (b"null", "holds a NoneType; expected a table"),
    ],
)
def test_damaged_json_is_named(path: Path, content: bytes, said: str) -> None:
    path.write_bytes(content)
    with pytest.raises(RunFolderError, match=said) as caught:
        read_json_file(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_a_missing_file_is_an_explained_error(path: Path) -> None:
    for read in (read_json_file, read_config, read_settings, read_frame):
        with pytest.raises(RunFolderError, match=r"cannot be read: .*No such file"):
            read(path)


def test_json_beyond_the_limit_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(json.dumps({"a": "x" * 20}))
    size = path.stat().st_size
    monkeypatch.setenv(ENVIRONMENT, f"record-bytes={size}")
    assert read_json_file(path) == {"a": "x" * 20}
    monkeypatch.setenv(ENVIRONMENT, f"record-bytes={size - 1}")
    with pytest.raises(
        RunFolderError, match=rf"it has {size} bytes; the limit is {size - 1} \(--limit record-bytes"
    ):
        read_json_file(path)


def test_a_record_is_refused_by_its_first_misfit(path: Path) -> None:
    good = {"statistic": 1.0, "p_value": 0.5}
    assert read_as(TestResult, good, path) == TestResult(statistic=1.0, p_value=0.5)
    with pytest.raises(RunFolderError, match=r"is not what headtohead writes: p_value: Input should be less"):
        read_as(TestResult, {**good, "p_value": 2}, path)
    with pytest.raises(RunFolderError, match=r"is not what headtohead writes: its top: Input should be"):
        read_as(TestResult, [1], path)


def test_a_configuration_of_any_kind_is_read(path: Path) -> None:
    for config in (StudyConfig(data="ä", contenders=("a",)), SearchConfig(data="x")):
        path.write_text(config.to_toml(), encoding="utf-8")
        assert read_config(path) == config


def test_a_configuration_with_a_wrong_setting_names_it(path: Path) -> None:
    path.write_text('data = "x"\ncontenders = ["a"]\nfoldz = 1\n')
    with pytest.raises(UsageError, match="foldz"):
        read_config(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"data = '\xff'", "'utf-8' codec"),
        (b"#" * (MAX_CONFIG + 1), f"it has {MAX_CONFIG + 1:,} bytes; expected at most {MAX_CONFIG:,}"),
        (b"a" + b".a" * (MAX_DOTS + 1) + b" = 1", f"a line has more than {MAX_DOTS} dots"),
    ],
)
def test_hostile_configurations_are_refused(path: Path, content: bytes, said: str) -> None:
    path.write_bytes(content)
    for read in (read_config, read_settings):
        with pytest.raises(RunFolderError, match=said):
            read(path)


def test_as_many_dots_and_bytes_as_allowed_pass(path: Path) -> None:
    path.write_text("# " + "." * MAX_DOTS + "\n" + "#" * 100 + "\n")
    assert read_settings(path)[1] == {}
    path.write_bytes(b"#" * MAX_CONFIG)
    assert read_settings(path)[1] == {}


def test_settings_for_people_name_no_folder(path: Path) -> None:
    config = StudyConfig(
        data="~/mrs smith/scans/",
        contenders=("path:~/models/of ann/net.pth?arch=x", "ensemble(a,path:/opt/b.pth)"),
        groups="{run}/../../dr jones/groups.csv",
        seed=3,
    )
    path.write_text(config.to_toml(), encoding="utf-8")
    text, settings = read_settings(path)
    assert 'data = "scans"\n' in text and '"path:net.pth?arch=x"' in text and "ensemble(a,path:b.pth)" in text
    assert 'groups = "groups.csv"\n' in text
    assert not any(word in text for word in ("smith", "of ann", "jones", "/opt"))
    assert settings["data"] == "~/mrs smith/scans/" and settings["seed"] == 3, "the settings are whole"
    assert text.endswith("\n") and "seed = 3\n" in text


def test_a_frame_comes_back(path: Path) -> None:
    table = pd.DataFrame({"id": ["a", "ö", None], "p": [0.25, float("nan"), 1.0]})
    table.to_parquet(path)
    pd.testing.assert_frame_equal(read_frame(path), table)
    path.write_bytes(b"PAR1 and nothing")
    with pytest.raises(RunFolderError, match="is not a readable Parquet file"):
        read_frame(path)


def test_a_long_reason_is_cut_to_one_line(path: Path) -> None:
    path.write_text("data = [\n" + "x" * 5000)
    with pytest.raises(RunFolderError) as caught:
        read_settings(path)
    assert len(str(caught.value)) < 320 + len(str(path)) and "\n" not in str(caught.value)
