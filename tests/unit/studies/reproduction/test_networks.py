"""Which networks are compared: those named, those of the study, or both stand-ins; never one replaced silently."""

from __future__ import annotations

from typing import Any

import pytest

from headtohead.core.errors import WeightsError
from headtohead.studies.reproduction.reproduce import FLAGSHIPS, STAND_INS, choose_networks


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a set of networks whose weights are not here; each look is remembered in `asked`."""

    class Hub:
        def __init__(self) -> None:
            self.missing: set[str] = set()
            self.asked: list[str] = []

        def ensure(self, record: Any, **_: Any) -> None:
            self.asked.append(record.name)
            if record.name in self.missing:
                raise WeightsError(f"No weights of {record.name}. Fetch them elsewhere.")

    made = Hub()
    monkeypatch.setattr("headtohead.backbones.weights.fetch.ensure_weights", made.ensure)
    return made


def names(found: Any) -> tuple[str, str]:
    return found.cnn.name, found.vit.name


def test_the_networks_of_the_study_run_where_their_weights_are_here(hub: Any, listener: Any) -> None:
    found = choose_networks("auto", "auto", listener)
    assert (
        names(found) == (FLAGSHIPS["cnn"], FLAGSHIPS["vit"]) and not found.stand_in and not listener.warnings
    )


@pytest.mark.parametrize("arm", ["cnn", "vit"])
def test_one_that_is_missing_makes_both_stand_ins(arm: Any, hub: Any, listener: Any) -> None:
    hub.missing.add(FLAGSHIPS[arm])
    found = choose_networks("auto", "auto", listener)
    assert names(found) == (STAND_INS["cnn"], STAND_INS["vit"]) and found.stand_in
    assert listener.warnings == [
        f"Weights of the study's networks are not available here (No weights of {FLAGSHIPS[arm]}); stand-ins run."
    ]


def test_a_network_that_was_named_is_never_replaced(hub: Any, listener: Any) -> None:
    hub.missing.add(FLAGSHIPS["vit"])
    found = choose_networks("efficientnet-lite2", "auto", listener)
    assert names(found) == ("efficientnet-lite2", STAND_INS["vit"]) and found.stand_in
    hub.missing.add("efficientnet-lite2")
    with pytest.raises(WeightsError, match="efficientnet-lite2"):
        choose_networks("efficientnet-lite2", "auto", listener)
    with pytest.raises(WeightsError, match="efficientnet-lite2"):
        choose_networks("efficientnet-lite2", "dinov2-small", listener)


def test_named_networks_of_the_study_are_no_stand_ins(hub: Any) -> None:
    assert not choose_networks(FLAGSHIPS["cnn"], FLAGSHIPS["vit"]).stand_in
    assert choose_networks(FLAGSHIPS["cnn"], "dinov2-small").stand_in
