"""Images of a page: each once, none from elsewhere."""

from __future__ import annotations

import pytest
from tests.planting.reported import PIXEL

from headtohead.report.views.image_store import ImageStore, safe_images

OTHER = "data:image/jpeg;base64,AAAA"


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/x.png", "//example.org/x.png", "data:image/svg+xml;base64,AAAA", "data:image/png,AAAA",
        "data:text/html;base64,AAAA", "data:image/png;base64,AA)};x{background:url(http", "", " " + PIXEL,
        "data:image/png;base64,",
    ],
)  # fmt: skip
def test_an_address_that_is_no_image_of_the_page_is_left_out(address: str) -> None:
    assert safe_images({"a": address, "b": OTHER}) == {"b": OTHER}
    store = ImageStore({"a": {"src": address}}, {"b": address})
    assert (store.number("a"), store.number("b"), store.add(address), store.css) == (None, None, None, "")


def test_what_is_no_text_is_no_image() -> None:
    assert safe_images({"a": None, "b": 3, "c": [PIXEL]}) == {}


def test_copies_share_a_number_and_the_gallery_comes_before_thumbnails() -> None:
    store = ImageStore({"a": {"src": PIXEL}}, {"a": OTHER, "b": PIXEL, "c": OTHER})
    assert [store.number(name) for name in ("a", "b", "c", "d", "a")] == [0, 0, 1, None, 0]
    assert store.add(OTHER) == 1
    assert store.css == f".i0{{background-image:url({PIXEL})}}\n.i1{{background-image:url({OTHER})}}"


def test_facts_hold_size_and_box_where_they_are_known() -> None:
    entry = {"src": PIXEL, "width": 8, "height": 6, "box": [1, 1, 5, 7], "more": 1}
    store = ImageStore({"a": entry}, {"b": OTHER})
    assert store.facts("a") == {"im": 0, "width": 8, "height": 6, "box": [1, 1, 5, 7]}
    assert store.facts("b") == {"im": 1} and store.facts("c") == {"im": None}
