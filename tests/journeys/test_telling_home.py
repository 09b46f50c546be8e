"""No file of a run tells the user's name or a folder of the machine, and the run finds its images again."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from tests.journeys.test_compare import make_images
from tests.journeys.test_nothing_personal import found

from headtohead.cli.app import main
from headtohead.core.run_folder import RunFolder

USER = "maria-telling"
QUICK = ("--folds", "2", "--repeats", "1", "--recipe", "none", "--no-learning-curve")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with images and weights of the user's own, one image damaged and one a link to elsewhere in the home."""
    import timm
    import torch
    from safetensors.torch import save_file

    home = tmp_path_factory.mktemp("machine") / "home" / USER
    scans = make_images(home / "of Dr Weber" / "scans", per_class=12)
    (scans / "spots" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (home / "elsewhere.png").write_bytes((scans / "spots" / "s1.png").read_bytes())
    if os.name == "posix":
        (scans / "spots" / "link.png").symlink_to(home / "elsewhere.png")
    (home / "models").mkdir()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        state = timm.create_model("test_efficientnet").state_dict()
    save_file({k: v.contiguous() for k, v in state.items()}, home / "models" / "net.safetensors")
    return home


@pytest.fixture
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    for name in ("HEADTOHEAD_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)  # so that the caches lie below the home too
    return home


def compare(home: Path, data: str, out: str) -> int:
    weights = f"path:{home}/models/net.safetensors?arch=test_efficientnet"
    return main(["compare", data, "-c", weights, f"--out={out}", *QUICK])


@pytest.mark.slow
def test_a_whole_run_tells_neither_user_nor_folder(
    at_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = at_home / "of Dr Weber" / "scans", at_home / "runs" / "mine"
    assert compare(at_home, str(data), str(out)) == 0
    assert main(["audit", str(data), "--out", str(at_home / "runs" / "audit")]) == 0
    told = (USER, str(at_home.parent), str(at_home.parents[1]))
    written = [at_home / "runs", at_home / ".cache"]
    assert [hit for folder in written for hit in found(folder, told)] == []
    assert found(tmp_path, told) == []  # and the search would find it:
    (tmp_path / "t.csv").write_text(f"path,label\n{data}/spots/s1.png,spots\n")
    assert len(found(tmp_path, told)) == 3

    # the images are found again, by the same words, by others, and by the run folder alone
    capsys.readouterr()
    for spelled in (str(data), "~/of Dr Weber/scans"):
        assert compare(at_home, spelled, str(out)) == 0
        assert "is finished" in capsys.readouterr().err
    assert RunFolder(out).config().data == str(data)
    assert main(["train", "--from", str(out), "--out", str(at_home / "runs" / "model")]) == 0
    assert found(at_home / "runs", told) == []

    # a run folder of before holds the whole path
    config = out / "study.toml"
    config.write_text(config.read_text().replace("~/of Dr Weber", str(data.parent)))
    assert compare(at_home, str(data), str(out)) == 0
    assert "is finished" in capsys.readouterr().err
    assert f"{at_home}" in config.read_text() and RunFolder(out).config().data == str(data)


def test_a_path_elsewhere_is_seen_from_the_run_folder(tmp_path: Path) -> None:
    from headtohead.core.config import StudyConfig

    data, groups = tmp_path / "share" / "scans", tmp_path / "share" / "groups.csv"
    config = StudyConfig(data=str(data), contenders=("a",), groups=str(groups))
    run = RunFolder(tmp_path / "runs" / "mine")
    run.check_or_write_config(config)
    run.check_or_write_config(config)
    text = (run / "study.toml").read_text()
    assert tomllib.loads(text)["data"] == "{run}/../../share/scans"
    assert str(tmp_path) not in text
    assert run.config() == config
    (tmp_path / "runs").rename(tmp_path / "moved")  # both moved together: as before
    assert RunFolder(tmp_path / "moved" / "mine").config() == config


@pytest.mark.parametrize("data", ["scans", "kaggle:lab/scans", "hf:lab/scans@main", "a/b.zip"])
def test_what_tells_nothing_is_kept_as_it_was_given(data: str, tmp_path: Path) -> None:
    from headtohead.core.config.places import kept, restored

    assert kept(data, tmp_path) == data == restored(data, tmp_path)
    for odd in ("../scans", "{run}/scans"):
        assert restored(kept(odd, tmp_path), tmp_path) == os.path.abspath(odd)  # noqa: PTH100


def test_contenders_in_brackets_lose_the_home_too(at_home: Path) -> None:
    from headtohead.contenders.expression import parse
    from headtohead.core.config import SearchConfig, StudyConfig

    whole = f"ensemble(path:{at_home}/a.pth?arch=x@mlp,path:{at_home}2/b.pth?arch=x,path:c.pth?arch=x)"
    (short,) = StudyConfig.from_settings({"data": "d", "contenders": [whole]}).contenders
    assert short == f"ensemble(path:~/a.pth?arch=x@mlp,path:{at_home}2/b.pth?arch=x,path:c.pth?arch=x)"
    assert parse(whole).key == parse(short).key
    config = SearchConfig.from_settings({"data": "d", "backbones": [f"path:{at_home}/a.pth?arch=x"]})
    assert config.backbones == ("path:~/a.pth?arch=x",)
