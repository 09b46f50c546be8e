"""Parts that columns play: by their names, in the order of likelihood, and never two at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from headtohead.core.errors import ManifestError
from headtohead.evaluate.external.files import PredictionFile
from headtohead.evaluate.external.roles import as_text, group_unit, named_by_role, plain_name


def roles(*names: str, keep: tuple[str, ...] = (), **columns: str) -> tuple[list[str], list[str]]:
    """Return the names of the columns after roles were given, and what is noted."""
    notes: list[str] = []
    frame = pd.DataFrame([range(len(names))], columns=list(names))
    found = named_by_role(PredictionFile("a.csv", frame), columns, keep, notes)
    return list(found.columns), notes


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1.0, np.nan, 12.0], ["1", "", "12"]),
        ([0.5, 2.0], ["0.5", "2.0"]),
        ([-0.0, -3.0], ["0", "-3"]),
        ([np.inf, 1.0], ["inf", "1.0"]),
        ([1e300, np.nan], ["1e+300", ""]),
        ([2.0**62], ["4611686018427387904"]),
        ([np.nan, np.nan], ["", ""]),
        ([" a ", None, "b"], ["a", "", "b"]),
        ([True, False], ["True", "False"]),
        ([7, 8], ["7", "8"]),
    ],
)
def test_values_as_text(values: list[object], text: list[str]) -> None:
    assert as_text(pd.Series(values)).tolist() == text


def test_the_likeliest_name_wins_and_is_noted() -> None:
    names, notes = roles("id", "Image Name", "dx", "y_true", "p", "prob")
    assert names == ["id", "sample", "dx", "label", "p", "score"]
    assert notes == [
        "a.csv: columns were taken by their names: sample from 'Image Name', label from 'y_true', score from 'prob'."
    ]


def test_a_column_called_like_its_role_goes_before_all_others_and_needs_no_note() -> None:
    assert roles("image", "sample", "y_true", "label", "score") == (
        ["image", "sample", "y_true", "label", "score"], [],
    )  # fmt: skip
    assert roles("Sample", "LABEL", "score")[0] == ["sample", "label", "score"]
    # of names that read alike the first one
    assert roles("Image-ID", "image_id", "label", "score")[0] == ["sample", "image_id", "label", "score"]


def test_one_column_plays_one_part_and_a_class_keeps_its_column() -> None:
    names, _ = roles("case", "class", "score", "file", label="class")
    assert names == ["group", "label", "score", "sample"]
    assert "score" not in roles("sample", "label", "prob", keep=("prob",))[0]
    assert roles("who", "label", "score", group="who", sample="label")[0] == ["group", "sample", "score"]


def test_row_numbers_without_a_name_are_dropped_and_prefixes_lose_their_case() -> None:
    names, _ = roles("Unnamed: 0", "", "Unnamed: x", "sample", "label", "PROB_Yes", "Prob-no")
    assert names == ["Unnamed: x", "sample", "label", "prob_Yes", "prob_no"]


def test_two_columns_of_one_name_are_refused_by_name() -> None:
    with pytest.raises(ManifestError, match=r"a\.csv has columns of the same name: b, label\. Rename them"):
        roles("label", "b", " b", "label ")


@pytest.mark.parametrize(
    ("name", "unit"),
    [("Patient-ID", "patient"), ("subject", "patient"), ("participant id", "patient"), ("case", "group"),
     ("group", "group"), ("site", "group")],
)  # fmt: skip
def test_what_a_group_is_called(name: str, unit: str) -> None:
    assert group_unit(["image", name, "label"], {}) == unit


def test_a_group_that_the_user_names_is_called_by_its_column() -> None:
    assert group_unit(["patient", "site"], {"group": "site"}) == "group"
    assert group_unit(["case", "subject no"], {"group": "subject no"}) == "patient"


def test_names_are_compared_without_case_hyphens_and_double_spaces() -> None:
    assert plain_name(" Image--ID  no ") == "image_id_no" == plain_name("IMAGE_ID__NO")
