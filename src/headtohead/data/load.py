"""One call from a source (folder, table, archive, `.npz`, Kaggle) to a `Dataset`."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Collection, Sequence

from headtohead.core.data_record import ALONE
from headtohead.core.errors import DataError, InsufficientDataError, UsageError
from headtohead.core.formatting import pluralize
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Sample
from headtohead.data.dataset import GIVEN_GROUP, Dataset, digest_lines, record_of
from headtohead.data.file_problems import FileProblem, truncate_list
from headtohead.data.frame_notes import frame_notes
from headtohead.data.listing.class_order import ClassOrder, choose_classes, need_positive
from headtohead.data.listing.discover import discover_images
from headtohead.data.listing.evidence.mask_pixels import mask_warning, masks_of_images
from headtohead.data.listing.evidence.part_classes import part_differences
from headtohead.data.listing.ingest import IngestedFile, digest_entry, ingest, read_entry
from headtohead.data.listing.left_out import (
    MASKS_BY_PIXELS,
    UNREADABLE,
    WITHOUT_CLASS,
    LeftOut,
    count_classes,
)
from headtohead.data.listing.personal_data import KINDS, pseudonymise_patients
from headtohead.data.listing.selection.image_listing import ImageListing
from headtohead.data.options import LoadOptions
from headtohead.data.storage.archives import TarStore
from headtohead.data.storage.shards import ShardStore
from headtohead.data.summary import loss_warnings, understood

__all__ = ["LoadOptions", "list_source", "load", "refuse_unclear_classes", "source_digest"]

PARTS_DIFFER = "H2H407"
"""The audit check of classes that differ between the parts of a split."""

MANY_CLASSES = 50
"""More classes than this are more likely patients or file names than diagnoses."""


def list_source(source: str, options: LoadOptions) -> ImageListing:
    """Return what `load` and `refuse_unclear_classes` read of a source, so that both can share one listing."""
    return discover_images(str(source), options)


def load(
    source: str,
    options: LoadOptions = LoadOptions(),  # noqa: B008
    reporter: Reporter = QUIET,
    *,
    listing: ImageListing | None = None,
) -> Dataset:
    """Load the images of a source: list them, decode each once, and return a `Dataset`.

    Args:
        source: a folder (class folders, or train/val/test folders of them), a manifest (`.csv`,
            `.tsv`, `.parquet`), an archive (zip, tar), an `.npz` in the MedMNIST layout, or
            `kaggle:owner/set`; folders, tables, archives and `.npz` also as `s3://…` or `gs://…`.
        options: see `LoadOptions`.
        reporter: hears what was decided, and one warning for all unreadable files.
        listing: of the same source and options, from `list_source`, where it was made before.

    Returns:
        Samples sorted by path, whatever the order on disk or the number of workers.

    Raises:
        InsufficientDataError: no images, or fewer than two classes.
        ManifestError: the table is malformed.
        DataError: the source is not understood; with `strict`, also any unreadable file.
        NoEffectError: an option that changes nothing here.
    """
    listing = listing or list_source(source, options)
    parts = _read_all(listing, options, reporter)
    problems = [*listing.problems, *(problem for part in parts for problem in part.problems)]
    _report_problems(problems, options, reporter)
    samples, masks = _without_masks(_sorted_samples(parts), options)
    doubt = mask_warning(samples)
    said = [_of_masks(masks)] if masks else []
    warnings = (*_unnamed(parts), *listing.warnings, *said, *([doubt] if doubt else []))
    for warning in warnings:
        reporter.warning(warning)
    if not samples:
        raise InsufficientDataError(_nothing(str(source), listing, problems))
    order = choose_classes((sample.label for sample in samples), options.positive)
    notes = [
        *listing.notes,
        *frame_notes(parts, options),
        *_patients(samples),
        *warnings,
        *_hints(samples, order.classes),
        order.sentence,
    ]
    for note in notes:
        if note not in warnings:
            reporter.info(note)
    dataset = _as_dataset(samples, order, notes, listing, problems, masks)
    for loss in loss_warnings(dataset):
        reporter.warning(loss)
    reporter.info(understood(dataset))
    return dataset


def _as_dataset(
    samples: Sequence[Sample],
    order: ClassOrder,
    notes: Sequence[str],
    listing: ImageListing,
    problems: Sequence[FileProblem],
    masks: Sequence[FileProblem],
) -> Dataset:
    """Return the samples with where their classes and groups come from, and all that was left out."""
    return Dataset(
        root=listing.store.root,
        samples=tuple(samples),
        classes=order.classes,
        positive=order.positive,
        problems=(*problems, *masks),
        notes=tuple(notes),
        positive_doubt=order.doubt,
        left_out=_left_out(listing, problems, masks),
        groups_from=_groups_from(listing, samples),
        labels_from=listing.labels_from,
    )


def _read_all(listing: ImageListing, options: LoadOptions, reporter: Reporter) -> list[IngestedFile]:
    """Decode every listed file once."""
    work = functools.partial(read_entry, listing.store, options=options)
    label = "reading images"
    return list(ingest(work, listing.entries, workers=options.workers, label=label, reporter=reporter))


def _sorted_samples(parts: Sequence[IngestedFile]) -> list[Sample]:
    """Return the samples of all files by path and frame, without the patients' own ids."""
    samples = (sample for part in parts for sample in part.samples)
    return pseudonymise_patients(
        sorted(samples, key=lambda s: (s.path, s.frame if s.frame is not None else -1))
    )


def _without_masks(samples: list[Sample], options: LoadOptions) -> tuple[list[Sample], list[FileProblem]]:
    """Return the samples without those that are surely masks of others, and these; with `include` all stay."""
    masks = [] if options.include else masks_of_images(samples)
    paths = {sample.id for sample in masks}
    found = [FileProblem(s.path, "it is the mask of an image", record_of(s)) for s in masks]
    return [sample for sample in samples if sample.id not in paths], found


def _of_masks(masks: Sequence[FileProblem]) -> str:
    names = truncate_list((problem.path for problem in masks), 3)
    return (
        f"{pluralize(len(masks), 'image')} left out as masks, by few grey values and the names of images of the same "
        f"class and size: {names}. If they are images, keep them with --include '*'."
    )


def _left_out(
    listing: ImageListing, problems: Sequence[FileProblem], masks: Sequence[FileProblem]
) -> tuple[LeftOut, ...]:
    """Return all that is no sample by reason: what the listing left out, and files with problems."""
    unlabelled = {problem.path for problem in listing.problems}
    found = {
        UNREADABLE: [problem.path for problem in problems if problem.path not in unlabelled],
        WITHOUT_CLASS: sorted(unlabelled),
        MASKS_BY_PIXELS: sorted({problem.path for problem in masks}),
    }
    return (*listing.left_out, *count_classes(found, listing.entries))


def _groups_from(listing: ImageListing, samples: Sequence[Sample]) -> str:
    """Return in words where the groups come from."""
    if any(GIVEN_GROUP in sample.extra for sample in samples):
        return listing.groups_from or "the listing"
    kinds = [kind for kind in KINDS if any(sample.group.startswith(f"{kind} ") for sample in samples)]
    return f"the {' and '.join(kinds)} in the DICOM files" if kinds else ALONE


def refuse_unclear_classes(
    source: str, options: LoadOptions, ignored: Collection[str] = (), *, listing: ImageListing | None = None
) -> None:
    """Refuse to compare classes that are not settled; decode nothing.

    Args:
        source: as for `load`. options: as for `load`.
        ignored: codes of audit checks that are set aside; H2H407 allows classes that differ between parts.
        listing: of the source, if it was made before.

    Raises:
        UsageError: the positive one of two classes would be a guess, or one class has two names in train and test;
            with the option that settles it.
    """
    entries = (listing or list_source(source, options)).entries
    counts = Counter(entry.label for entry in entries)
    if len(counts) == 2 and options.positive is None:
        need_positive(choose_classes(counts, None).doubt, counts, "image")
    differing = part_differences((entry.split, entry.label) for entry in entries)
    if PARTS_DIFFER not in ignored and any(found.renames for found in differing):
        raise UsageError(
            f"{' '.join(map(str, differing))} Compared as they are, a class would be told from itself. If they differ "
            f"on purpose: --ignore {PARTS_DIFFER}=REASON."
        )


def source_digest(source: str, options: LoadOptions = LoadOptions(), reporter: Reporter = QUIET) -> str:  # noqa: B008
    """Return what `load(source, options).digest()` would return, without decoding any image.

    Every file's bytes are hashed, so a second call on a finished run can tell in about a second
    for a few hundred images that nothing has changed.
    """
    listing = discover_images(str(source), options)
    work = functools.partial(digest_entry, listing.store, options=options)
    parts = ingest(work, listing.entries, workers=options.workers, label="hashing files", reporter=reporter)
    return digest_lines(line for part in parts for line in part)


def _report_problems(problems: Sequence[FileProblem], options: LoadOptions, reporter: Reporter) -> None:
    if not problems:
        return
    if options.strict:
        raise DataError(
            f"{pluralize(len(problems), 'file')} cannot be used, and strict was asked for: "
            f"{truncate_list(problems, len(problems))}. Repair or remove them, or leave strict out."
        )
    reporter.warning(f"{pluralize(len(problems), 'file', 'is', 'are')} left out: {truncate_list(problems)}.")


def _nothing(source: str, listing: ImageListing, problems: Sequence[FileProblem]) -> str:
    why = (
        f" {pluralize(len(problems), 'file', 'was', 'were')} left out: {_by_reason(problems)}."
        if problems
        else ""
    )
    more = f" {' '.join(listing.notes)}" if listing.notes else ""
    if listing.entries:
        return (
            f"No usable images in {source}.{why}{more} Their labels are known; fix, convert or replace them."
        )
    if isinstance(listing.store, (TarStore, ShardStore)):
        more += (
            " In a WebDataset a .cls or .json of the same name holds each image's label; there is none here."
        )
    return (
        f"No usable images in {source}.{why}{more} Expected one folder per class with images in it, "
        "train/val/test folders of such, or a manifest with the columns path and label. Check the path, or "
        "name the label with label_from."
    )


def _by_reason(problems: Sequence[FileProblem]) -> str:
    """Return the first problems, or the one reason that all files share with the first of them."""
    reasons = {problem.reason for problem in problems}
    if len(problems) < 2 or len(reasons) > 1:
        return truncate_list(problems, 5)
    return f"{truncate_list((problem.path for problem in problems), 3)}: {reasons.pop()}"


def _patients(samples: Sequence[Sample]) -> list[str]:
    """Return how many samples are grouped by the patient or the series named in their files."""
    known = [sample for sample in samples if sample.format == "DICOM" and GIVEN_GROUP not in sample.extra]
    notes = []
    for kind, plural in zip(KINDS, ("patients", "series"), strict=True):
        groups = [sample.group for sample in known if sample.group.startswith(f"{kind} ")]
        if groups:
            notes.append(
                f"{len(groups)} of {len(samples)} samples are grouped by the {kind} in their DICOM file "
                f"({len(set(groups))} {plural}, named after their files, not their id)."
            )
    return notes


def _unnamed(parts: Sequence[IngestedFile]) -> list[str]:
    """Return a warning where patient ids are placeholders, since a patient's slices may then be split."""
    count = sum(part.patient_unknown for part in parts)
    if count < 2:  # a file alone shares no patient with another
        return []
    return [
        f"{count} DICOM files name no patient: the id is empty or a placeholder (such as ANON, or zeros). These "
        "files are grouped by series or stand alone. Give the patients with group_from or a manifest; "
        "otherwise images of one patient may be in training and in test."
    ]


def _hints(samples: Sequence[Sample], classes: Sequence[str]) -> list[str]:
    """Return hints about suspicious classes."""
    hints = []
    if len(classes) > MANY_CLASSES or (len(classes) > 2 and len(classes) * 2 > len(samples)):
        hints.append(
            f"{len(samples)} images in {len(classes)} classes: perhaps the folders are patients and not "
            "classes? Point at the folder above or below, or name the label with label_from."
        )
    return hints
