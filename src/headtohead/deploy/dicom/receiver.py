"""A C-STORE receiver: takes images from a scanner or archive, study by study, on loopback by default."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import BaseServer
from typing import TYPE_CHECKING, Any

from headtohead.core.errors import HeadToHeadError, UnreadableError, UsageError
from headtohead.core.optional import require
from headtohead.core.progress import QUIET, Reporter
from headtohead.data.readers.errors import decoding_errors
from headtohead.deploy.dicom.connections import ConnectionLimits, ConnectionTable, limited_server
from headtohead.deploy.dicom.headers import read_header
from headtohead.deploy.dicom.inbox import InboxFullError, StudyInbox

if TYPE_CHECKING:
    from pynetdicom.events import Event

__all__ = ["DicomReceiver", "ListenSettings", "ReceiverCounts"]

SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000  # status codes, DICOM PS3.4, B.2.3
REJECT_LIMIT = (2, 3, 2)  # transient, by the presentation service, local limit exceeded (PS3.8, 9.3.4)
POLL_S = 0.2  # seconds until a stop is noticed

# What the reader decodes. Deflated is left out: it packs a thousandfold, and no scanner sends it.
TRANSFER_SYNTAXES = (
    "1.2.840.10008.1.2.1",  # explicit VR little endian
    "1.2.840.10008.1.2",  # implicit VR little endian
    "1.2.840.10008.1.2.2",  # explicit VR big endian
    "1.2.840.10008.1.2.4.50",  # JPEG baseline
    "1.2.840.10008.1.2.4.51",  # JPEG extended
    "1.2.840.10008.1.2.4.57",  # JPEG lossless
    "1.2.840.10008.1.2.4.70",  # JPEG lossless, first-order prediction
    "1.2.840.10008.1.2.4.80",  # JPEG-LS lossless
    "1.2.840.10008.1.2.4.81",  # JPEG-LS near-lossless
    "1.2.840.10008.1.2.4.90",  # JPEG 2000 lossless
    "1.2.840.10008.1.2.4.91",  # JPEG 2000
    "1.2.840.10008.1.2.5",  # RLE
)


@dataclass(frozen=True, slots=True)
class ListenSettings:
    """Where to listen and what to take.

    Attributes:
        host: an address of this machine; DICOM has no passwords, so anything but loopback is a decision.
        port: 0 lets the system choose.
        title: this receiver's AE title; a sender that calls another one is rejected.
        limits: of connections.
        settle_s: seconds without a further image after which a study counts as received.
        inbox_bytes: of images that wait for their report.
    """

    host: str = "127.0.0.1"
    port: int = 11112
    title: str = "HEADTOHEAD"
    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    settle_s: float = 10.0
    inbox_bytes: int = 8 * 2**30

    def __post_init__(self) -> None:
        # value representation AE: 16 characters (PS3.5, 6.2)
        if not 1 <= len(self.title.strip()) <= 16 or not self.title.isascii():
            raise UsageError(f"Got the AE title {self.title!r}; expected 1 to 16 ASCII characters.")


@dataclass(slots=True)
class ReceiverCounts:
    """What the receiver has done so far."""

    stored: int = 0
    refused: int = 0
    studies: int = 0
    failed: int = 0


class DicomReceiver:
    """A receiver that hands every finished study to a function.

    Args:
        on_study: called with the files of one study at a time, from one thread.
        folder: for what is received and not yet handed on.
        settings: where to listen, and the limits.
        reporter: gets a warning for each failed study, without identifiers of patient or study.
    """

    def __init__(
        self,
        on_study: Callable[[list[Path]], None],
        folder: Path,
        settings: ListenSettings | None = None,
        reporter: Reporter = QUIET,
    ) -> None:
        require("pynetdicom", "dicom", "receive DICOM images")
        self.settings = settings or ListenSettings()
        self.counts = ReceiverCounts()
        self._on_study, self._reporter = on_study, reporter
        self._inbox = StudyInbox(
            folder, settle_s=self.settings.settle_s, most_bytes=self.settings.inbox_bytes
        )
        self._table = ConnectionTable(self.settings.limits)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._server: Any = None

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self._server.server_address[1])

    @property
    def n_connections(self) -> int:
        """Connections that are open now."""
        return len(self._table)

    def start(self) -> None:
        """Listen, and work on finished studies, in threads of their own.

        Raises:
            UsageError: the address or port is not available.
        """
        logging.getLogger("pynetdicom").setLevel(
            logging.CRITICAL
        )  # its messages name senders and identifiers
        settings = self.settings
        try:
            self._server = self._make_server()
        except OSError as error:
            raise UsageError(
                f"Got {settings.host}:{settings.port}, where this machine cannot listen ({error.strerror}); give "
                "another --port or --host."
            ) from error
        loops = (lambda: self._server.serve_forever(poll_interval=POLL_S), self._work)
        self._threads = [threading.Thread(target=loop, daemon=True) for loop in loops]
        for thread in self._threads:
            thread.start()

    def _make_server(self) -> Any:
        from pynetdicom import AE, evt
        from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
        from pynetdicom.transport import ThreadedAssociationServer

        settings, limits = self.settings, self.settings.limits
        entity = AE(ae_title=settings.title)
        entity.require_called_aet = True
        entity.acse_timeout, entity.dimse_timeout = limits.request_s, limits.idle_s
        entity.network_timeout = limits.idle_s
        # pynetdicom counts threads, among them those of closed connections; `ConnectionTable` counts sockets.
        entity.maximum_associations = 10 * limits.associations + 100
        entity.add_supported_context(Verification)
        for storage in _image_storage():
            entity.add_supported_context(storage, [*TRANSFER_SYNTAXES])
        handlers: list[Any] = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_REQUESTED, self._check_limit),
            (evt.EVT_CONN_CLOSE, lambda event: self._table.remove(event.assoc)),
        ]
        return entity.make_server(
            (settings.host, settings.port),
            evt_handlers=handlers,
            server_class=ThreadedAssociationServer,
            request_handler=limited_server(self._table),
        )

    def stop(self) -> None:
        """Close all connections, finish the study in work, and leave the others for the next start."""
        self._stop.set()
        BaseServer.shutdown(self._server)  # pynetdicom's own expects a server that `AE.start_server` made
        self._server.server_close()
        self._table.close_all()
        for thread in self._threads:
            thread.join()

    def work_off(self) -> None:
        """Hand on every study that waits, without waiting for further images."""
        for key in self._inbox.settled(now=True):
            self._hand_on(key)

    def _work(self) -> None:
        while not self._stop.wait(POLL_S):
            for key in self._inbox.settled():
                # a stop waits for one study at most; the others are found at the next start
                if not self._stop.is_set():
                    self._hand_on(key)

    def _hand_on(self, key: str) -> None:
        try:
            with self._inbox.take(key) as paths:
                self._on_study(paths)
            self.counts.studies += 1
        except (HeadToHeadError, OSError) as error:
            self.counts.failed += 1
            self._reporter.warning(f"A study of the receiver has no report; its images are kept. {error}")

    def _check_limit(self, event: Event) -> None:
        if not self._table.admit(event.assoc):
            event.assoc.acse.send_reject(*REJECT_LIMIT)
            event.assoc.is_rejected = True
            event.assoc.kill()

    def _store(self, event: Event) -> int:
        """Keep one object; the answer is the status code of C-STORE."""
        try:
            with decoding_errors("the object that was sent cannot be read"):
                content = bytes(event.encoded_dataset())
            header = read_header(content)
            self._inbox.put(content, header.study, header.sop)
        except UnreadableError:
            self.counts.refused += 1
            return CANNOT_UNDERSTAND
        except (InboxFullError, OSError) as error:
            self.counts.refused += 1
            self._reporter.warning(f"An image was refused because the disk or the inbox is full: {error}")
            return OUT_OF_RESOURCES
        self._table.stored(event.assoc)
        self.counts.stored += 1
        return SUCCESS


def _image_storage() -> list[str]:
    """Return the SOP classes that hold images."""
    from pydicom.uid import UID
    from pynetdicom import AllStoragePresentationContexts

    syntaxes = [str(context.abstract_syntax) for context in AllStoragePresentationContexts]
    # reports, plans, waveforms and presentation states have no pixels
    return [syntax for syntax in syntaxes if "Image Storage" in UID(syntax).name]
