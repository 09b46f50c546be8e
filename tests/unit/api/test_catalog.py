"""The catalogue as a frame: one row per network, with what is on this machine."""

from __future__ import annotations

import importlib

import pytest

import headtohead as h2h
from headtohead.backbones.catalog import catalogue


def test_the_catalogue_has_a_row_for_each_network() -> None:
    frame = h2h.list_contenders()
    assert list(frame.columns) == [
        "name", "family", "input_size", "n_parameters", "pretraining", "licence", "source", "available",
    ]  # fmt: skip
    records = {record.name: record for record in catalogue()}
    assert set(frame["name"]) == set(records) and frame["name"].is_unique
    lite = frame.set_index("name").loc["efficientnet-lite0"]
    assert (lite["family"], lite["input_size"]) == ("cnn", 224) and 3.3e6 < lite["n_parameters"] < 3.4e6
    assert frame["available"].dtype == bool


def test_available_is_whether_the_weights_are_here(monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = importlib.import_module("headtohead.backbones.weights.fetch")
    facts = dict.fromkeys(
        ["name", "family", "input_size", "n_parameters", "pretraining", "licence", "source", "more"]
    )
    monkeypatch.setattr(fetch, "listing", lambda: [facts | {"here": True}, facts | {"here": False}])
    assert h2h.list_contenders()["available"].tolist() == [True, False]
