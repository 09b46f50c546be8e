"""Every planted defect: which check must name it, on what data, and which samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from tests.planting.memory import (
    CLEAN,
    Change,
    MemoryDataset,
    Pixels,
    added,
    altered,
    class_rows,
    gap,
    known,
    patients,
    pixels_by,
    record_by,
    renamed,
    split_in,
    without,
)
from tests.planting.pixels import (
    bright_ground,
    brighter,
    brownish,
    corner_mark,
    dim_lower_half,
    enlarged,
    framed,
    grid,
    letters,
    noise_image,
    padded_white,
    red_arrow,
    right_line,
    softened,
    stripes,
)

from headtohead.audit.context import AuditConfig
from headtohead.audit.duplicates.records import Grouping, RejectedLinkRecord
from headtohead.data.dataset import Dataset
from headtohead.data.file_problems import FileProblem


def probability(wrong: tuple[int, ...]) -> npt.NDArray[np.float64]:
    own = np.full(len(CLEAN.samples), 0.9)
    own[list(wrong)] = 0.05
    yes = np.where(CLEAN.labels() == 1, own, 1 - own)
    return np.column_stack([1 - yes, yes])


@dataclass(frozen=True)
class Plant:
    """One planted defect: which check must name it, on what, and (where it matters) which samples."""

    name: str
    code: str
    data: MemoryDataset
    grouping: Grouping | None = None
    settings: AuditConfig = field(default_factory=AuditConfig)
    samples: frozenset[str] = frozenset()
    severity: str | None = None
    outcome: str = "issue"


def _named(data: Dataset, *which: int) -> frozenset[str]:
    return frozenset(data.samples[i].id for i in which)


def _pixel_plant(
    name: str, code: str, function: Callable[[Pixels], Pixels], *which: int, **facts: Any
) -> Plant:
    data = altered(CLEAN, which, pixels_by(function, **facts))
    return Plant(name, code, data, samples=_named(data, *which))


def _record_plant(name: str, code: str, which: Iterable[int], **facts: Any) -> Plant:
    rows = list(which)
    data = altered(CLEAN, rows, record_by(**facts))
    return Plant(name, code, data, samples=_named(data, *rows))


def _shortcut_plant(name: str, code: str, change: Change) -> Plant:
    return Plant(name, code, altered(CLEAN, class_rows(CLEAN, "yes"), change))


def _file_plants() -> list[Plant]:
    lost = replace(CLEAN, images={k: v for k, v in CLEAN.images.items() if k != CLEAN.samples[3].id})
    refused = replace(CLEAN, problems=(FileProblem("no/broken.png", "the file ends too early"),))
    twice = added(CLEAN, *[(i, f"copy/{s.path}", {}) for i, s in enumerate(CLEAN.samples)])
    noted = replace(
        CLEAN, notes=("Every image is listed twice, in yes/ and again in all/yes; counted once.",)
    )
    stem = CLEAN.samples[0].path.removesuffix(".png")
    cased = CLEAN.samples[0].path.replace("case", "Case")
    other = altered(
        CLEAN, [1], lambda s, i: (s.model_copy(update={"id": f"{stem}.jpg", "path": f"{stem}.jpg"}), i)
    )
    upper = altered(CLEAN, [1], lambda s, i: (s.model_copy(update={"id": cased, "path": cased}), i))
    frames = altered(CLEAN, [0, 1], record_by(path="no/stack.tif", frame=1))
    capital = altered(
        CLEAN, range(8), lambda s, i: (s.model_copy(update={"path": s.path.replace(".png", ".PNG")}), i)
    )
    return [
        Plant("image that cannot be decoded", "H2H101", lost, samples=_named(CLEAN, 3)),
        Plant("file refused while loading", "H2H101", refused),
        _record_plant("PNG inside .jpg", "H2H102", [2, 5], suffix=".jpg"),
        _record_plant("DICOM inside .png", "H2H102", [4], format="DICOM"),
        Plant("folder that repeats another", "H2H103", twice, severity="severe"),
        Plant("folder repeated, said by the loader", "H2H103", noted, outcome="tip"),
        Plant("one stem, two suffixes", "H2H104", other),
        Plant("names that differ in case only", "H2H104", upper),
        _record_plant("one 16-bit file", "H2H105", [6], bit_depth=16),
        _record_plant("RGB among grey", "H2H106", [1, 2], mode="RGB"),
        _record_plant("JPEG among PNG", "H2H107", [1], format="JPEG", suffix=".jpg"),
        Plant("capitals in suffixes", "H2H108", capital, samples=_named(capital, *range(8))),
        Plant("frames of one file apart", "H2H109", frames, severity="severe"),
        _pixel_plant("alpha channel", "H2H110", lambda p: p, 3, mode="LA"),
        _pixel_plant("EXIF orientation", "H2H111", lambda p: p, 3, facts={"exif_orientation": "6"}),
        _pixel_plant(
            "letters by the header", "H2H132", lambda p: p, 3, facts={"burned_in_annotation": "yes"}
        ),
        _record_plant("name of a patient", "H2H133", [4], path="no/MUELLER^ANNA/4.png"),
    ]


def _image_plants() -> list[Plant]:
    return [
        _pixel_plant(
            "tiny image", "H2H112", lambda p: cv2.resize(p, (40, 40), interpolation=cv2.INTER_AREA), 2
        ),
        _pixel_plant("black image", "H2H113", lambda p: p * 0, 2),
        _pixel_plant("grey image", "H2H113", lambda p: p * 0 + 90, 2),
        _pixel_plant("padded with white", "H2H114", padded_white, 2),
        _pixel_plant("over-exposed", "H2H114", lambda p: np.where(p > 90, 255, p).astype(np.uint8), 2),
        _pixel_plant("blurred", "H2H115", lambda p: np.asarray(cv2.GaussianBlur(p, (0, 0), 5)), 2),
        _pixel_plant("enlarged from a tiny one", "H2H115", enlarged, 2),
        _pixel_plant("uniform noise", "H2H116", noise_image, 2),
        _pixel_plant("long strip", "H2H117", lambda p: np.tile(p, (1, 3)), 2),
        Plant(
            "sizes from 80 to 320",
            "H2H118",
            altered(CLEAN, range(0, 60, 3), pixels_by(lambda p: np.asarray(cv2.resize(p, (400, 400))))),
        ),
        Plant(
            "pixel spacing of two scanners",
            "H2H119",
            altered(
                altered(CLEAN, range(30), pixels_by(lambda p: p, spacing_mm=(0.5, 0.5))),
                range(30, 60),
                pixels_by(lambda p: p, spacing_mm=(0.9, 0.9)),
            ),
        ),
        Plant(
            "spacing missing in some",
            "H2H119",
            altered(CLEAN, range(30), pixels_by(lambda p: p, spacing_mm=(0.5, 0.5))),
        ),
        _pixel_plant("red arrow", "H2H120", red_arrow, 2),
        _pixel_plant("photograph of a screen", "H2H121", brownish, 2, 9),
        _pixel_plant("moiré", "H2H122", grid, 2),
        _pixel_plant("letters in the corner", "H2H123", letters, 2),
        _pixel_plant("white frame", "H2H124", framed, 2),
        _pixel_plant("white line at the right", "H2H124", right_line, 2),
        _pixel_plant("inverted image", "H2H125", lambda p: 255 - p, 2),
        _pixel_plant("crop that cuts", "H2H126", dim_lower_half, 2),
        _pixel_plant("crop that keeps a frame", "H2H127", framed, 2),
        _pixel_plant("five grey values", "H2H129", lambda p: (p // 50 * 50).astype(np.uint8), 2),
        _pixel_plant("another kind of scene", "H2H130", stripes, 2),
        _pixel_plant("much brighter than the rest", "H2H131", lambda p: np.clip(255 - p // 3, 0, 254), 2),
    ]


def _leak_plants() -> list[Plant]:
    copy = added(CLEAN, (0, "no/again.png", {}))
    parts = split_in(CLEAN)
    leaked = added(parts, (0, "no/again.png", {"split": "train", "group": "no/again.png"}))
    near_parts = gap(0, 1, data=parts)
    opposed = added(CLEAN, (class_rows(CLEAN, "no")[0], "yes/same.png", {"label": "yes"}))
    named = altered(CLEAN, range(12), renamed("_aug3"))
    cases = patients(CLEAN)
    crossing = altered(cases, [0], record_by(split="train"))
    link = gap(1, 2)
    chain = RejectedLinkRecord(
        link, (CLEAN.samples[0].id, link.a), (link.b, CLEAN.samples[3].id), "far ends do not match"
    )
    paths = {s.id: f"{s.label}/p{i // 4:03d}_slice{i % 4}.png" for i, s in enumerate(CLEAN.samples)}
    series = replace(CLEAN, samples=tuple(s.model_copy(update={"path": paths[s.id]}) for s in CLEAN.samples))
    many = [gap(2 * i, 2 * i + 1) for i in range(12)]
    yes, no = class_rows(CLEAN, "yes")[0], class_rows(CLEAN, "no")[0]
    return [
        Plant("exact copy", "H2H201", copy, known(copy), samples=frozenset({"no/again.png"})),
        Plant("recompressed copy", "H2H202", CLEAN, known(CLEAN, [gap(4, 5)]), samples=_named(CLEAN, 4, 5)),
        Plant("mirrored copy", "H2H202", CLEAN, known(CLEAN, [gap(4, 5, kind="mirrored")])),
        Plant("exact copy across parts", "H2H203", leaked, known(leaked), severity="severe"),
        Plant("near copy across parts", "H2H203", parts, known(parts, [near_parts]), severity="severe"),
        Plant("one image, two labels", "H2H204", opposed, known(opposed), severity="severe"),
        Plant("mirrored before the split", "H2H205", CLEAN, known(CLEAN, [gap(4, 5, kind="mirrored")])),
        Plant("turned before the split", "H2H205", CLEAN, known(CLEAN, [gap(4, 5, turn=12.0)])),
        Plant("names that say augmented", "H2H205", named, known(named)),
        Plant("patient in two parts", "H2H206", crossing, known(crossing), severity="severe"),
        Plant("chain of copies", "H2H207", CLEAN, known(CLEAN, chains=(chain,))),
        Plant("possibly one patient", "H2H208", CLEAN, known(CLEAN, similar=(gap(1, 2, kind="similar"),))),
        Plant("many copies: a random split leaks", "H2H209", CLEAN, known(CLEAN, many)),
        Plant("series in the names", "H2H210", series, known(series), outcome="tip"),
        Plant("same scene, two labels", "H2H403", CLEAN, known(CLEAN, [gap(yes, no)]), severity="severe"),
    ]


def _meaning_plants() -> list[Plant]:
    yes = class_rows(CLEAN, "yes")
    few, four = without(yes[5:]), without(yes[4:])
    tenth = without([*class_rows(CLEAN, "no")[6:], *yes[6:]])
    mixed = replace(
        patients(CLEAN),
        samples=tuple(s.model_copy(update={"group": f"p{i // 2}"}) for i, s in enumerate(CLEAN.samples)),
    )
    mixed = altered(mixed, [0], record_by(label="yes"))
    big = altered(CLEAN, class_rows(CLEAN, "no")[:20], record_by(group="one patient"))
    spelled = replace(
        CLEAN,
        samples=tuple(
            s.model_copy(update={"label": "YES "}) if i in yes[:15] else s
            for i, s in enumerate(CLEAN.samples)
        ),
        classes=("YES ", "no", "yes"),
        positive=None,
    )
    parted = replace(
        CLEAN,
        samples=tuple(
            s.model_copy(update={"split": "test", "label": "yes_left" if s.label == "yes" else s.label})
            if i % 4 == 0
            else s.model_copy(update={"split": "train"})
            for i, s in enumerate(CLEAN.samples)
        ),
        classes=("no", "yes", "yes_left"),
        positive=None,
    )
    beaten = AuditConfig(best=("some-net", 0.55))
    large = _shortcut_plant("", "H2H301", record_by(n_bytes=30000)).data
    return [
        _shortcut_plant("larger files in one class", "H2H301", record_by(n_bytes=30000)),
        _shortcut_plant("another size in one class", "H2H301", pixels_by(lambda p: np.asarray(p[:, 1:]))),
        _shortcut_plant("brighter in one class", "H2H302", pixels_by(brighter)),
        _shortcut_plant("a corner mark in one class", "H2H303", pixels_by(corner_mark)),
        _shortcut_plant("another ground in one class", "H2H304", pixels_by(bright_ground)),
        Plant("contender below the shortcut", "H2H305", large, known(large), beaten, severity="severe"),
        _shortcut_plant("letters in one class", "H2H306", pixels_by(letters)),
        _shortcut_plant("one class blurred", "H2H306", pixels_by(softened)),
        Plant("six to one", "H2H401", few, known(few)),
        Plant(
            "two wrong labels", "H2H402", CLEAN, known(CLEAN), AuditConfig(probabilities=probability((3, 8))),
            samples=_named(CLEAN, 3, 8),
        ),
        _shortcut_plant("one class all JPEG", "H2H404", record_by(format="JPEG", suffix=".jpg")),
        Plant("one class under two spellings", "H2H405", spelled, known(spelled), severity="severe"),
        Plant("patient with two labels", "H2H406", mixed, known(mixed)),
        Plant("one class of another name in test", "H2H407", parted, known(parted), severity="severe"),
        Plant("four of one class", "H2H501", four, known(four), severity="severe"),
        Plant("intervals too wide", "H2H502", tenth, known(tenth)),
        Plant("too few for calibration", "H2H503", CLEAN, known(CLEAN)),
        Plant("too few for prediction sets", "H2H504", CLEAN, known(CLEAN)),
        Plant("differences within chance", "H2H505", CLEAN, known(CLEAN)),
        Plant("one patient makes a third", "H2H506", big, known(big)),
    ]  # fmt: skip


PLANTS = [*_file_plants(), *_image_plants(), *_leak_plants(), *_meaning_plants()]
