"""The plot of the answer: each side names the contender that it favours."""

from __future__ import annotations

import re

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


def test_on_a_phone_both_names_are_readable() -> None:
    pair = comparison("ensemble(efficientnet-lite0,dinov2-small)", "efficientnet-lite0@finetune")
    wide, narrow = (plot_strip(pair, narrow=slim).get_figure(root=True) for slim in (False, True))
    assert wide is not None and narrow is not None
    assert 72 * narrow.get_size_inches()[0] < 360 < 72 * wide.get_size_inches()[0]
    drawing = to_svg(narrow)
    heights = re.findall(r' y="([\d.]+)"[^>]*>[^<]*favours', drawing)
    assert len(set(heights)) == 2, "one above the other"
