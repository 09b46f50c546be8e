"""Which images of the data a model was trained on, and what is left out of the scores because of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headtohead.core.errors import DataError, LeakageError
from headtohead.core.formatting import format_percent
from headtohead.core.records import Sample
from headtohead.deploy.bundle.records import GuardReference
from headtohead.deploy.evaluation.answers import ModelAnswers
from headtohead.deploy.evaluation.records import LeakCheck

__all__ = ["check_leaks", "near_copies_caveat"]

NO_PRINTS = (
    "{name} holds no hashes of its training images (an exported file, or a model of an older version), so these are "
    "recognised by their bytes or pixels alone. Copies that were resized or compressed again are not; if these data "
    "may hold any, the scores may be too good."
)
PRINTS_KNOW = (
    "Near copies of training images of {name} are recognised by perceptual hashes: {found} of such copies, resized to "
    "three quarters and compressed again, and by mistake {alarms} of different images like those of training. Copies "
    "that were cropped or changed more are not recognised."
)


def near_copies_caveat(name: str, reference: GuardReference, answers: ModelAnswers) -> str:
    """Return what the search for near copies can and cannot find."""
    if answers.near is None or reference.copies_found is None:
        return NO_PRINTS.format(name=name)
    alarms = reference.false_alarms.get("near_copy", 0.0)
    return PRINTS_KNOW.format(
        name=name, found=format_percent(reference.copies_found), alarms=format_percent(alarms, 1)
    )


def check_leaks(
    samples: Sequence[Sample], answers: Mapping[str, ModelAnswers], *, keep_training: bool
) -> tuple[list[int], dict[str, LeakCheck]]:
    """Return the positions of the images that are scored, and which training images of each model are among the data.

    Args:
        samples: of the data. answers: of each model.
        keep_training: score training images too.

    Raises:
        LeakageError: every image was in training.
        DataError: no image can be predicted.
    """
    groups = [sample.group for sample in samples]
    of_model = {name: found.in_training for name, found in answers.items()}
    # of any model: all are scored and compared on the same images
    leaking = {groups[i] for name, found in answers.items() for i in (*of_model[name], *(found.near or ()))}
    failed = {
        i
        for found in answers.values()
        for i, answer in enumerate(found.predictions)
        if answer.error is not None
    }
    out = set() if keep_training else {i for i, group in enumerate(groups) if group in leaking}
    kept = [i for i in range(len(groups)) if i not in failed and i not in out]
    if not kept and out:
        raise LeakageError(
            "Every image that could be predicted was in training or is a copy of a training image, so scores would say "
            "nothing about new images. Give other data, or score them anyway with --keep-training."
        )
    if not kept:
        every = (answer for found in answers.values() for answer in found.predictions)
        first = next(answer for answer in every if answer.error is not None)
        raise DataError(
            f"None of the {len(groups)} images could be predicted; the first, {first.path}: {first.error}."
        )
    checks = {
        name: _check(name, samples, of_model[name], found.near, len(out), kept=keep_training)
        for name, found in answers.items()
    }
    return kept, checks


def _check(
    name: str,
    samples: Sequence[Sample],
    places: Sequence[int],
    near: Sequence[int] | None,
    left_out: int,
    *,
    kept: bool,
) -> LeakCheck:
    return LeakCheck(
        samples=tuple(samples[i].id for i in places),
        near_copies=None if near is None else tuple(samples[i].id for i in near),
        left_out=left_out,
        sentence=_leak_sentence(name, len(places), near, len(samples), left_out, kept=kept),
    )


def _leak_sentence(
    name: str, found: int, near: Sequence[int] | None, total: int, out: int, *, kept: bool
) -> str:
    if not found and not near:
        what = "has the bytes or pixels" if near is None else "equals or nearly equals the pixels"
        return f"None of the {total} images {what} of a training image of {name}."
    parts = (
        [f"{found} of these {total} images {'was' if found == 1 else 'were'} in the training of {name}"]
        if found
        else []
    )
    if near:
        which, whose = ("more", "") if found else (f"of these {total} images", f" of {name}")
        are = "is" if len(near) == 1 else "are"
        parts.append(f"{len(near)} {which} {are} nearly equal to a training image{whose}")
    told = " and ".join(parts)
    if kept:
        return f"{told}; they are scored too (--keep-training), so the scores are too good."
    return f"{told}; {out} images (with their copies and groups) are left out of all scores."
