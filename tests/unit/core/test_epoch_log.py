"""One line per epoch, none doubled and none lost."""

from __future__ import annotations

from pathlib import Path

from headtohead.core.epoch_log import read_epoch_log, write_epoch_log


def test_a_training_replaces_its_own_lines_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "new" / "metrics.jsonl"
    assert read_epoch_log(path) == []
    write_epoch_log(path, "main", [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.1 + 0.2}])
    write_epoch_log(path, "trial 1", [{"epoch": 1, "loss": 9.0}])
    write_epoch_log(path, "main", [{"epoch": 1, "loss": 0.25}])
    assert read_epoch_log(path) == [
        {"training": "trial 1", "epoch": 1, "loss": 9.0},
        {"training": "main", "epoch": 1, "loss": 0.25},
    ]
    write_epoch_log(path, "trial 1", [])
    assert [line["training"] for line in read_epoch_log(path)] == ["main"]


def test_every_line_is_one_json_record_of_ascii(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    write_epoch_log(path, "größer\n脳\u2028", [{"epoch": 1}, {"epoch": 2}])
    raw = path.read_bytes()
    assert raw.isascii() and raw.count(b"\n") == 2 and raw.endswith(b"}\n")
    assert [line["training"] for line in read_epoch_log(path)] == ["größer\n脳\u2028"] * 2
