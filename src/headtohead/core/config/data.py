"""How the samples of a study are found, as its configuration states it."""

from __future__ import annotations

from pydantic import Field

from headtohead.core.records import Record

__all__ = ["DataConfig"]


class DataConfig(Record):
    """How samples are found: the options of `headtohead.data.load`, JSON-able."""

    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Which column of a table has which role: path=file,label=dx,group=patient. Recognised by name, "
        "and said, otherwise; 'split=' takes no column for the split. Roles: path, label, group, split, frame, fold.",
    )
    label_from: str | None = Field(
        default=None,
        description="Read the label from the path by a regular expression: the group named 'label', else the first, "
        "e.g. '(benign|malignant)'.",
    )
    group_from: str | None = Field(
        default=None,
        description="Read the patient from the path by a regular expression, e.g. '(p\\d+)_' makes p012_slice3.png "
        "belong to p012.",
    )
    map_labels: dict[str, str] = Field(default_factory=dict, description="Merge or rename labels: old=new.")
    drop: tuple[str, ...] = Field(default=(), description="Leave out samples with these labels.")
    positive: str | None = Field(
        default=None,
        description="Which of two classes counts as positive; needed where neither name reads as negative (no, "
        "non-, -free, healthy, CN, 0, …).",
    )
    keep_columns: tuple[str, ...] = Field(
        default=(),
        description="Columns of a table to keep although their names look like identifiers (birth_date, accession, "
        "…).",
    )
    follow_links: bool = Field(
        default=False,
        description="Read what links that lead out of the folder of the data lead to; they are left out otherwise.",
    )
    label_has: str | None = Field(
        default=None,
        description="Of images with several labels ('Effusion|Mass', columns of 0 and 1, repeated rows): the label "
        "that makes an image positive, e.g. Effusion.",
    )
    against: str | None = Field(
        default=None,
        description="With --label-has: the label that makes an image negative, e.g. 'No Finding'; images of neither "
        "are left out. Otherwise every image without the first is negative.",
    )
    drop_unlabelled: bool = Field(
        default=False, description="Leave out the rows of a table that have no label, instead of stopping."
    )
    include: tuple[str, ...] = Field(
        default=(),
        description="List only files that fit, e.g. '*_flair.nii.gz' or 'train/*'; may be repeated.",
    )
    exclude: tuple[str, ...] = Field(
        default=(),
        description="Leave out files that fit, e.g. '*_seg.*', or a folder by its name, e.g. runs; may be repeated.",
    )
    strict: bool = Field(default=False, description="Stop at unreadable files instead of leaving them out.")
    pages: str = Field(
        default="first", description="Of files with several pages or frames: first, all, or a number from 0."
    )
    slices: str | None = Field(
        default=None,
        description="Of NIfTI volumes: middle, middle:5, count:9, all or a number; 'coronal:middle:5' takes another "
        "plane.",
    )
    channels: tuple[int, ...] = Field(
        default=(),
        description="Of TIFF files and arrays with more channels (or, of TIFF, with pages that are channels): one to "
        "read as grey or three as red, green, blue, from 0, e.g. 0,2,4.",
    )
    volume: int | None = Field(
        default=None, ge=0, description="Of files that hold several volumes (4-D NIfTI): which one, from 0."
    )
    max_megapixels: float | None = Field(
        default=None,
        gt=0,
        le=178,  # beyond twice 89 megapixels Pillow refuses an image itself
        description="Most million pixels of one image, 64 unless stated; larger slides and scans are read at a "
        "smaller level where they have one, else left out.",
    )
