"""Where a result comes from: the command as it can be written again."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from headtohead.core.provenance import collect, package_versions


@pytest.mark.parametrize("program", ["/opt/env/bin/headtohead", "/opt/lib/headtohead/__main__.py"])
def test_the_command_is_the_one_to_repeat(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(sys, "argv", [program, "compare", "/data/scans", "--out", "run"])
    assert collect()["command"] == ["headtohead", "compare", "scans", "--out", "run"]


@pytest.mark.parametrize(
    ("word", "kept"),
    [
        ("/home/ann/scans", "scans"),
        ("/home/ann/scans/", "scans"),
        ("~/mrs smith/scans", "scans"),
        ("C:\\Users\\ann\\scans", "scans"),
        ("\\\\server\\share", "\\\\server\\share"),  # a place on the network, as an address is
        ("--out=/home/ann/run", "--out=run"),
        ("path=/a/b.png,label=dx", "path=b.png,label=dx"),
        ("ensemble(path:/a/x.pth,path:~/b/y.pth)", "ensemble(path:x.pth,path:y.pth)"),
        ("path:/home/ann/m.pth?arch=x", "path:m.pth?arch=x"),
        ("/", ""),
        ("scans/a", "scans/a"),
        ("s3://bucket/scans", "s3://bucket/scans"),
        ("kaggle:navoneel/brain", "kaggle:navoneel/brain"),
        ("holdout:0.2", "holdout:0.2"),
        ("", ""),
    ],
)
def test_no_word_names_a_folder_of_the_machine(word: str, kept: str) -> None:
    assert collect([word])["command"] == [kept]


def test_versions_are_of_what_is_installed() -> None:
    found = package_versions(["numpy", "no-such-package-here"])
    assert found == {"numpy": np.__version__, "no-such-package-here": None}
    told = collect([])
    assert told["command"] == [] and told["packages"]["numpy"] == np.__version__
    assert set(told) == {
        "headtohead", "python", "packages", "system", "machine", "processor", "cores", "command",
    }  # fmt: skip


def test_nothing_personal_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "USERNAME"):
        monkeypatch.setenv(name, "ann-the-user")
    text = json.dumps(collect(["compare", "/home/ann-the-user/scans"]))
    assert "ann-the-user" not in text


def test_a_process_without_words_has_a_command_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [])
    assert collect()["command"] == [""]
