"""1xx, first half: what the files themselves tell, before any image is judged."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from headtohead.audit.check import Check, Observation, issue, not_applicable, passed, tip
from headtohead.audit.context import AuditContext
from headtohead.core.data_record import mode_words
from headtohead.core.formatting import pluralize
from headtohead.core.records import Sample
from headtohead.data.listing.left_out import WITHOUT_CLASS

__all__ = ["CHECKS", "SUFFIXES"]

SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".jif"),
    "PNG": (".png", ".apng"),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp", ".dib"),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "DICOM": (".dcm", ".dicom", ".ima", ""),  # scanners and archives export names without a suffix
    # of `x.nii.gz` a sample's suffix is ".gz"; Analyze pairs are .hdr and .img
    "NIFTI": (".nii", ".nii.gz", ".gz", ".hdr", ".img"),
    "NRRD": (".nrrd", ".nhdr"),
    "METAIMAGE": (".mha", ".mhd"),
    "MGH": (".mgh", ".mgz", ".gz"),
    "AVIF": (".avif", ".avifs"),
    "NPZ": (".npz", ""),
    "NPY": (".npy", ""),
    "MAT": (".mat", ""),
    "HDF5": (".h5", ".hdf5", ""),
}
_SHOWN = 5  # names on one line of text; all of them stand in the data


def list_samples(names: Iterable[str], shown: int = _SHOWN) -> str:
    """Return the first few names and how many more there are.

    >>> list_samples(["a", "b", "c"], shown=2)
    'a, b and 1 more'
    """
    every = list(names)
    text = ", ".join(every[:shown])
    return text if len(every) <= shown else f"{text} and {len(every) - shown} more"


def by_class(context: AuditContext, ids: Iterable[str]) -> dict[str, int]:
    """Return how many of `ids` each class has, classes in dataset order."""
    counts = Counter(context.by_id[i].label for i in ids)
    return {label: counts[label] for label in context.dataset.classes}


def _classes(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {label}" for label, n in counts.items() if n)


def unreadable(context: AuditContext) -> Observation:
    """Name files that could not be read at all."""
    aside = {path for left in context.dataset.left_out if left.why == WITHOUT_CLASS for path in left.paths}
    problems = {p.path: p.reason for p in context.dataset.problems if p.path not in aside}
    problems |= {context.by_id[i].path: reason for i, reason in context.images.unread.items()}
    if not problems:
        return passed("every file could be read")
    return issue(
        f"{pluralize(len(problems), 'file')} could not be read: {list_samples(problems)}",
        "Get them again from the source, or leave them out on purpose (`headtohead clean`); every "
        "figure below is without them.",
        samples=context.images.unread,
        files=problems,
    )


def wrong_suffix(context: AuditContext) -> Observation:
    """Compare each suffix with what the content is."""
    wrong = [s for s in context.samples if _suffix_lies(s)]
    if not any(s.format.upper() in SUFFIXES for s in context.samples):
        return not_applicable("no file format here has a customary suffix")
    if not wrong:
        return passed("every suffix fits its content")
    kinds = Counter(f"{s.suffix} with {s.format} inside" for s in wrong)
    return issue(
        pluralize(len(wrong), "file", "is not what its suffix says: ", "are not what their suffix says: ")
        + "; ".join(f"{n} {kind}" for kind, n in kinds.most_common()),
        "headtohead reads by content, so nothing is lost here; other tools may refuse or misread them. "
        "Rename copies if the set is passed on.",
        samples=[s.id for s in wrong],
        kinds=dict(kinds),
        by_class=by_class(context, [s.id for s in wrong]),
    )


def _suffix_lies(sample: Sample) -> bool:
    customary = SUFFIXES.get(sample.format.upper())
    return customary is not None and sample.suffix.lower() not in customary


def repeated_folder(context: AuditContext) -> Observation:
    """Say when the same files were found twice through a doubled folder, or are still listed twice."""
    notes = [n for n in context.dataset.notes if any(w in n.lower() for w in ("twice", "counted once"))]
    folders = _twin_folders(context.samples)
    if folders:
        text = "; ".join(f"{a} and {b} hold {n} identical files" for (a, b), n in folders.items())
        return issue(
            f"folders that repeat each other: {text}",
            "Point headtohead at one of the folders only, or name the files in a manifest.",
            pairs=[[a, b, n] for (a, b), n in folders.items()],
        )
    if notes:
        return tip(
            "the source lists images twice; each was counted once: " + " ".join(notes),
            "Nothing to do; delete the second folder if the set is passed on.",
            notes=notes,
        )
    return passed("no folder repeats another")


def _twin_folders(samples: Iterable[Sample]) -> dict[tuple[str, str], int]:
    """Return pairs of folders that share at least half of their files, by name and bytes."""
    holds: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for s in samples:
        path = PurePosixPath(s.path)
        holds[str(path.parent)].add((path.name, s.sha256))
    names = sorted(holds)
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in names:
        for item in holds[name]:
            owners[item].append(name)
    shared: Counter[tuple[str, str]] = Counter()
    for places in owners.values():
        shared.update((a, b) for i, a in enumerate(places) for b in places[i + 1 :])
    return {
        (a, b): n
        for (a, b), n in sorted(shared.items())
        if n >= 2 and n >= min(len(holds[a]), len(holds[b])) / 2
    }


def one_name_two_files(context: AuditContext) -> Observation:
    """Name stems that stand for two different images (`Y92.jpg` and `Y92.png`)."""
    stems: dict[str, list[Sample]] = defaultdict(list)
    for s in context.samples:
        stems[str(PurePosixPath(s.path).with_suffix("")).lower()].append(s)
    clashes = [pair for pair in stems.values() if len({s.path for s in pair}) > 1]
    if not clashes:
        return passed("no two files differ in suffix or letter case only")
    differ = [pair for pair in clashes if len({s.pixel_hash for s in pair}) > 1]
    text = list_samples(" / ".join(PurePosixPath(s.path).name for s in pair) for pair in clashes)
    return issue(
        f"{len(clashes)} {'name stands' if len(clashes) == 1 else 'names stand'} for several files, {len(differ)} "
        f"of them for different images: {text}",
        "Keep the full name, suffix included, as the key in every table; a key without suffix mixes them up.",
        samples=[s.id for pair in clashes for s in pair],
        clashes=[[s.path for s in pair] for pair in clashes],
    )


def _mixed(field: str, what: str, advice: str) -> Callable[[AuditContext], Observation]:
    def look(context: AuditContext) -> Observation:
        counts = Counter(str(getattr(s, field)) for s in context.samples)
        if len(counts) < 2:
            return passed(f"one {what}: {next(iter(counts))}")
        rare = [v for v, _ in counts.most_common()[1:]]
        odd = [s.id for v in reversed(rare) for s in context.samples if str(getattr(s, field)) == v]
        text = ", ".join(f"{mode_words(v) if field == 'mode' else v} {n}" for v, n in counts.most_common())
        return issue(f"{what} differs: {text}", advice, samples=odd, table=cross_table(context, field))

    return look


def cross_table(context: AuditContext, field: str) -> dict[str, dict[str, int]]:
    """Return value -> class -> count for one field of the samples."""
    table: dict[str, dict[str, int]] = {}
    for s in context.samples:
        row = table.setdefault(str(getattr(s, field)), dict.fromkeys(context.dataset.classes, 0))
        row[s.label] += 1
    return table


def letter_case(context: AuditContext) -> Observation:
    """Count files that a filter for lower-case suffixes would lose, class by class."""
    upper = [s.id for s in context.samples if _suffix(s) != _suffix(s).lower()]
    if not upper:
        return passed("every suffix is in lower case")
    counts = by_class(context, upper)
    return issue(
        f"{pluralize(len(upper), 'file', 'has', 'have')} a suffix with capitals; a filter for lower-case suffixes "
        f"would drop {'it' if len(upper) == 1 else 'them'} ({_classes(counts)})",
        "headtohead reads them; check that any other tool or earlier study did too.",
        samples=upper,
        by_class=counts,
    )


def _suffix(sample: Sample) -> str:
    """Return the suffix as the file's name spells it; the record's own is in lower case."""
    return PurePosixPath(sample.path).suffix


def animation(context: AuditContext) -> Observation:
    """Say when several samples come from one file (frames, pages, slices)."""
    frames = Counter(s.path for s in context.samples if s.frame is not None)
    many = [path for path, n in frames.items() if n > 1]
    if not frames:
        return not_applicable("no file holds several frames")
    groups: dict[str, set[str]] = defaultdict(set)
    for s in context.samples:
        groups[s.path].add(context.grouping.groups[s.id])
    split = {path: None for path in many if len(groups[path]) > 1}
    if split:
        return issue(
            f"frames of one file stand in different groups: {list_samples(split)}",
            "Give all frames of a file one group; they show one patient.",
            samples=[s.id for s in context.samples if s.path in split],
            severity="severe",
        )
    return passed(f"{len(many)} files hold several frames; the frames of each stay in one group")


def _check(
    code: str, title: str, severity: Any, look: Callable[[AuditContext], Observation], doc: str
) -> Check:
    return Check(code, title, severity, look, doc)


CHECKS = (
    _check(
        "H2H101",
        "Unreadable files",
        "warning",
        unreadable,
        "Files that no reader could open, with the reason.",
    ),
    _check(
        "H2H102",
        "Suffix and content differ",
        "note",
        wrong_suffix,
        "A `.jpg` that is a PNG inside, and so on.",
    ),
    _check(
        "H2H103",
        "Doubled folders",
        "severe",
        repeated_folder,
        "Two folders that hold the same files: every image counted twice.",
    ),
    _check(
        "H2H104",
        "One name, several files",
        "note",
        one_name_two_files,
        "Names that differ in suffix or letter case only.",
    ),
    _check(
        "H2H105",
        "Mixed bit depth",
        "warning",
        _mixed(
            "bit_depth",
            "bit depth",
            "Window the deeper images the same way as the others were (recipe), or use one depth only; a "
            "network can recognise the depth by the grey levels.",
        ),
        "Files of 8, 12 and 16 bits in one set: the windowing differs, and may tell the source.",
    ),
    _check(
        "H2H106",
        "Mixed colour modes",
        "note",
        _mixed(
            "mode",
            "colour mode",
            "The recipes bring all to grey or RGB; look at the table by class: a mode that only one "
            "class has tells where images came from (see H2H301, H2H404).",
        ),
        "Grey, RGB, palette and alpha files in one set.",
    ),
    _check(
        "H2H107",
        "Mixed file formats",
        "note",
        _mixed(
            "format",
            "file format",
            "Lossy and lossless files differ in texture; see by the table whether one class has more of one.",
        ),
        "JPEG beside PNG: compression artefacts can carry the label.",
    ),
    _check(
        "H2H108", "Capitals in suffixes", "note", letter_case, "`.JPG` files that a lower-case filter loses."
    ),
    _check(
        "H2H109", "Frames of one file", "note", animation, "Frames, pages or slices must share one group."
    ),
)
