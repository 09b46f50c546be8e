"""The prediction of one image as a row of a table."""

from __future__ import annotations

from headtohead.deploy.prediction import ImagePrediction, row_columns

WHOLE = ImagePrediction(
    path="a.png",
    sha256="ab",
    probabilities={"no": 0.12345678, "yes": 0.87654322},
    predicted="yes",
    threshold=0.4444444444,
    set=("yes", "no"),
    abstains=True,
    flags=("colour", "in_training"),
)


def test_a_row_has_every_part_once() -> None:
    assert WHOLE.to_row() == {
        "path": "a.png", "sha256": "ab", "prob_no": 0.123457, "prob_yes": 0.876543, "predicted": "yes",
        "threshold": 0.444444, "set": "yes|no", "abstains": True, "flags": "colour|in_training", "error": None,
    }  # fmt: skip


def test_a_row_with_an_error_has_the_columns_of_the_others() -> None:
    failed = ImagePrediction(path="b.png", flags=("unreadable",), error="no image")
    assert list(failed.to_row(["no", "yes"])) == list(WHOLE.to_row()) == row_columns(["no", "yes"])
    row = failed.to_row(["no", "yes"])
    assert row["prob_no"] is None and row["predicted"] is None and row["threshold"] is None
    assert (row["set"], row["abstains"], row["flags"], row["error"]) == ("", False, "unreadable", "no image")


def test_the_columns_are_in_the_order_of_the_models_classes() -> None:
    assert list(WHOLE.to_row(["yes", "no"]))[2:4] == ["prob_yes", "prob_no"]
    assert WHOLE.to_row(["yes", "other"])["prob_other"] is None
