"""Arguments of the public functions: signatures made from records, settings sorted into them, paths and lists."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.planting.listener import Listener

import headtohead as h2h
from headtohead.api.arguments import (
    mirror_settings,
    names_of,
    path_of,
    reporter_for,
    run_path,
    settings_from,
    source_of,
)
from headtohead.core.config import DataConfig, SearchConfig, StudyConfig, TrainConfig
from headtohead.core.errors import UnknownNameError, UsageError
from headtohead.core.progress import QUIET


@pytest.mark.parametrize(
    ("function", "record", "without"),
    [
        (h2h.compare, StudyConfig, {"data", "contenders"}),
        (h2h.best, SearchConfig, {"data"}),
        (h2h.audit, DataConfig, set()),
        (h2h.clean, DataConfig, set()),
        (h2h.preprocess, DataConfig, set()),
    ],
)
def test_signatures_and_help_hold_each_field_once_with_its_default(
    function: Callable[..., Any], record: Any, without: set[str]
) -> None:
    parameters = inspect.signature(function).parameters
    assert not any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    text = inspect.getdoc(function) or ""
    assert "**settings" not in text
    wanted = {
        name: field for name, field in record.model_fields.items()
        if name not in {*without, "kind", "train", "data_options"}
    }  # fmt: skip
    for name, field in wanted.items():
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        own = parameters[name].default
        if name in ("seed", "groups", "similar", "ignore") and record is DataConfig:
            continue
        assert own == field.get_default(call_default_factory=True), name
        assert text.count(f"    {name}: ") == 1, name


def test_nested_settings_are_flat_in_the_signature() -> None:
    parameters = inspect.signature(h2h.compare).parameters
    assert parameters["epochs"].default == TrainConfig().epochs and "train" not in parameters
    assert parameters["label_from"].default is None and "data_options" not in parameters
    assert [name for name in ("data", "contenders", "kind") if name in parameters] == ["data", "contenders"]


def test_a_required_field_has_no_default_and_an_own_parameter_wins() -> None:
    @mirror_settings("SearchConfig")
    def function(seed: str = "mine", **settings: Any) -> Any:
        """Do it.

        Args:
            seed: mine.
            **settings: see below.
        """
        return seed, settings

    parameters = inspect.signature(function).parameters
    assert parameters["data"].default is inspect.Parameter.empty and parameters["seed"].default == "mine"
    assert "Random seed" not in (function.__doc__ or "") and "    minutes: " in (function.__doc__ or "")
    assert function("x", minutes=3) == ("x", {"minutes": 3})


def test_settings_find_their_record_whatever_the_order() -> None:
    given = {"epochs": 3, "seed": 1, "label_from": "(x)", "lora_rank": 2, "drop": ("a",)}
    expected = {
        "train": {"epochs": 3, "lora_rank": 2}, "seed": 1, "data_options": {"label_from": "(x)", "drop": ("a",)}
    }  # fmt: skip
    assert settings_from(StudyConfig, given) == expected
    assert settings_from(StudyConfig, dict(reversed(given.items()))) == expected
    assert settings_from(StudyConfig, {}) == {}


def test_a_nested_record_may_be_given_whole_and_is_not_changed() -> None:
    own = {"epochs": 3}
    assert settings_from(StudyConfig, {"train": own, "batch": 4}) == {"train": {"epochs": 3, "batch": 4}}
    assert own == {"epochs": 3}


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("epoch", "epochs"), ("metrics", "metric"), ("label_form", "label_from"), ("lora_rnak", "lora_rank")],
)
def test_a_name_that_is_no_setting_is_told_with_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(UnknownNameError, match=rf"^Unknown setting '{name}'; did you mean '{nearest}'"):
        settings_from(StudyConfig, {name: 1})


@pytest.mark.parametrize("name", ["kind", "epochs"])
def test_settings_of_another_study_are_unknown(name: str) -> None:
    with pytest.raises(UnknownNameError, match=f"Unknown setting '{name}'"):
        settings_from(DataConfig, {name: 1})


def test_a_budget_means_choosing_unless_a_policy_is_stated() -> None:
    assert settings_from(StudyConfig, {"budget": 8})["train"] == {"budget": "8", "policy": "inner"}
    assert settings_from(StudyConfig, {"budget": 8, "policy": "fixed"})["train"] == {
        "budget": 8,
        "policy": "fixed",
    }
    assert settings_from(StudyConfig, {"budget": None})["train"] == {"budget": None}


def test_names_come_as_a_list_or_as_one_text_with_commas() -> None:
    assert names_of(" a, b@probe ,ensemble(a, b)", "contenders") == ("a", "b@probe", "ensemble(a, b)")
    assert names_of(["a,b", "c"], "contenders") == ("a,b", "c"), "a list is taken as it is"
    assert names_of(iter(("a",)), "by") == ("a",)


@pytest.mark.parametrize("value", ["", " , ", [], 3, None, ["a", 1], [None]])
def test_what_holds_no_names_is_quoted(value: Any) -> None:
    with pytest.raises(UsageError) as told:
        names_of(value, "by")
    assert str(told.value) == f"Got by = {value!r}; expected a list of names, or one text with commas."


def test_paths_are_text_or_paths_and_a_tilde_is_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert path_of("~/x", "out") == path_of(Path("~/x"), "out") == Path("/home/somebody/x")
    assert source_of("~/x") == "/home/somebody/x" and source_of(Path("a/b")) == str(Path("a/b"))
    assert source_of("s3://bucket/x") == "s3://bucket/x" and source_of("kaggle:a/b") == "kaggle:a/b"
    for value in ("", None, 3, ["x"]):
        with pytest.raises(UsageError, match=r"^Got out = .*; expected a path\.$"):
            path_of(value, "out")  # type: ignore[arg-type]
        with pytest.raises(
            UsageError, match=r"^Got data = .*; expected a folder, a table, an archive, or kaggle:"
        ):
            source_of(value)  # type: ignore[arg-type]


def test_a_run_inside_the_data_is_refused_with_a_place_beside_it(tmp_path: Path) -> None:
    data = tmp_path / "scans"
    data.mkdir()
    assert run_path(tmp_path / "run", QUIET, str(data)) == tmp_path / "run"
    assert run_path(tmp_path / "scans2", QUIET, str(data)) == tmp_path / "scans2", (
        "no part of the name decides"
    )
    for inside in (data / "run", data, tmp_path / "x" / ".." / "scans" / "deep" / "run"):
        with pytest.raises(UsageError) as told:
            run_path(inside, QUIET, str(data))
        assert str(told.value).endswith(f"such as --out {tmp_path / inside.name}.")
    link = tmp_path / "link"
    link.symlink_to(data)
    with pytest.raises(UsageError, match="inside the data"):
        run_path(link / "run", QUIET, str(data))
    assert run_path(data / "run", QUIET, "kaggle:a/b") == data / "run"


def test_without_a_folder_the_run_is_temporary_and_that_is_said() -> None:
    listener = Listener()
    one, two = run_path(None, listener), run_path(None, listener)
    assert one != two and one.is_dir() and one.name.startswith("headtohead-")
    assert listener.warnings[0] == f"No `out` was given, so this run is temporary: {one}"
    for folder in (one, two):
        folder.rmdir()


def test_quiet_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(
        "headtohead.core.console.console_reporter", lambda *, verbose: asked.append(verbose) or "bars"  # type: ignore[func-returns-value]
    )  # fmt: skip
    assert reporter_for(True) is QUIET and asked == []
    assert reporter_for(False, verbose=True) == "bars" == reporter_for(False) and asked == [True, False]  # type: ignore[comparison-overlap]


@pytest.mark.parametrize("name", ["drop", "keep_columns"])
@pytest.mark.parametrize("record", [StudyConfig, DataConfig])
def test_a_text_with_commas_is_a_list_of_names_in_every_record(name: str, record: Any) -> None:
    found = settings_from(record, {name: "a, b"})
    assert (found if record is DataConfig else found["data_options"]) == {name: ("a", "b")}
    assert settings_from(StudyConfig, {"primary": "a,ensemble(a,b)", "by": "sex"}) == {
        "primary": ("a", "ensemble(a,b)"), "by": ("sex",)
    }  # fmt: skip


def test_a_pattern_is_one_whatever_commas_it_holds_and_other_texts_stay() -> None:
    assert settings_from(DataConfig, {"include": "*,v.png", "exclude": ["a", "b"]}) == {
        "include": ("*,v.png",), "exclude": ["a", "b"]
    }  # fmt: skip
    assert settings_from(DataConfig, {"label_from": "(a,b)", "drop": ""}) == {
        "label_from": "(a,b)",
        "drop": "",
    }
