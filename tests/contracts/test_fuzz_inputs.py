"""A small part of `make fuzz`: damaged inputs of every kind end in a result or in an explained error."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.fuzz.run import one
from benchmarks.fuzz.targets import TARGETS

from headtohead.backbones.catalog import resolve
from headtohead.contenders.expression import parse_list
from headtohead.contenders.plan import ContenderPlan
from headtohead.core.errors import HeadToHeadError
from headtohead.core.safety.limits import ENVIRONMENT


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv(ENVIRONMENT, "pattern-seconds=1")


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_only_explained_errors_come_out(target: str, tmp_path: Path) -> None:
    n_inputs = 4 if target in ("reports", "patterns") else 25
    outcomes = [one(number, 7, tmp_path, target) for number in range(n_inputs)]
    assert {what for _, what in outcomes} <= {"accepted", "refused"}, outcomes


@pytest.mark.parametrize(
    "name",
    [
        "hf:../../x",
        "hf:a/b/c",
        "hf:--index-url=x",
        "timm:" + "a" * 5000,
        "path:" + "a" * 5000,
        "path:a\0b",
        "hf:" + "a" * 300,
    ],
)
def test_names_of_networks_that_the_fuzz_found(name: str) -> None:
    with pytest.raises(HeadToHeadError):
        resolve(name)


@pytest.mark.parametrize(
    "text", ["seeds(a,²)", f"seeds(a,{'9' * 5000})", "ensemble(" * 2000 + "a" + ")" * 2000, "a@partial:²"]
)
def test_expressions_that_the_fuzz_found(text: str) -> None:
    with pytest.raises(HeadToHeadError):
        ContenderPlan.from_specs(parse_list(text))
