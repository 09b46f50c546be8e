"""A listing as the options want it: files chosen, one question answered, cases grouped that the paths give away."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from headtohead.core.errors import DataError, NoEffectError
from headtohead.data.listing.evidence.case_groups import find_cases
from headtohead.data.listing.left_out import EXCLUDED, UNANSWERED, count_classes
from headtohead.data.listing.rows.label_questions import advice, answer_labels, label_parts
from headtohead.data.listing.selection.image_listing import FROM_TABLE, ImageListing
from headtohead.data.listing.selection.path_filters import filter_paths
from headtohead.data.options import LoadOptions
from headtohead.data.storage.array_store import ArrayStore
from headtohead.data.storage.image_tables.store import ImageTableStore

__all__ = ["answered", "filtered", "with_cases"]


def filtered(listing: ImageListing, options: LoadOptions) -> ImageListing:
    """Return the listing without the images that the options leave out, for labels of which one is asked."""
    if (options.include or options.exclude) and not any(left.why == EXCLUDED for left in listing.left_out):
        kept = filter_paths({entry.path for entry in listing.entries}, options.include, options.exclude)
        gone = [entry.path for entry in listing.entries if entry.path not in kept]
        entries = tuple(entry for entry in listing.entries if entry.path in kept)
        listing = replace(
            listing, entries=entries, left_out=(*listing.left_out, *count_classes({EXCLUDED: gone}, entries))
        )
    return listing


def answered(listing: ImageListing, options: LoadOptions) -> ImageListing:
    """Return the listing with the answer to the question as labels where no table has answered it.

    Raises:
        NoEffectError: a question for images with one label each.
        DataError: images with several labels, and no question.
    """
    question = options.question
    if not isinstance(listing.store, ArrayStore):
        if question is not None and listing.groups_from != FROM_TABLE:
            raise NoEffectError(f"{question} has no effect: there is no table of labels. Leave it out.")
        return listing
    # `label_names` joins the labels of an image by bars
    several = any("|" in entry.label for entry in listing.entries)
    if question is None and several:
        counts = Counter(part for entry in listing.entries for part in label_parts(entry.label))
        raise DataError(f"The arrays ask several questions of each image: {advice(counts)}")
    if question is None:
        return listing
    entries = answer_labels(listing.entries, question)
    gone = [entry.path for entry in entries if not entry.label]
    kept = tuple(entry for entry in entries if entry.label)
    left = count_classes({UNANSWERED.format(question): gone}, kept)
    return replace(listing, entries=kept, left_out=(*listing.left_out, *left))


def with_cases(listing: ImageListing) -> ImageListing:
    """Return the listing with the patients or cases that its paths give away, used or proposed."""
    # The paths of images inside arrays and tables are numbers of rows, which name no case.
    numbered = isinstance(listing.store, (ArrayStore, ImageTableStore))
    if numbered or any(entry.group is not None for entry in listing.entries):
        return listing
    cases = find_cases(listing.entries)
    if cases is None:
        return listing
    warnings = (*listing.warnings, cases.advice)
    if not cases.certain:
        return replace(listing, warnings=warnings)
    return replace(
        listing, entries=cases.applied(listing.entries), groups_from=cases.source, warnings=warnings
    )
