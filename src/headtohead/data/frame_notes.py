"""What is said of files with several frames, volumes or channels, and the options that have no effect on them."""

from __future__ import annotations

from collections.abc import Sequence

from headtohead.core.errors import NoEffectError
from headtohead.core.formatting import pluralize
from headtohead.data.listing.ingest import IngestedFile
from headtohead.data.options import LoadOptions
from headtohead.data.readers.slices import VOLUMES

__all__ = ["frame_notes"]


def frame_notes(parts: Sequence[IngestedFile], options: LoadOptions) -> list[str]:
    """Return how many frames of multi-frame files are used; refuse options without effect.

    Raises:
        NoEffectError: slices, pages, volume or channels where no file has any.
    """
    # an array may be one image, but a NIfTI file is a volume even of one slice
    volumes = [
        part for part in parts if part.format == "NIFTI" or (part.format in VOLUMES and part.n_frames > 1)
    ]
    paged = [part for part in parts if part.format not in VOLUMES and part.n_frames > 1]
    if options.slices is not None and not volumes:
        raise NoEffectError(f"slices={options.slices!r} has no effect: there are no volumes. Leave it out.")
    if options.pages not in (None, "first") and not paged:
        raise NoEffectError(
            f"pages={options.pages!r} has no effect: no file has several pages. Leave it out."
        )
    notes = []
    notes += _volume_notes(volumes, options)
    notes += _channel_notes(parts, options)
    for kind, files, option, default in (
        ("volumes", volumes, options.slices, "middle"),
        ("files with several pages or frames", paged, options.pages, "first"),
    ):
        if files:
            total, used = sum(part.n_frames for part in files), sum(len(part.samples) for part in files)
            rule = option if option is not None else default
            notes.append(f"{len(files)} {kind}: {used} of {total} frames are samples ({rule!r}).")
    return notes


def _volume_notes(volumes: Sequence[IngestedFile], options: LoadOptions) -> list[str]:
    """Return which volume of a series is read; refuse the option where no file holds several."""
    several = [part for part in volumes if part.n_volumes > 1]
    if not several:
        if options.volume is not None:
            raise NoEffectError(
                f"volume={options.volume} has no effect: no file holds several volumes. Leave it out."
            )
        return []
    most = max(part.n_volumes for part in several)
    which = options.volume or 0
    way = "" if options.volume is not None else f" To use another of up to {most}: --volume N, from 0."
    files = pluralize(len(several), "file", "holds", "hold")
    return [f"{files} several volumes (4-D): volume {which} of each is read.{way}"]


def _channel_notes(parts: Sequence[IngestedFile], options: LoadOptions) -> list[str]:
    """Return how many files have their channels chosen; refuse the option where none has."""
    if not options.channels:
        return []
    chosen = [part for part in parts if part.n_channels]
    if not chosen and any(part.samples for part in parts):  # without any, the files are at fault
        raise NoEffectError(
            "channels has no effect: no TIFF or array with channels to choose from is among the files. Leave it out."
        )
    names = ", ".join(map(str, options.channels))
    counts = sorted({part.n_channels for part in chosen})
    return [
        f"Channels {names} of {', '.join(map(str, counts))} are read of {pluralize(len(chosen), 'file')}."
    ]
