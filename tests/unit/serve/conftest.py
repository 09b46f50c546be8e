"""A model without a network, small images of several kinds, and a server around them."""

from __future__ import annotations

import asyncio
import hashlib
import io
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import PIL.Image
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import read_image
from headtohead.deploy.prediction import ImagePrediction
from headtohead.serve.app import build_app
from headtohead.serve.server import listen, make_server
from headtohead.serve.settings import ServeSettings

BOUNDARY = b"h2hboundary"


@dataclass
class FakeModel:
    """Says "yes" with the mean brightness as probability; counts its batches."""

    name: str = "bright"
    digest: str = "ab" * 32
    classes: tuple[str, ...] = ("no", "yes")
    positive: str | None = "yes"
    contender: str = "brightness"
    estimate: dict[str, Any] = field(default_factory=lambda: {"auroc": 0.9, "caveats": ["Made up."]})
    seconds: float = 0.0
    per_batch: float = 0.0
    batches: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def predict_bytes(self, items: Sequence[tuple[str, bytes]]) -> list[ImagePrediction]:
        """Return one result per item."""
        self.batches.append(len(items))
        time.sleep(self.per_batch + self.seconds * len(items))
        return [self._one(name, content) for name, content in items]

    def _one(self, name: str, content: bytes) -> ImagePrediction:
        sha256 = hashlib.sha256(content).hexdigest()
        try:
            image = read_image(content)
        except UnreadableError as error:
            return ImagePrediction(path=name, sha256=sha256, error=str(error))
        top = float(np.iinfo(image.pixels.dtype).max)
        p = float(np.clip(image.pixels.mean() / top, 0, 1))
        both = 0.4 < p < 0.6
        label = "yes" if p >= 0.5 else "no"
        return ImagePrediction(
            path=name,
            sha256=sha256,
            probabilities={"no": 1 - p, "yes": p},
            predicted=label,
            threshold=0.5,
            set=("no", "yes") if both else (label,),
            abstains=both,
            flags=("far_from_training",) if p > 0.95 else (),
        )


@dataclass(frozen=True)
class Reply:
    """A status, its headers and the whole body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        import json

        return json.loads(self.body)


class Client:
    """Calls an ASGI application, all calls inside one lifespan and one event loop."""

    def __init__(self, app: Any) -> None:
        import httpx

        self._runner = asyncio.Runner()
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._up: asyncio.Future[None] | None = None
        self._app = app
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://127.0.0.1:8000"
        )

    def __enter__(self) -> Client:
        self._runner.run(self._start())
        return self

    async def _start(self) -> None:
        self._up = asyncio.get_running_loop().create_future()

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "lifespan.startup.complete" and self._up is not None:
                self._up.set_result(None)

        await self._messages.put({"type": "lifespan.startup"})
        self._task = asyncio.create_task(self._app({"type": "lifespan"}, self._messages.get, send))
        await self._up

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._stop())
        self._runner.close()

    async def _stop(self) -> None:
        await self._messages.put({"type": "lifespan.shutdown"})
        await self._task
        await self._http.aclose()

    def run(self, job: Callable[[Client], Any]) -> Any:
        """Run a coroutine function of this client in its loop."""
        return self._runner.run(job(self))

    async def ask(self, method: str, path: str, **options: Any) -> Reply:
        """Send one request."""
        answer = await self._http.request(method, path, **options)
        return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)

    def get(self, path: str, **options: Any) -> Reply:
        """Send one GET."""
        return self._runner.run(self.ask("GET", path, **options))

    def post(self, path: str, **options: Any) -> Reply:
        """Send one POST."""
        return self._runner.run(self.ask("POST", path, **options))

    def upload(self, path: str, *files: tuple[str, bytes], **options: Any) -> Reply:
        """Send files as a browser does."""
        return self.post(path, files=[("file", file) for file in files], **options)


@contextmanager
def in_thread(app: Any, settings: ServeSettings) -> Iterator[int]:
    """Run an application behind a real socket; gives its port."""
    listener = listen(settings)
    server = make_server(app, settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def body_of(*contents: bytes) -> bytes:
    """Return a multipart body."""
    head = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' % BOUNDARY
    return b"".join(head + content + b"\r\n" for content in contents) + b"--%s--\r\n" % BOUNDARY


def png(level: int = 200, side: int = 16) -> bytes:
    """Return a grey PNG."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(np.full((side, side), level, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def dicom(level: int = 40000, side: int = 16, **elements: Any) -> bytes:
    """Return a 16-bit DICOM file with a patient's name in it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = Dataset()
    data.file_meta = meta
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.PatientName, data.PatientID, data.Modality = "Doe^Jane", "4711", "MR"
    data.Rows = data.Columns = side
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 0
    ramp = np.linspace(0, level, side * side).reshape(side, side)
    data.PixelData = ramp.astype("<u2").tobytes()
    data.WindowCenter, data.WindowWidth = level // 2, level
    for name, value in elements.items():
        setattr(data, name, value)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, data, enforce_file_format=True)
    return buffer.getvalue()


@pytest.fixture
def model() -> FakeModel:
    """A model."""
    return FakeModel()


@pytest.fixture
def client(model: FakeModel) -> Iterator[Client]:
    """A server with one model."""
    with Client(build_app([model], ServeSettings(max_pixels=1_000_000, max_bytes=1_000_000))) as found:
        yield found


@pytest.fixture
def both() -> Iterator[Client]:
    """A server with two models."""
    with Client(build_app([FakeModel(), FakeModel("other@probe:flip", "cd" * 32)])) as found:
        yield found
