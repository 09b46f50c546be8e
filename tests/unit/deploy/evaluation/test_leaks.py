"""Which images of the data a model knows, what is left out because of them, and the sentence on it."""

from __future__ import annotations

import pytest

from headtohead.core.errors import DataError, LeakageError
from headtohead.core.records import Sample
from headtohead.deploy.bundle.records import GuardReference
from headtohead.deploy.evaluation.answers import ModelAnswers
from headtohead.deploy.evaluation.leaks import check_leaks, near_copies_caveat
from headtohead.deploy.prediction import ImagePrediction

SAMPLES = [Sample.model_construct(id=f"{n}.png", group=f"g{n // 2}") for n in range(6)]  # pairs


def answers(
    known: tuple[int, ...] = (), near: tuple[int, ...] | None = None, failed: tuple[int, ...] = ()
) -> ModelAnswers:
    return ModelAnswers(
        [
            ImagePrediction(
                path=f"{n}.png",
                flags=("in_training",) if n in known else (),
                error="it is cut off" if n in failed else None,
            )
            for n in range(6)
        ],
        near,
    )


def test_without_leaks_every_image_is_scored() -> None:
    kept, checks = check_leaks(SAMPLES, {"m": answers()}, keep_training=False)
    assert kept == [0, 1, 2, 3, 4, 5]
    assert checks["m"].sentence == "None of the 6 images has the bytes or pixels of a training image of m."
    assert (checks["m"].samples, checks["m"].near_copies, checks["m"].left_out) == ((), None, 0)


def test_where_hashes_were_compared_more_is_said() -> None:
    _, checks = check_leaks(SAMPLES, {"m": answers(near=())}, keep_training=False)
    assert (
        checks["m"].sentence
        == "None of the 6 images equals or nearly equals the pixels of a training image of m."
    )
    assert checks["m"].near_copies == ()


def test_a_training_image_takes_its_group_with_it() -> None:
    kept, checks = check_leaks(SAMPLES, {"m": answers((2,))}, keep_training=False)
    assert kept == [0, 1, 4, 5]
    assert checks["m"].samples == ("2.png",) and checks["m"].left_out == 2
    assert checks["m"].sentence == (
        "1 of these 6 images was in the training of m; 2 images (with their copies and groups) are left out of all "
        "scores."
    )


def test_near_copies_count_too_and_are_named() -> None:
    kept, checks = check_leaks(SAMPLES, {"m": answers((0,), (5,))}, keep_training=False)
    assert kept == [2, 3] and checks["m"].near_copies == ("5.png",)
    assert "1 of these 6 images was in the training of m and 1 more is nearly equal to a training image;" in (
        checks["m"].sentence
    )
    kept, checks = check_leaks(SAMPLES, {"m": answers((), (4, 5))}, keep_training=False)
    assert kept == [0, 1, 2, 3]
    assert checks["m"].sentence.startswith("2 of these 6 images are nearly equal to a training image of m;")


def test_a_leak_of_one_model_leaves_the_image_out_for_all() -> None:
    kept, checks = check_leaks(SAMPLES, {"a": answers((0,)), "b": answers((), (2,))}, keep_training=False)
    assert kept == [4, 5]
    assert checks["a"].samples == ("0.png",) and checks["b"].samples == ()
    assert checks["a"].left_out == checks["b"].left_out == 4


def test_an_image_that_one_model_cannot_predict_is_scored_for_none() -> None:
    kept, checks = check_leaks(SAMPLES, {"a": answers(failed=(1,)), "b": answers()}, keep_training=False)
    assert kept == [0, 2, 3, 4, 5]
    assert checks["a"].left_out == 0, "that is no leak"


def test_training_images_are_scored_on_request_and_the_sentence_warns() -> None:
    kept, checks = check_leaks(SAMPLES, {"m": answers((0, 1, 2))}, keep_training=True)
    assert kept == [0, 1, 2, 3, 4, 5] and checks["m"].left_out == 0
    assert checks["m"].sentence.endswith("they are scored too (--keep-training), so the scores are too good.")


def test_nothing_left_is_an_error_that_says_why() -> None:
    with pytest.raises(LeakageError, match="Every image that could be predicted was in training"):
        check_leaks(SAMPLES, {"m": answers((0, 2, 4))}, keep_training=False)
    with pytest.raises(LeakageError, match="--keep-training"):
        check_leaks(SAMPLES, {"m": answers((0, 2), failed=(4, 5))}, keep_training=False)
    with pytest.raises(
        DataError, match=r"None of the 6 images could be predicted; the first, 0\.png: it is cut off"
    ):
        check_leaks(SAMPLES, {"m": answers(failed=tuple(range(6)))}, keep_training=False)


def test_what_the_search_for_near_copies_can_find_is_told() -> None:
    reference = GuardReference(copies_found=0.975, false_alarms={"near_copy": 0.004})
    told = near_copies_caveat("m", reference, answers(near=()))
    assert "98 % of such copies" in told and "by mistake 0.4 % of different images" in told
    for known, found in ((reference, answers()), (GuardReference(), answers(near=()))):
        assert near_copies_caveat("m", known, found).startswith("m holds no hashes of its training images")
