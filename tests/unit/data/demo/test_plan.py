"""The plan of the demonstration set: shares, and defects that stand alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headtohead.data.demo.plan import COPY_KINDS, draw_plan


@given(n=st.integers(40, 600), seed=st.integers(0, 2**31 - 1))
def test_defects_are_of_different_scenes_and_every_file_has_a_number(n: int, seed: int) -> None:
    plan = draw_plan(n, seed)
    scenes = range(len(plan.has_lesion))
    assert len(scenes) + len(plan.copies) == n and sorted(plan.order) == list(range(n))
    copied = [copy.scene for copy in plan.copies]
    odd = [plan.mislabelled, plan.white_frame, plan.png_in_jpg, plan.capital_suffix]
    planted = copied + [scene for part in odd for scene in part]
    assert len(planted) == len(set(planted)) and set(planted) <= set(scenes)
    assert {copy.kind for copy in plan.copies} == set(COPY_KINDS)
    assert abs(sum(plan.has_lesion) - 0.55 * len(scenes)) <= 0.5
    assert draw_plan(n, seed) == plan
