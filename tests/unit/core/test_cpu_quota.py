"""The quota of a container, as the kernel's files tell it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headtohead.core import parallel
from headtohead.core.parallel import hold_to_quota, quota_cores


def second(tmp_path: Path, place: str, **limits: str) -> tuple[Path, Path]:
    """Write control groups of version 2; `limits` is the group's path with _ for / -> the content of cpu.max."""
    groups, own = tmp_path / "cgroup", tmp_path / "own"
    for name, text in limits.items():
        folder = groups / name.strip("_").replace("_", "/")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.max").write_text(text + "\n")
    own.write_text(f"1:name=systemd:/elsewhere\n0::/{place}\n")
    return groups, own


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        ("200000 100000", 2),
        ("250000 100000", 2),  # of half a core no thread is made
        ("50000 100000", 1),
        ("1600000 200000", 8),
        ("max 100000", 0),
        ("", 0),
    ],
)
def test_a_container_has_the_cores_of_its_quota(tmp_path: Path, limit: str, cores: int) -> None:
    assert quota_cores(*second(tmp_path, "", _=limit)) == cores


def test_the_least_of_the_groups_above_counts(tmp_path: Path) -> None:
    limits = {"a": "300000 100000", "a_b": "max 100000", "a_b_c": "400000 100000", "other": "100000 100000"}
    groups, own = second(tmp_path, "a/b/c", **limits)
    assert quota_cores(groups, own) == 3
    (groups / "a" / "b" / "c" / "cpu.max").write_text("200000 100000")
    assert quota_cores(groups, own) == 2
    (tmp_path / "cpu.max").write_text("100000 100000")  # above the mount is no group
    assert quota_cores(groups, own) == 2


@pytest.mark.parametrize(("quota", "cores"), [("200000", 2), ("-1", 0)])
def test_groups_of_the_first_version(tmp_path: Path, quota: str, cores: int) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota + "\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert quota_cores(tmp_path, tmp_path / "none") == cores


def test_other_systems_have_no_quota(tmp_path: Path) -> None:
    assert quota_cores(tmp_path / "nowhere", tmp_path / "none") == 0


@pytest.mark.parametrize(
    ("quota", "stated", "threads"), [(2, None, "2"), (0, None, None), (64, None, None), (2, "5", "5")]
)
def test_openmp_takes_no_more_threads_than_the_quota(
    quota: int, stated: str | None, threads: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", stated or "")  # so that what the function sets is undone as well
    if stated is None:
        monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(parallel, "quota_cores", lambda: quota)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    hold_to_quota()
    assert os.environ.get("OMP_NUM_THREADS") == threads


@pytest.mark.parametrize(("quota", "expected"), [(3, 3), (0, 8), (12, 8)])
def test_no_more_run_side_by_side_than_the_quota(
    quota: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8), raising=False)
    monkeypatch.setattr(parallel, "quota_cores", lambda: quota)
    assert parallel.cores() == expected
