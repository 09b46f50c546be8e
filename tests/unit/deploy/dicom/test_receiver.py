"""The receiver, spoken to by pynetdicom's own sender and by clients that misbehave."""

from __future__ import annotations

import gc
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import MRImageStorage
from tests.planting.dicom_objects import mr_dataset

from headtohead.core.errors import UnreadableError, UsageError
from headtohead.deploy.dicom.connections import ConnectionLimits
from headtohead.deploy.dicom.receiver import DicomReceiver, ListenSettings

pynetdicom = pytest.importorskip("pynetdicom")
# pynetdicom's sender leaves the socket of a rejected association to the garbage collector; the receiver does not.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
LIMITS = ConnectionLimits(associations=2, idle_s=0.6, request_s=0.6, object_bytes=50_000)
Start = Callable[..., DicomReceiver]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[DicomReceiver] = []

    def start_one(on_study: Callable[[list[Path]], None] = lambda _: None, **more: Any) -> DicomReceiver:
        settings = ListenSettings(port=0, settle_s=0.2, **({"limits": LIMITS} | more))
        receiver = DicomReceiver(on_study, tmp_path / "inbox", settings)
        receiver.start()
        running.append(receiver)
        return receiver

    yield start_one
    for receiver in running:
        receiver.stop()
    gc.collect()  # what the sender leaves is found here, where it is expected, and not in another file's test


def call(receiver: DicomReceiver, title: str = "HEADTOHEAD") -> Any:
    entity = pynetdicom.AE()
    entity.add_requested_context(MRImageStorage)
    entity.add_requested_context("1.2.840.10008.1.1")
    return entity.associate("127.0.0.1", receiver.port, ae_title=title)


def until(true: Callable[[], bool], seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return true()


def test_hands_a_study_on_once_it_is_complete_and_deletes_it(start: Start, tmp_path: Path) -> None:
    studies: list[list[bytes]] = []
    receiver = start(lambda paths: studies.append([path.read_bytes() for path in paths]))
    sender = call(receiver)
    assert sender.send_c_echo().Status == 0
    assert [sender.send_c_store(mr_dataset()).Status for _ in range(2)] == [0, 0]
    sender.release()
    assert until(lambda: len(studies) == 1)
    assert [content[128:132] for content in studies[0]] == [b"DICM", b"DICM"]
    assert until(lambda: not any(path.is_file() for path in tmp_path.rglob("*")))
    assert (receiver.counts.stored, receiver.counts.refused) == (2, 0)


def test_keeps_a_study_whose_report_failed_and_goes_on(start: Start, tmp_path: Path) -> None:
    def fail(_: list[Path]) -> None:
        raise UnreadableError("nothing to report")

    receiver = start(fail)
    sender = call(receiver)
    sender.send_c_store(mr_dataset())
    assert until(lambda: receiver.counts.failed == 1)
    assert len([*(tmp_path / "inbox" / "failed").rglob("*.dcm")]) == 1
    assert sender.send_c_store(mr_dataset()).Status == 0
    sender.release()


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_refuses_an_object_that_no_report_could_name(start: Start) -> None:
    receiver = start()
    sender = call(receiver)
    assert sender.send_c_store(mr_dataset(StudyInstanceUID="../../etc")).Status == 0xC000
    sender.release()
    assert receiver.counts.refused == 1


def test_tells_the_sender_when_there_is_no_room(start: Start) -> None:
    receiver = start(inbox_bytes=100)
    sender = call(receiver)
    assert sender.send_c_store(mr_dataset()).Status == 0xA700
    sender.release()


def test_cuts_an_object_beyond_its_size_limit_off(start: Start, tmp_path: Path) -> None:
    receiver = start()
    sender = call(receiver)
    answer = sender.send_c_store(mr_dataset(PixelData=bytes(200_000)))
    assert "Status" not in answer and until(lambda: not sender.is_established)
    assert receiver.counts.stored == 0 and not any(path.is_file() for path in tmp_path.rglob("*"))


def test_cuts_a_message_off_that_claims_four_gigabytes(start: Start) -> None:
    receiver = start()
    with socket.create_connection(("127.0.0.1", receiver.port)) as raw:
        raw.sendall(b"\x01\x00\xff\xff\xff\xff" + bytes(100))
        raw.settimeout(3)
        assert raw.recv(10) == b""


def test_rejects_one_association_too_many_and_a_wrong_title(start: Start) -> None:
    # A busy machine may take long over a first request, or between two: neither may look like silence here.
    receiver = start(limits=replace(LIMITS, idle_s=2.0, request_s=20.0))
    callers = [call(receiver) for _ in range(3)]
    assert [one.is_established for one in callers] == [True, True, False] and callers[2].is_rejected
    assert call(receiver, "OTHER").is_rejected
    assert until(lambda: receiver.n_connections == 0), "silent associations are closed after idle_s"


def test_port_checks_and_silent_clients_do_not_take_the_place_of_a_sender(start: Start) -> None:
    receiver = start()
    silent = [socket.create_connection(("127.0.0.1", receiver.port)) for _ in range(12)]
    for _ in range(12):
        socket.create_connection(("127.0.0.1", receiver.port)).close()
    sender = call(receiver)
    assert sender.is_established and sender.send_c_store(mr_dataset()).Status == 0
    sender.release()
    assert until(lambda: receiver.n_connections == 0)
    for one in silent:
        one.close()


def test_a_port_that_is_taken_is_an_explained_error(start: Start, tmp_path: Path) -> None:
    taken = start().port
    with pytest.raises(UsageError, match="cannot listen"):
        DicomReceiver(lambda _: None, tmp_path / "other", ListenSettings(port=taken)).start()


def test_refuses_a_title_that_dicom_does_not_have() -> None:
    with pytest.raises(UsageError, match="1 to 16 ASCII"):
        ListenSettings(title="a title of seventeen")
