"""The data set of a study: its samples, where their pixels are, and its classes."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.data_record import ALONE
from headtohead.core.errors import DataError, UnreadableError
from headtohead.core.records import Image, Sample
from headtohead.data.file_problems import FileProblem, truncate_list

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.data.listing.left_out import LeftOut

__all__ = [
    "CHOSEN_CHANNELS",
    "GIVEN_GROUP",
    "READING",
    "SLICE_AXIS",
    "Dataset",
    "digest_lines",
    "read_sample",
    "record_of",
    "sample_record",
]

GIVEN_GROUP = "headtohead:group"
"""The name in `Sample.extra` under which the group that the data gave is kept, whatever is found later."""

SLICE_AXIS = "headtohead:slice_axis"
"""The name in `Sample.extra` that tells along which axis a slice of a volume was cut."""

READING = "headtohead:reading"
"""The name in `Sample.extra` that tells which volume, channels and size of a file are read, where it was stated."""

CHOSEN_CHANNELS = "headtohead:channels"
"""The name in `Sample.extra` that tells how many channels a file holds, where some of them were chosen."""


@dataclass(frozen=True)
class Dataset:
    """All samples of a study, in the order of their paths; pixels stay on disk.

    Attributes:
        root: folder, archive or `.npz` in which the paths are found.
        classes: class names in the order of the probability columns; with two classes the positive
            one is last.
        positive: the positive class if there are two classes, else None.
        positive_doubt: why it is a guess, which no comparison takes; "" where it was given or the names tell it.
        problems: files that were left out.
        notes: decisions taken while loading, one sentence each.
        left_out: files that are no samples, by reason, counted by class.
        groups_from: where the groups come from, in words.
        labels_from: where the labels come from, in words.
    """

    root: str
    samples: tuple[Sample, ...]
    classes: tuple[str, ...]
    positive: str | None = None
    positive_doubt: str = ""
    problems: tuple[FileProblem, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    groups_from: str = ALONE
    labels_from: str = ""

    def __post_init__(self) -> None:
        counts = Counter(sample.id for sample in self.samples)
        if len(counts) < len(self.samples):
            repeated = sorted(name for name, count in counts.items() if count > 1)
            raise DataError(f"Sample ids must be unique; got repeated ids: {truncate_list(repeated)}")
        unknown_labels = {sample.label for sample in self.samples} - set(self.classes)
        if unknown_labels:
            raise DataError(f"Labels outside the classes {list(self.classes)}: {sorted(unknown_labels)}")
        if self.positive is not None and (len(self.classes) != 2 or self.classes[-1] != self.positive):
            raise DataError(
                f"The positive class {self.positive!r} must be the last of two; got {self.classes}"
            )

    def __len__(self) -> int:
        return len(self.samples)

    def read(self, sample: Sample) -> Image:
        """Decode the image of one sample.

        Raises:
            UnreadableError: the file does not decode.
            ChangedDataError: the file is not the one that was listed.
        """
        return read_sample(self.root, sample)

    def labels(self) -> npt.NDArray[np.int64]:
        """Return (n,) positions of the labels in `classes`."""
        position = {name: index for index, name in enumerate(self.classes)}
        return np.array([position[sample.label] for sample in self.samples], dtype=np.int64)

    def groups(self) -> npt.NDArray[Any]:
        """Return (n,) group names as objects."""
        return np.array([sample.group for sample in self.samples], dtype=object)

    def digest(self) -> str:
        """Return the sha256 over path, frame, label, split, given group and file hash of all entries.

        Unreadable files count too, groups found later do not; so it equals
        `headtohead.data.load.source_digest` of the same source and options, which decodes nothing.
        """
        lines = [record_of(sample) for sample in self.samples]
        return digest_lines([*lines, *(problem.entry for problem in self.problems if problem.entry)])

    def frame(self) -> pd.DataFrame:
        """Return one row per sample with all its fields; `extra` is JSON text, so Parquet holds it."""
        import pandas as pd

        rows = [
            sample.model_dump() | {"extra": json.dumps(sample.extra, sort_keys=True)}
            for sample in self.samples
        ]
        table = pd.DataFrame(rows, columns=list(Sample.model_fields))
        # a missing frame would turn the others into floats; Int64 holds both
        return table.astype({"frame": "Int64"})

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, root: str, classes: Iterable[str], positive: str | None = None
    ) -> Dataset:
        """Rebuild a dataset from the table of `frame()`; problems and notes are not in it."""
        import pandas as pd

        samples = []
        for row in frame.to_dict("records"):
            values: dict[str, Any] = {
                str(key): None if pd.api.types.is_scalar(value) and pd.isna(value) else value
                for key, value in row.items()
            }
            samples.append(Sample(**(values | {"extra": json.loads(str(row["extra"]))})))
        return cls(root=root, samples=tuple(samples), classes=tuple(classes), positive=positive)

    def with_groups(self, mapping: Mapping[str, str]) -> Dataset:
        """Return the dataset with other groups.

        Args:
            mapping: sample id -> group name; samples that are not named keep their group.

        Raises:
            DataError: an id is not in the dataset.
        """
        unknown = set(mapping) - {sample.id for sample in self.samples}
        if unknown:
            raise DataError(f"Groups for samples that are not in the data: {truncate_list(sorted(unknown))}")
        changed = (
            sample.model_copy(update={"group": mapping[sample.id]}) if sample.id in mapping else sample
            for sample in self.samples
        )
        return replace(self, samples=tuple(changed))

    def subset(self, ids: Iterable[str]) -> Dataset:
        """Return the samples with these ids, in the order of this dataset; classes stay as they are.

        Raises:
            DataError: an id is not in the dataset.
        """
        selected = set(ids)
        unknown = selected - {sample.id for sample in self.samples}
        if unknown:
            raise DataError(f"Samples that are not in the data: {truncate_list(sorted(unknown))}")
        return replace(self, samples=tuple(sample for sample in self.samples if sample.id in selected))


def record_of(sample: Sample) -> str:
    """Return the line that stands for one sample in the digest."""
    return sample_record(
        sample.path, sample.frame, sample.label, sample.split, sample.extra.get(GIVEN_GROUP), sample.sha256
    )


def sample_record(
    path: str, frame: int | None, label: str, split: str | None, group: str | None, sha256: str
) -> str:
    """Return the line that stands for one image in the digest."""
    return json.dumps([path, frame, label, split, group, sha256], ensure_ascii=False)


def read_sample(root: str, sample: Sample) -> Image:
    """Decode the image of one sample.

    Args:
        root: of the dataset.
        sample: of that dataset.

    Raises:
        UnreadableError: the file does not decode.
        ChangedDataError: the file is not the one that was listed.
    """
    from headtohead.data.readers.reading import Reading
    from headtohead.data.storage.open import open_store

    reading = Reading.parse(sample.extra.get(READING, ""))
    axis = sample.extra.get(SLICE_AXIS, "axial")
    try:
        return open_store(root).image(
            sample.path, sample.frame, axis=axis, sha256=sample.sha256, reading=reading
        )
    except UnreadableError as error:
        raise UnreadableError(f"{sample.id}: {error}") from error


def digest_lines(lines: Iterable[str]) -> str:
    """Return the sha256 over lines, whatever their order.

    >>> digest_lines(["b", "a"]) == digest_lines(["a", "b"])
    True
    """
    digest = hashlib.sha256()
    for line in sorted(lines):
        # paths of names that are no Unicode hold lone surrogates
        digest.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()
