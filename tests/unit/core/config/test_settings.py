"""Settings as plain values, and what is said of those that do not fit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.core.config.search import SearchConfig
from headtohead.core.config.settings import explain, flatten, parse_record, without_none
from headtohead.core.errors import UsageError

NESTED = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3),
    max_leaves=8,
)


def test_each_misfit_is_named_with_its_place() -> None:
    with pytest.raises(UsageError) as caught:
        parse_record(SearchConfig, {"data": "x", "folds": 1, "foldz": 5, "data_options": {"volume": -1}})
    said = str(caught.value)
    assert said.startswith("These settings do not fit: ") and said.endswith(".")
    assert "folds: Input should be greater than or equal to 2" in said
    assert "foldz: Extra inputs are not permitted" in said
    assert "data_options.volume: Input should be greater than or equal to 0" in said
    assert said.count("; ") == 2


def test_an_error_that_is_no_validation_says_its_own_text() -> None:
    assert explain(ValueError("bad line 3")) == "bad line 3"


def test_none_is_left_out_at_every_depth_and_other_empty_values_stay() -> None:
    value: dict[str, object] = {
        "a": None,
        "b": {"c": None, "d": 0, "e": {"f": None}},
        "g": [],
        "h": "",
        "i": False,
    }
    assert without_none(value) == {"b": {"d": 0, "e": {}}, "g": [], "h": "", "i": False}


def test_nested_settings_become_dotted_names() -> None:
    value = {"train": {"epochs": 5, "deep": {"x": None}}, "ignore": {}, "seed": 0}
    assert flatten(value) == {"train.epochs": 5, "train.deep.x": None, "ignore": {}, "seed": 0}


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), NESTED, max_size=3))
def test_flat_settings_lead_back_to_every_value(value: dict[str, object]) -> None:
    for key, item in flatten(value).items():
        found: object = value
        for part in key.split("."):
            assert isinstance(found, dict)
            found = found[part]
        assert found == item and (not isinstance(item, dict) or not item)
