"""Options for finding and reading images and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from headtohead.core.errors import NoEffectError
from headtohead.data.listing.rows.question import Question
from headtohead.data.readers.reading import Reading

if TYPE_CHECKING:
    from headtohead.core.config import DataConfig

__all__ = ["LoadOptions"]


@dataclass(frozen=True)
class LoadOptions:
    r"""How to read a source; unset fields are detected, and the notes say what was detected.

    Attributes:
        columns: which column of a manifest plays which role; roles are path, label, group, split
            and frame, e.g. `{"path": "image_id", "label": "dx"}`.
        label_from: regular expression searched in each path; the group named `label`, else the
            first group, is the label.
        group_from: the same for the group: `(p\d+)_` makes `p012_slice3.png` belong to `p012`.
        map_labels: label as found -> label to use; labels that are not named stay.
        drop: labels (after `map_labels`) whose samples are left out.
        positive: the positive one of two classes.
        keep_columns: columns of a manifest that are kept although their names look like identifiers
            (name, birth, mrn, …); without it those are left out of everything that is written.
        by: columns that subgroups are made of; kept, whatever they are called.
        label_has: of images with several labels, the one that makes an image positive; asked of cells such
            as `Effusion|Mass`, of columns of 0 and 1, or of repeated rows.
        against: the label that makes an image negative; without it, every image that lacks `label_has`.
        drop_unlabelled: leave out the rows of a table that have no label, instead of refusing them.
        include: patterns such as `*_flair.nii.gz` or `images/*`; only files that fit one of them are listed.
        exclude: the same; files that fit one of them are left out.
        strict: unreadable files are an error instead of a list.
        pages: for files with several pages or frames: "first", "all" or the number of one page
            (from 0). Unset means "first".
        slices: for NIfTI volumes: "middle", "middle:<k>" (the k middle ones), "count:<k>" (k evenly
            spread), "all" or the number of one slice (from 0), with the axis in front if it is not
            axial: "coronal:middle:5", "sagittal:all". Unset means "middle".
        channels: of TIFF files and arrays with more channels than a colour image: the one that is taken as grey, or
            the three taken as red, green and blue, counted from 0.
        volume: of files that hold a series of volumes (4-D): which one is read, from 0. Unset means the first.
        max_megapixels: the most million pixels of one image; slides and scans beyond it are read at a smaller level
            where they have one. Unset means the limit of `--limit pixels`, 64.
        follow_links: read what links that lead out of the folder lead to; without it they are problems.
        workers: threads that read; unset means one a core, at most 8. Never changes a result.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    label_from: str | None = None
    group_from: str | None = None
    map_labels: Mapping[str, str] = field(default_factory=dict)
    drop: frozenset[str] = frozenset()
    positive: str | None = None
    keep_columns: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    label_has: str | None = None
    against: str | None = None
    drop_unlabelled: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    strict: bool = False
    pages: str | int | None = None
    slices: str | int | None = None
    channels: tuple[int, ...] = ()
    volume: int | None = None
    max_megapixels: float | None = None
    follow_links: bool = False
    workers: int | None = None

    @property
    def question(self) -> Question | None:
        """What is asked of images with several labels, if anything.

        Raises:
            NoEffectError: `against` without `label_has`.
        """
        if self.label_has is None:
            if self.against is not None:
                raise NoEffectError(f"against={self.against!r} has no effect without label_has. Give both.")
            return None
        return Question(self.label_has, self.against)

    @property
    def reading(self) -> Reading:
        """What is taken of files that hold more than one image can.

        Raises:
            UsageError: channels or a volume that cannot be.
        """
        return Reading(self.volume, tuple(self.channels), self.max_megapixels)

    @classmethod
    def from_config(cls, config: DataConfig, by: tuple[str, ...] = ()) -> LoadOptions:
        """Return the options that a study's configuration holds; `by` names its subgroups."""
        return cls(**(config.model_dump() | {"drop": frozenset(config.drop), "by": by}))
