"""The order of a study's stages, and that what is finished is not done again."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headtohead.core.config import StudyConfig
from headtohead.core.errors import ChangedDataError, UsageError
from headtohead.core.records import Verdict
from headtohead.data.dataset import Dataset
from headtohead.studies.base import RECIPE_SAMPLES, Study

STAGES = ["contenders", "against data", "audit", "split", "fit", "judge", "report"]


class Written(Study[StudyConfig]):
    """A study that writes down its stages and computes nothing."""

    page_name = "page.html"
    complete = True
    source = "digest of the images"

    def __init__(self, out: Path, data: Dataset, reporter: Any) -> None:
        super().__init__(StudyConfig(data="x", contenders=("a",)), out, reporter)
        self.done: list[str] = []
        self.__dict__["dataset"] = data

    def validate_config(self) -> None:
        self.done.append("config")

    def _refuse_unclear_classes(self) -> None:
        self.done.append("classes")

    def validate_contenders(self) -> None:
        self.done.append("contenders")

    def validate_against_data(self) -> None:
        self.done.append("against data")

    def audit(self) -> Any:
        self.done.append("audit")

    def split(self) -> Any:
        self.done.append("split")

    def fit(self) -> Any:
        self.done.append("fit")

    def judge(self) -> Verdict:
        self.done.append("judge")
        return None  # type: ignore[return-value]

    def report(self) -> Path:
        self.done.append("report")
        return self.write_page()

    def write_page(self) -> Path:
        path = self.run_folder / self.page_name
        path.write_text("page")
        return path

    @property
    def is_complete(self) -> bool:
        return self.complete


@pytest.fixture
def study(
    samples: Callable[..., Dataset], tmp_path: Path, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Return what makes the same study again, as another process would."""
    data = samples([0, 1])
    loading = importlib.import_module("headtohead.data.load")
    monkeypatch.setattr(loading, "source_digest", lambda *_: data.digest())
    return lambda: Written(tmp_path / "run", data, listener)


def test_settings_are_checked_before_the_folder_is_claimed_and_stages_follow_in_order(study: Any) -> None:
    one = study()
    folder = one.run()
    assert one.done == ["config", "classes", *STAGES] and folder.is_claimed
    assert folder.finished_digest == one.dataset.digest()


def test_what_is_finished_is_returned_at_once_and_said(study: Any, listener: Any) -> None:
    study().run()
    again = study()
    folder = again.run()
    assert again.done == [] and listener.infos == [f"{folder.path} is finished; nothing was recomputed."]


def test_a_run_without_its_page_is_not_finished(study: Any) -> None:
    study().run()
    (study().run_folder / "page.html").unlink()
    again = study()
    again.run()
    assert again.done == STAGES, "the folder was claimed, so its settings were checked"


def test_a_study_that_the_time_cut_short_goes_on(study: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Written, "complete", False)
    assert study().run().finished_digest is None
    monkeypatch.setattr(Written, "complete", True)
    again = study()
    assert again.run().finished_digest is not None and again.done == STAGES


def test_a_refused_setting_leaves_no_claim(study: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> None:
        raise UsageError("no such thing")

    monkeypatch.setattr(Written, "validate_config", refuse)
    with pytest.raises(UsageError):
        study().run()
    assert not study().run_folder.is_claimed


def test_changed_images_are_looked_at_again(study: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    study().run()
    loading = importlib.import_module("headtohead.data.load")
    monkeypatch.setattr(loading, "source_digest", lambda *_: "another")
    one = study()
    del one.__dict__["dataset"]
    read: list[str] = []

    def load(*_: Any, **__: Any) -> Any:
        read.append("read")
        raise ChangedDataError("two images changed")

    monkeypatch.setattr(loading, "load", load)
    monkeypatch.setattr(loading, "list_source", lambda *_: None)
    with pytest.raises(ChangedDataError):
        one.run()
    assert read == ["read"]


def test_the_recipe_looks_at_images_of_the_whole_set(
    samples: Callable[..., Dataset], tmp_path: Path, listener: Any
) -> None:
    data = samples([0] * RECIPE_SAMPLES + [1] * (RECIPE_SAMPLES - 1))
    one = Written(tmp_path / "run", data, listener)
    seen: list[Any] = []

    class Index:
        def appearances(self, chosen: Any) -> Any:
            seen.extend(chosen)
            return iter(())

    one.__dict__["_index"] = Index()
    suggest = importlib.import_module("headtohead.preprocess.suggest")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(suggest, "suggest_recipe_for", lambda _: ("none", "there is nothing to cut"))
        patched.setattr(one.run_folder, "write", lambda *_: None)
        recipe = one.recipe
    assert recipe.name == "none" and len(seen) == RECIPE_SAMPLES
    assert {sample.label for sample in seen} == {"no", "yes"}
    assert listener.infos == ["Recipe none: there is nothing to cut."]
