"""The plot of the answer: each side names the contender that it favours."""

from __future__ import annotations

import pytest
from tests.planting.reported import comparison, words

from headtohead.report.figures import plot_strip, to_svg


@pytest.mark.parametrize(
    ("metric", "left", "right"),
    [("auroc", "vit", "cnn"), ("brier", "cnn", "vit"), ("log_loss", "cnn", "vit")],
)
def test_a_side_names_the_contender_that_it_favours(metric: str, left: str, right: str) -> None:
    pair = comparison("cnn", "vit").model_copy(update={"metric": metric})
    texts = words(to_svg(plot_strip(pair).figure))
    assert f"◄ favours {left}" in texts and f"favours {right} ►" in texts
