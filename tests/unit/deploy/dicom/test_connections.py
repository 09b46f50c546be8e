"""The table of connections: who gives way to whom."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from headtohead.deploy.dicom import connections
from headtohead.deploy.dicom.connections import ConnectionLimits, ConnectionTable


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def pair() -> tuple[Any, socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    return object(), ours, theirs


def closed(end: socket.socket) -> bool:
    end.setblocking(False)
    try:
        return end.recv(1) == b""
    except BlockingIOError:
        return False


def test_an_association_without_progress_gives_way_to_a_new_one() -> None:
    clock = Clock()
    table = ConnectionTable(ConnectionLimits(associations=2, idle_s=10), clock)
    people = [pair() for _ in range(4)]
    for person, ours, _ in people:
        table.add(person, ours)
    assert table.admit(people[0][0]) and table.admit(people[1][0]) and not table.admit(people[2][0])
    clock.now = 11
    table.stored(people[0][0])
    assert table.admit(people[3][0])
    assert [closed(theirs) for _, _, theirs in people] == [False, True, False, False]
    table.close_all()
    assert all(
        closed(theirs) for _, _, theirs in people if theirs.fileno() != -1 and theirs is not people[2][2]
    )
    for _, ours, theirs in people:
        ours.close()
        theirs.close()


def test_bytes_are_counted_per_object() -> None:
    table = ConnectionTable(ConnectionLimits(object_bytes=100))
    person, ours, theirs = pair()
    table.add(person, ours)
    assert table.count_bytes(person, 60) and not table.count_bytes(person, 60)
    table.stored(person)
    assert table.count_bytes(person, 100)
    ours.close()
    theirs.close()
    assert len(table) == 0, "a closed socket is forgotten"


def test_of_too_many_silent_connections_the_oldest_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_SILENT", 2)
    table = ConnectionTable(ConnectionLimits())
    people = [pair() for _ in range(3)]
    for person, ours, _ in people:
        table.add(person, ours)
    assert [closed(theirs) for _, _, theirs in people] == [True, False, False] and len(table) == 2
    for _, ours, theirs in people:
        ours.close()
        theirs.close()
