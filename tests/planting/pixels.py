"""Defects of single images, as functions on their pixels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]


def letters(p: Pixels) -> Pixels:
    cv2.putText(p, "R 12", (4, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1)
    return p


def rgb(p: Pixels) -> Pixels:
    return np.asarray(np.repeat(p[..., None], 3, axis=2))


def red_arrow(p: Pixels) -> Pixels:
    colour = rgb(p)
    cv2.arrowedLine(colour, (20, 20), (50, 50), (255, 20, 20), 2)
    return colour


def brownish(p: Pixels) -> Pixels:
    return np.asarray(np.clip(rgb(p) * np.array([1.0, 0.9, 0.75]) + [14, 6, 0], 0, 255), np.uint8)


def framed(p: Pixels) -> Pixels:
    p[:3], p[-3:], p[:, :3], p[:, -3:] = 255, 255, 255, 255
    return p


def right_line(p: Pixels) -> Pixels:
    p[:, -2:] = 250
    return p


def grid(p: Pixels) -> Pixels:
    y, x = np.mgrid[: p.shape[0], : p.shape[1]]
    return np.asarray(np.clip(p + 25 * np.sin(2 * np.pi * (0.31 * x + 0.23 * y)), 0, 255), np.uint8)


def enlarged(p: Pixels) -> Pixels:
    small = cv2.resize(p, None, fx=0.16, fy=0.16, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, p.shape[::-1], interpolation=cv2.INTER_CUBIC))


def stripes(p: Pixels) -> Pixels:
    y, x = np.mgrid[: p.shape[0], : p.shape[1]]
    return np.where((x // 6 + y // 6) % 2 == 0, 230, 20).astype(np.uint8)


def dim_lower_half(p: Pixels) -> Pixels:
    half = p.shape[0] // 2
    p[half:] = (p[half:] * 0.3).astype(np.uint8)
    return p


def padded_white(p: Pixels) -> Pixels:
    return np.asarray(np.pad(p, ((0, 0), (60, 60)), constant_values=255))


NOISE = np.random.default_rng(7)


def noise_image(p: Pixels) -> Pixels:
    return NOISE.integers(0, 256, p.shape, dtype=np.uint8)


def brighter(p: Pixels) -> Pixels:
    return np.asarray(np.clip(p * 1.25, 0, 250), np.uint8)


def softened(p: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(p, (0, 0), 4))


def corner_mark(p: Pixels) -> Pixels:
    p[:9, :9] = 120
    return p


def bright_ground(p: Pixels) -> Pixels:
    return np.where(p < 16, p + 22, p).astype(np.uint8)
