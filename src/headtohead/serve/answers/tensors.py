"""Requests and answers of the Open Inference Protocol v2, with images as BYTES tensors.

In JSON an image is base64 text. With the binary data extension (the header `Inference-Header-Content-Length`,
the default of Triton's client) its bytes follow the JSON, each behind its length as 4 bytes, little endian.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headtohead.deploy.prediction import ImagePrediction
from headtohead.serve.hosting.registry import ServedModel
from headtohead.serve.intake.multipart import UploadedFile
from headtohead.serve.problems import ProblemError
from headtohead.serve.settings import ServeSettings

__all__ = ["INPUT", "InferAnswer", "InferRequest", "infer_answer", "metadata", "uploads_of", "version_of"]

INPUT = "image"
OUTPUTS = ("probabilities", "label", "abstains")
BINARY_SIZE = "binary_data_size"


class InferInput(BaseModel):
    """A tensor of a request."""

    model_config = ConfigDict(extra="ignore")

    name: str
    shape: list[int] = Field(max_length=8)
    datatype: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    data: list[Any] | None = None


class RequestedOutput(BaseModel):
    """An output that the client names."""

    model_config = ConfigDict(extra="ignore")

    name: str


class InferRequest(BaseModel):
    """A request for inference."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field(default="", max_length=200)
    inputs: list[InferInput] = Field(min_length=1, max_length=1)
    outputs: list[RequestedOutput] | None = Field(default=None, max_length=16)


class InferOutput(BaseModel):
    """A tensor of an answer."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class InferAnswer(BaseModel):
    """The answer of inference."""

    model_name: str
    model_version: str
    id: str = ""
    parameters: dict[str, Any]
    outputs: list[InferOutput]


def version_of(served: ServedModel) -> str:
    """Return what stands for a bundle's version: the first digits of its digest."""
    return served.model.digest[:12]


def metadata(served: ServedModel) -> dict[str, Any]:
    """Return the description of a model in the words of the protocol."""
    k = len(served.model.classes)
    return {
        "name": served.name,
        "versions": [version_of(served)],
        "platform": "headtohead",
        "inputs": [{"name": INPUT, "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            {"name": "probabilities", "datatype": "FP64", "shape": [-1, k]},
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {"name": "abstains", "datatype": "BOOL", "shape": [-1]},
        ],
        "parameters": {
            "classes": list(served.model.classes),
            "digest": served.model.digest,
            "research_use_only": True,
        },
    }


def uploads_of(
    body: bytes, header_length: str | None, settings: ServeSettings
) -> tuple[InferRequest, list[UploadedFile]]:
    """Return a request and its images.

    Args:
        body: the whole body.
        header_length: the header `Inference-Header-Content-Length`, or None.
        settings: how many images a request may hold.

    Raises:
        ProblemError: 400 if it is not a request of the protocol, 422 if it is not for images.
    """
    length = len(body)
    if header_length is not None:
        # 18 digits are more than any body has; int() of thousands of digits raises.
        if not (header_length.isascii() and header_length.isdigit() and int(header_length[:18]) <= length):
            raise ProblemError(400, "Inference-Header-Content-Length is not a length within the body.")
        length = int(header_length[:18])
    try:
        request = InferRequest.model_validate_json(body[:length])
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]  # an input may be an image
        place = ".".join(str(part) for part in first["loc"]) or "body"
        raise ProblemError(
            400, f"The body is no request of the Open Inference Protocol: {place}: {first['msg']}."
        ) from None
    tensor = request.inputs[0]
    n = tensor.shape[0] if tensor.shape else 0
    if tensor.name != INPUT or tensor.datatype != "BYTES" or tensor.shape not in ([n], [n, 1]):
        raise ProblemError(
            422,
            f"The input is not an image tensor; expected name {INPUT!r}, datatype BYTES, shape [n] or [n, 1], and "
            "as data whole files (PNG, JPEG, DICOM, …) in base64.",
        )
    for wanted in request.outputs or []:
        if wanted.name not in OUTPUTS:
            raise ProblemError(
                422, f"An output was asked for that there is not; expected {', '.join(OUTPUTS)}."
            )
    if not 1 <= n <= settings.max_files:
        raise ProblemError(422, f"The input has {n} images; expected 1 to {settings.max_files}.")
    contents = _from_json(tensor) if tensor.data is not None else _from_binary(tensor, body[length:])
    if len(contents) != n:
        raise ProblemError(422, f"The shape says {n} images; the data hold {len(contents)}.")
    return request, [UploadedFile(f"image {place}", content) for place, content in enumerate(contents)]


def infer_answer(
    served: ServedModel, request: InferRequest, results: Sequence[ImagePrediction]
) -> InferAnswer:
    """Return the tensors of an answer, those that were asked for."""
    classes = list(served.model.classes)
    n = len(results)
    flat = [float(result.probabilities[name]) for result in results for name in classes]
    tensors = {
        "probabilities": InferOutput(
            name="probabilities", shape=[n, len(classes)], datatype="FP64", data=flat
        ),
        "label": InferOutput(
            name="label", shape=[n], datatype="BYTES", data=[str(result.predicted) for result in results]
        ),
        "abstains": InferOutput(
            name="abstains", shape=[n], datatype="BOOL", data=[bool(result.abstains) for result in results]
        ),
    }
    wanted = [output.name for output in request.outputs or []] or OUTPUTS
    return InferAnswer(
        model_name=served.name,
        model_version=version_of(served),
        id=request.id,
        parameters={"classes": ",".join(classes), "digest": served.model.digest, "research_use_only": True},
        outputs=[tensors[name] for name in wanted],
    )


def _from_json(tensor: InferInput) -> list[bytes]:
    texts = [item[0] if isinstance(item, list) and len(item) == 1 else item for item in tensor.data or []]
    try:
        return [base64.b64decode(text.encode("ascii"), validate=True) for text in texts]
    except (AttributeError, UnicodeEncodeError, binascii.Error):
        raise ProblemError(422, "The data are no base64 texts; expected one for each image.") from None


def _from_binary(tensor: InferInput, rest: bytes) -> list[bytes]:
    size = tensor.parameters.get(BINARY_SIZE)
    if type(size) is not int or size != len(rest):  # True is an int too
        raise ProblemError(
            400,
            "The input has no data: neither in the JSON nor, by its binary_data_size, in the bytes that follow it.",
        )
    contents, at = [], 0
    while at < len(rest):
        if at + 4 > len(rest):
            raise ProblemError(400, "The binary data are cut off within a length.")
        length = struct.unpack_from("<I", rest, at)[0]
        if at + 4 + length > len(rest):
            raise ProblemError(400, "The binary data are shorter than their lengths say.")
        contents.append(rest[at + 4 : at + 4 + length])
        at += 4 + length
    return contents
