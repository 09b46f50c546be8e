"""The first predictions of a served model."""

from __future__ import annotations

import pytest
from tests.unit.serve.conftest import FakeModel

from headtohead.serve.hosting import warm_up as first_predictions
from headtohead.serve.hosting.warm_up import WarmUp, warm_up


def test_a_batch_pays_only_if_it_is_faster() -> None:
    assert WarmUp(0.02, 0.012).pays and not WarmUp(0.02, 0.0195).pays


@pytest.mark.parametrize(("seconds", "sizes"), [(60.0, [1, 2, 4, 8, 16]), (0.0, [])])
def test_a_server_is_ready_in_time_rather_than_after_each_batch_size(
    seconds: float, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_predictions, "WARM_UP_SECONDS", seconds)
    model = FakeModel(per_batch=0.05, seconds=0.001)  # so that a batch pays
    assert warm_up(model, 16).pays
    assert model.batches == [1, 1, 1, 4, 4, *sizes]
