"""Damage to texts and records that keeps their structure, so that it gets past the first check."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

__all__ = ["WORDS", "damaged_bytes", "damaged_record", "damaged_text", "pick"]

WORDS: Sequence[str] = (
    "", " ", "0", "-1", "1e309", "nan", "inf", "²", "9" * 5000, "0.5", "0,5", "yes", "no", "a.png", "../x.png",
    "/etc/passwd", "a" * 5000, "a/" * 2000, "=1+1", "'=x", "\0", "\x1b[2J", "\u202e", "é", "\ud800", "{", "[" * 3000,
    "path", "label", "group", "sample", "score", "score ", "frame", "split", "train", "1", "true", "null", '"', ",",
    ";", "\t", "\r\n", "1970-01-01", "a|b", "a;b", "#3", "C:\\x", "<script>", "prob_yes", "prob_no", "model",
)  # fmt: skip
VALUES: Sequence[Any] = (
    None, True, False, 0, -1, 1, 2**63, 2**70, -0.0, 0.5, 1e308, "", "x", "nan", "http://x/y.gif", [], {}, [[]], [None],
    {"": None}, [1, 2, 3], ["a"] * 50, {"a": {"b": {}}}, "a" * 3000, "\ud800", "\0",
)  # fmt: skip


def pick(rng: np.random.Generator, items: Sequence[Any]) -> Any:
    """Return one of the items."""
    return items[int(rng.integers(len(items)))]


def damaged_bytes(rng: np.random.Generator, content: bytes) -> bytes:
    """Return bytes with some flipped, cut, repeated or overwritten by numbers that lengths trip over."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        if not data:
            break
        at, kind = int(rng.integers(len(data))), int(rng.integers(5))
        if kind == 0:
            data[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            del data[at : at + int(rng.integers(1, 100))]
        elif kind == 2:
            data[at:at] = data[at : at + int(rng.integers(1, 60))] * int(rng.integers(1, 20))
        elif kind == 3:
            width = int(pick(rng, (1, 2, 4, 8)))
            number = int(pick(rng, (0, 1, 0x7F, 0x80, (1 << (8 * width - 1)) - 1, (1 << (8 * width)) - 1)))
            order: Literal["little", "big"] = "little" if rng.integers(2) else "big"
            data[at : at + width] = (number % (1 << (8 * width))).to_bytes(width, order)
        else:
            data = data[: at + 1]
    return bytes(data)


def damaged_text(rng: np.random.Generator, rows: Sequence[Sequence[str]], separator: str) -> str:
    """Return a table as text in which cells, columns, rows, quotes and line ends were changed."""
    table = [list(row) for row in rows]
    for _ in range(int(rng.integers(0, 5))):
        row = pick(rng, table)
        at, kind = int(rng.integers(len(row) or 1)), int(rng.integers(7))
        if kind == 0 and row:
            row[at] = str(pick(rng, WORDS))
        elif kind == 1:
            row.insert(at, str(pick(rng, WORDS)))
        elif kind == 2 and len(row) > 1:
            del row[at]
        elif kind == 3:
            table.append(list(pick(rng, table)))
        elif kind == 4 and row:
            row[at] += str(pick(rng, WORDS))
        elif kind == 5 and row:
            row[at] = f'"{row[at]}' + str(pick(rng, ('"', "", '""', '"x')))
        elif row:
            for other in table:
                if len(other) > at:
                    other[at] = str(pick(rng, WORDS)) if other is not table[0] else other[at]
    end = str(pick(rng, ("\n", "\n", "\r\n", "\r")))
    return end.join(separator.join(row) for row in table) + str(pick(rng, (end, "", end * 3)))


def damaged_record(rng: np.random.Generator, record: Any) -> Any:
    """Return a copy of a JSON value in which some values, keys or items were changed, at any depth."""
    changed = copy.deepcopy(record)
    for _ in range(int(rng.integers(1, 4))):
        here = changed
        for _ in range(int(rng.integers(1, 9))):
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not keys:
                break
            key, kind = pick(rng, keys), int(rng.integers(8))
            inner = here[key]
            if isinstance(inner, dict | list) and inner and kind > 1:
                here = inner
                continue
            if kind == 2 and isinstance(here, dict):
                del here[key]
            elif kind == 3 and isinstance(here, list):
                here += [copy.deepcopy(inner)] * int(rng.integers(1, 60))
            elif kind == 4 and isinstance(inner, int | float) and not isinstance(inner, bool):
                here[key] = type(inner)(inner * int(pick(rng, (-1, 0, 2, 1000))))
            else:
                here[key] = copy.deepcopy(pick(rng, VALUES))
            break
    return changed
