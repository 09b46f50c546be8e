"""Small images for the page: which samples have one, how large it is, and what it keeps of the image."""

from __future__ import annotations

import base64
from typing import Any

import cv2
import numpy as np
import pytest
from tests.planting.memory import CLEAN, added

from headtohead.audit.thumbnails import MOST, data_uri, named_samples, thumbnails
from headtohead.core.records import Image


def decoded(uri: str) -> Any:
    head, _, text = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    return cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((400, 800), (80, 160)), ((800, 400), (160, 80)), ((100, 50), (100, 50)), ((160, 160), (160, 160)),
     ((5000, 4), (160, 1))],
)  # fmt: skip
def test_the_longer_edge_is_at_most_160_and_nothing_is_enlarged(shape: Any, expected: Any) -> None:
    assert decoded(data_uri(Image(np.full(shape, 90, np.uint8), 8, "L", "PNG"))).shape[:2] == expected


def test_grey_values_and_colours_are_kept_and_deep_pixels_are_windowed() -> None:
    grey = decoded(data_uri(Image(np.full((40, 40), 90, np.uint8), 8, "L", "PNG")))
    assert grey.ndim == 2 and abs(int(grey[20, 20]) - 90) <= 2
    red = np.zeros((40, 40, 3), np.uint8)
    red[..., 0] = 200
    blue, green, channel = (int(v) for v in decoded(data_uri(Image(red, 8, "RGB", "PNG")))[20, 20])
    assert channel > 180 and max(blue, green) < 20, "OpenCV gives blue first"
    deep = np.full((40, 40), 3000, np.uint16)
    seen = decoded(data_uri(Image(deep, 16, "I;16", "PNG", window=(2000.0, 4000.0))))
    assert abs(int(seen[20, 20]) - 127) <= 2


def found(outcome: str, *samples: str) -> dict[str, Any]:
    return {"outcome": outcome, "samples": list(samples)}


def test_loud_findings_come_first_then_groups_and_each_sample_once() -> None:
    record = {
        "findings": [
            found("issue", "b", "a"),
            found("passed", "x"),
            found("tip", "c", "b"),
            found("ignored", "y"),
        ],
        "groups": {"shared": {"g": ["a", "d", *"efghij"]}},
    }
    assert named_samples(record) == ["b", "a", "c", "d", "e", "f", "g", "h"]


def test_a_finding_names_twenty_four_and_a_page_four_hundred() -> None:
    many = found("issue", *(f"s{i:03d}" for i in range(100)))
    assert named_samples({"findings": [many], "groups": {"shared": {}}}) == [f"s{i:03d}" for i in range(24)]
    all_of_them = [found("issue", *(f"f{k}s{i}" for i in range(24))) for k in range(20)]
    assert len(named_samples({"findings": all_of_them, "groups": {"shared": {}}})) == MOST == 400


def test_images_that_cannot_be_read_have_none_and_known_ones_are_not_decoded() -> None:
    names = [s.id for s in CLEAN.samples[:3]]
    gone = CLEAN.samples[1].model_copy(update={"id": "gone"})
    data = added(CLEAN, (1, "gone", {}))
    data.images.pop(gone.id)
    record = {"findings": [found("issue", *names, "gone")], "groups": {"shared": {}}}
    assert sorted(thumbnails(data, record)) == sorted(names)
    assert thumbnails(data, record, small=lambda sample: f"of {sample.id}") == {
        n: f"of {n}" for n in [*names, "gone"]
    }
