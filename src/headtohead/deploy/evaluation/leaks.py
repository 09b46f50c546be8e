"""Which images of the data a model was trained on, and what is left out of the scores because of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headtohead.core.errors import DataError, LeakageError
from headtohead.core.records import Sample
from headtohead.deploy.evaluation.records import LeakCheck
from headtohead.deploy.prediction import ImagePrediction

__all__ = ["NEAR_COPIES", "check_leaks"]

NEAR_COPIES = (
    "Training images are recognised by their bytes or pixels alone, because a model holds hashes of them and not the "
    "images. Copies that were cropped, resized or compressed again are not recognised; if these data may hold any, the "
    "scores may be too good."
)


def check_leaks(
    samples: Sequence[Sample], answers: Mapping[str, list[ImagePrediction]], *, keep_training: bool
) -> tuple[list[int], dict[str, LeakCheck]]:
    """Return the positions of the images that are scored, and which training images of each model are among the data.

    Args:
        samples: of the data. answers: of each model, one per sample.
        keep_training: score training images too.

    Raises:
        LeakageError: every image was in training.
        DataError: no image can be predicted.
    """
    groups = [sample.group for sample in samples]
    leaking: set[str] = set()
    of_model: dict[str, list[int]] = {}
    for name, found in answers.items():
        of_model[name] = [i for i, answer in enumerate(found) if "in_training" in answer.flags]
        leaking |= {groups[i] for i in of_model[name]}
    failed = {i for found in answers.values() for i, answer in enumerate(found) if answer.error is not None}
    out = set() if keep_training else {i for i, group in enumerate(groups) if group in leaking}
    kept = [i for i in range(len(groups)) if i not in failed and i not in out]
    if not kept and out:
        raise LeakageError(
            "Every image that could be predicted was in training or is a copy of a training image, so scores would say "
            "nothing about new images. Give other data, or score them anyway with --keep-training."
        )
    if not kept:
        first = next(answer for found in answers.values() for answer in found if answer.error is not None)
        raise DataError(
            f"None of the {len(groups)} images could be predicted; the first, {first.path}: {first.error}."
        )
    checks = {
        name: LeakCheck(
            samples=tuple(samples[i].id for i in places),
            left_out=len(out),
            sentence=_leak_sentence(name, len(places), len(groups), len(out), kept=keep_training),
        )
        for name, places in of_model.items()
    }
    return kept, checks


def _leak_sentence(name: str, found: int, total: int, out: int, *, kept: bool) -> str:
    if not found:
        return f"None of the {total} images has the bytes or pixels of a training image of {name}."
    training = f"{found} of these {total} images were in the training of {name}"
    if kept:
        return f"{training}; they are scored too (--keep-training), so the scores are too good."
    return f"{training}; {out} images (with their copies and groups) are left out of all scores."
