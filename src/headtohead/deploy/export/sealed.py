"""An ONNX file that carries a document and a seal over all its bytes.

Written and read without the onnx package, so that a machine with ONNX Runtime alone can check a file before it
runs it. An ONNX file is one protobuf message; a field may be appended to its end (protobuf's encoding rules,
"last one wins" and repeated fields), and ONNX's field 14 is a list of key and value, `metadata_props`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from headtohead.core.errors import HeadToHeadError

__all__ = ["SealError", "read_sealed", "seal"]

DOCUMENT, SEAL = "headtohead", "headtohead.sha256"
METADATA_PROPS, KEY, VALUE = 14, 1, 2  # fields in onnx.proto: of a model, and of a StringStringEntryProto
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types of protobuf


class SealError(HeadToHeadError):
    """A file that carries no document of ours, or was changed after it was written."""


def seal(graph: bytes, document: str) -> bytes:
    """Return the ONNX file with the document inside, and with the sha256 of everything before the seal."""
    body = graph + _entry(DOCUMENT, document)
    return body + _entry(SEAL, hashlib.sha256(body).hexdigest())


def read_sealed(content: bytes, name: str = "The file") -> str:
    """Return the document of a sealed ONNX file.

    Args:
        name: of the file, for the message.

    Raises:
        SealError: no ONNX file, no document, or a byte was changed.
    """
    found: dict[str, tuple[int, str]] = {}
    try:
        for number, start, value in _fields(content):
            if number == METADATA_PROPS:
                pair = {inner: text.decode() for inner, _, text in _fields(value)}
                found[pair.get(KEY, "")] = (start, pair.get(VALUE, ""))
    except (ValueError, IndexError) as error:
        raise SealError(f"{name} is not an ONNX file, or is damaged: {error}.") from error
    if DOCUMENT not in found or SEAL not in found:
        raise SealError(
            f"{name} is an ONNX file without headtohead's description; expected one that `headtohead export` wrote."
        )
    start, stated = found[SEAL]
    # The seal is the last field: one behind it would be under no seal, and of a field given twice the last one wins.
    whole = content[start:] == _entry(SEAL, stated)
    if (
        not whole or hashlib.sha256(memoryview(content)[:start]).hexdigest() != stated
    ):  # a slice would be a copy
        raise SealError(
            f"{name} was changed after `headtohead export` wrote it: its sha256 does not fit. Export the model again."
        )
    return found[DOCUMENT][1]


def _entry(key: str, value: str) -> bytes:
    inner = _block(KEY, key.encode()) + _block(VALUE, value.encode())
    return _block(METADATA_PROPS, inner)


def _block(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _fields(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (field number, where the field starts, its bytes) of a message; numbers have no bytes.

    Raises:
        ValueError: the bytes are no protobuf message.
    """
    at = 0
    while at < len(content):
        start = at
        tag, at = _read_varint(content, at)
        kind, number, value = tag & 7, tag >> 3, b""
        if kind == VARINT:
            _, at = _read_varint(content, at)
        elif kind in (FIXED64, FIXED32):
            at += 8 if kind == FIXED64 else 4
        elif kind == BYTES:
            length, at = _read_varint(content, at)
            # Only the small entries are copied; the graph itself may have hundreds of megabytes.
            value = content[at : at + length] if number != 7 else b""  # the field 7 is the graph
            at += length
        else:
            raise ValueError(f"wire type {kind} at byte {start}")
        if at > len(content):
            raise ValueError("it ends in the middle of a field")
        yield number, start, value


def _read_varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    # Ten groups of seven bits hold the 64 bits that a number may have.
    for shift in range(0, 70, 7):
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
    raise ValueError("a number of more than ten bytes")
