"""Checkpoints: whole or absent, bound to what they belong to, and never run as code."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from headtohead.training import checkpoint as module
from headtohead.training.checkpoint import fingerprint, load_checkpoint, save_checkpoint
from headtohead.training.records import FITTING


def test_a_state_comes_back_as_it_was_without_its_key(tmp_path: Path, listener: Any) -> None:
    state = {"net": {"w": torch.arange(3.0)}, "lines": [{"epoch": 1, "loss": None}], "step": 7}
    save_checkpoint(tmp_path / "a.pt", "mine", state)
    found = load_checkpoint(tmp_path / "a.pt", "mine", listener)
    assert found is not None and set(found) == set(state) and found["step"] == 7
    assert found["lines"] == state["lines"] and torch.equal(found["net"]["w"], state["net"]["w"])  # type: ignore[index]
    assert listener.warnings == [] and list(tmp_path.iterdir()) == [tmp_path / "a.pt"]


def test_that_of_another_training_is_told_and_not_used(tmp_path: Path, listener: Any) -> None:
    save_checkpoint(tmp_path / "a.pt", "mine", {"step": 1})
    assert load_checkpoint(tmp_path / "a.pt", "other", listener) is None
    assert listener.warnings == ["a.pt belongs to other settings or data; this training starts over."]
    assert load_checkpoint(tmp_path / "missing.pt", "mine", listener) is None and len(listener.warnings) == 1


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 half a file"])
def test_a_damaged_one_is_told_and_not_used(tmp_path: Path, listener: Any, content: bytes) -> None:
    (tmp_path / "a.pt").write_bytes(content)
    assert load_checkpoint(tmp_path / "a.pt", "mine", listener) is None
    assert listener.warnings[0].startswith("a.pt cannot be read (")


class Bomb:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return (Path.touch, (self.target,))


def test_a_pickle_that_would_run_code_is_not_run(tmp_path: Path, listener: Any) -> None:
    target = tmp_path / "was-run"
    torch.save({"key": "mine", "bomb": Bomb(target)}, tmp_path / "a.pt")
    assert load_checkpoint(tmp_path / "a.pt", "mine", listener) is None and not target.exists()
    (tmp_path / "b.pt").write_bytes(pickle.dumps({"key": "mine", "bomb": Bomb(target)}, protocol=2))
    assert load_checkpoint(tmp_path / "b.pt", "mine", listener) is None and not target.exists()
    pickle.loads((tmp_path / "b.pt").read_bytes())
    assert target.exists(), "the plant works where a pickle is trusted"


def test_the_old_file_stays_where_the_new_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: Any
) -> None:
    path = tmp_path / "a.pt"
    save_checkpoint(path, "mine", {"step": 1})

    def full(*_: Any) -> None:
        try:
            raise OSError(28, "No space left on device")
        except OSError:
            raise RuntimeError("unexpected pos 64 vs 0")  # noqa: B904  as torch does

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(path, "mine", {"step": 2})
    monkeypatch.setattr(torch, "save", lambda *_: (_ for _ in ()).throw(RuntimeError("another reason")))
    with pytest.raises(RuntimeError, match="another reason"):
        save_checkpoint(path, "mine", {"step": 2})
    monkeypatch.undo()
    found = load_checkpoint(path, "mine", listener)
    assert found == {"step": 1}


def test_fingerprints_change_with_every_fact_and_with_the_version_of_fitting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    facts = {"seed": 1, "train": [1, 2, 3], "settings": {"epochs": 3}}
    keys = [
        fingerprint(facts),
        fingerprint({**facts, "seed": 2}),
        fingerprint({**facts, "train": [1, 3, 2]}),
        fingerprint({**facts, "settings": {"epochs": 4}}),
    ]
    monkeypatch.setattr(module, "FITTING", FITTING + 1)
    assert len({*keys, fingerprint(facts)}) == 5
    assert fingerprint(dict(reversed(facts.items()))) == fingerprint(facts), "the order of facts says nothing"
