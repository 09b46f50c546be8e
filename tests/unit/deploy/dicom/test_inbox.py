"""The inbox: whole files, settled studies, nothing lost in a crash."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from headtohead.deploy.dicom.inbox import InboxFullError, StudyInbox


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_study_is_handed_on_when_nothing_came_for_a_while(tmp_path: Path) -> None:
    clock = Clock()
    inbox = StudyInbox(tmp_path, settle_s=10, clock=clock)
    inbox.put(b"one", "1.2", "1.2.1")
    clock.now = 9
    inbox.put(b"two", "1.2", "1.2.2")
    clock.now = 18
    assert inbox.settled() == []
    clock.now = 19
    (key,) = inbox.settled()
    with inbox.take(key) as paths:
        assert sorted(path.read_bytes() for path in paths) == [b"one", b"two"]
    assert (
        inbox.settled(now=True) == []
        and inbox.n_bytes == 0
        and not any(p.is_file() for p in tmp_path.rglob("*"))
    )


def test_an_object_sent_again_replaces_the_first(tmp_path: Path) -> None:
    inbox = StudyInbox(tmp_path)
    inbox.put(b"first", "1.2", "1.2.1")
    inbox.put(b"again!", "1.2", "1.2.1")
    with inbox.take(inbox.settled(now=True)[0]) as paths:
        assert [path.read_bytes() for path in paths] == [b"again!"]
    assert inbox.n_bytes == 0


def test_no_identifier_becomes_a_path(tmp_path: Path) -> None:
    StudyInbox(tmp_path / "inbox").put(b"x", "../../../escape", "/etc/passwd")
    assert [p.name for p in tmp_path.iterdir()] == ["inbox"]
    assert not any("escape" in str(path) or "passwd" in str(path) for path in tmp_path.rglob("*"))


def test_what_a_crash_left_is_found_again_and_parts_are_removed(tmp_path: Path) -> None:
    inbox = StudyInbox(tmp_path)
    inbox.put(b"one", "1.2", "1.2.1")
    key = inbox.settled(now=True)[0]
    (tmp_path / "waiting" / key).rename(
        tmp_path / "in-work" / key
    )  # as a process that died in `take` leaves it
    inbox.put(b"two", "1.2", "1.2.2")
    (tmp_path / "waiting" / key / "x.part").write_bytes(b"half")
    again = StudyInbox(tmp_path)
    with again.take(again.settled(now=True)[0]) as paths:
        assert sorted(path.read_bytes() for path in paths) == [b"one", b"two"]


def test_a_study_whose_report_failed_is_kept(tmp_path: Path) -> None:
    inbox = StudyInbox(tmp_path)
    inbox.put(b"one", "1.2", "1.2.1")
    with pytest.raises(OSError, match="disk"), inbox.take(inbox.settled(now=True)[0]):
        raise OSError("disk full")
    assert [p.read_bytes() for p in (tmp_path / "failed").rglob("*.dcm")] == [b"one"]
    assert inbox.settled(now=True) == [] and inbox.n_bytes == 3


def test_refuses_more_than_it_may_hold(tmp_path: Path) -> None:
    inbox = StudyInbox(tmp_path, most_bytes=10)
    inbox.put(b"12345678", "1.2", "1.2.1")
    with pytest.raises(InboxFullError, match="limit is 10"):
        inbox.put(b"123", "1.2", "1.2.2")
    assert inbox.n_bytes == 8 and not [*tmp_path.rglob("*.part")]


def test_a_study_taken_while_an_object_arrives_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, begun, go_on = StudyInbox(tmp_path), threading.Event(), threading.Event()
    inbox.put(b"one", "1.2", "1.2.1")
    (key,) = inbox.settled(now=True)
    opened = os.fdopen

    def slow(*given: Any, **more: Any) -> Any:
        begun.set()
        assert go_on.wait(20)
        return opened(*given, **more)

    monkeypatch.setattr("headtohead.deploy.dicom.inbox.os.fdopen", slow)
    found: list[bytes] = []

    def take() -> None:
        with inbox.take(key) as paths:
            found.extend(path.read_bytes() for path in paths)

    sender = threading.Thread(target=inbox.put, args=(b"two", "1.2", "1.2.2"))
    sender.start()
    assert begun.wait(20)
    taker = threading.Thread(target=take)
    taker.start()
    taker.join(0.05)
    assert taker.is_alive(), "taken while an object was being written"
    go_on.set()
    for thread in (sender, taker):
        thread.join(20)
    assert sorted(found) == [b"one", b"two"] and inbox.n_bytes == 0
