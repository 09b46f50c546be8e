"""What every kind of study is configured with: its text, its paths, and what may change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headtohead.core.config import StudyConfig, differences, parse_config
from headtohead.core.config.reproduction import ReproductionConfig
from headtohead.core.config.run import RunConfig
from headtohead.core.config.search import SearchConfig
from headtohead.core.errors import UnknownNameError, UsageError

STUDY = StudyConfig(data="scans", contenders=("a", "b"))
SEARCH = SearchConfig(data="scans", minutes=1.5, finetune=("dinov2-small",))
REPRODUCTION = ReproductionConfig(data="scans", epochs=3, groups="g.csv")


@pytest.mark.parametrize("config", [STUDY, SEARCH, REPRODUCTION])
def test_every_kind_is_read_as_what_it_was_written(config: RunConfig) -> None:
    found = parse_config(config.to_toml())
    assert type(found) is type(config) and found == config
    assert type(config).from_toml(config.to_toml()) == config


def test_a_file_without_a_kind_is_of_compare() -> None:
    assert parse_config('data = "x"\ncontenders = ["a"]\n') == StudyConfig(data="x", contenders=("a",))


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ('kind = "bests"\n', UnknownNameError, "Unknown kind of study 'bests'; did you mean 'best'"),
        ("kind = 3\n", UnknownNameError, "Unknown kind of study '3'"),
        ("data = \n", UsageError, "This is not a study configuration: "),
        ('kind = "best"\ndata = "x"\nfolds = 1\n', UsageError, "folds: Input should be greater"),
    ],
)
def test_other_texts_are_refused(text: str, kind: type[UsageError], said: str) -> None:
    with pytest.raises(kind, match=said):
        parse_config(text)


def test_a_kind_is_not_read_as_another() -> None:
    with pytest.raises(UsageError, match="kind"):
        StudyConfig.from_toml(SEARCH.to_toml())


def test_where_the_data_lie_and_how_long_a_search_may_take_may_change() -> None:
    assert differences(STUDY, STUDY.model_copy(update={"data": "moved"})) == []
    assert differences(SEARCH, SEARCH.model_copy(update={"data": "moved", "minutes": 90.0})) == []
    assert differences(SEARCH, SEARCH.model_copy(update={"epochs": 3, "seed": 1})) == [
        "epochs: 20 there, 3 asked for",
        "seed: 0 there, 1 asked for",
    ]


def test_another_kind_is_the_one_difference() -> None:
    assert differences(STUDY, SEARCH) == ["kind: 'compare' there, 'best' asked for"]


def test_settings_in_a_table_that_one_side_lacks_are_named() -> None:
    noted = STUDY.model_copy(update={"ignore": {"H2H203": "known"}})
    assert differences(STUDY, noted) == [
        "ignore: {} there, None asked for",
        "ignore.H2H203: None there, 'known' asked for",
    ]


@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX")
def test_kept_paths_come_back(home: Path) -> None:
    run = home / "runs" / "one"
    whole = STUDY.model_copy(
        update={"data": str(home / "scans"), "groups": str(home.parent / "groups.csv"), "seed": 7}
    )
    kept = whole.kept_in(run)
    assert (kept.data, kept.groups, kept.seed) == ("~/scans", "{run}/../../../groups.csv", 7)
    assert str(home) not in kept.to_toml()
    assert kept.restored_from(run) == whole
    assert STUDY.kept_in(run) == STUDY == STUDY.restored_from(run), "no groups stay none"


@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX")
def test_contenders_from_files_are_named_from_the_home(home: Path) -> None:
    study = StudyConfig.from_settings(
        {
            "data": str(home / "x"),
            "contenders": [f"path:{home}/a.pth", "b"],
            "primary": [f"path:{home}/a.pth", "b"],
        }
    )
    assert study.contenders == study.primary == ("path:~/a.pth", "b")
    reproduction = ReproductionConfig.from_settings({"data": "x", "cnn": f"path:{home}/c.pth"})
    assert (reproduction.cnn, reproduction.vit) == ("path:~/c.pth", "auto")
    search = SearchConfig.from_settings({"data": "x", "finetune": [f"path:{home}/d.pth"]})
    assert search.finetune == ("path:~/d.pth",)
    with pytest.raises(UsageError, match="contenders: "):
        StudyConfig.from_settings({"data": "x", "contenders": []})
