"""Throw damaged tables, trees and options at the listing: each must be understood or refused in one line.

    python benchmarks/fuzz_sources.py --sources 100000 [--seed 0] [--start 0]

Source number i of a seed is always the same, so a failure is shown again with `--start i --sources 1`. Nothing is
decoded: files hold the first bytes of a PNG at most. Exit status 1 at the first exception that is not a
`HeadToHeadError`, where a refusal is longer than three screens, where a source takes 10 s of the processor, and where
the process takes 2 GB.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headtohead.core.data_record import data_rows
from headtohead.core.errors import HeadToHeadError
from headtohead.data.listing.class_order import choose_classes
from headtohead.data.listing.discover import discover_images
from headtohead.data.options import LoadOptions

HEAD = b"\x89PNG\r\n\x1a\n" + bytes(24)
LONGEST = 6000
"""Characters of a refusal."""
MAX_SECONDS = 10.0
MAX_MEMORY = 2 << 30

Rng = random.Random
Files = dict[str, bytes]

SPLITS = ("train", "val", "test", "Training", "valid", "TEST", "holdout", "dev")
CLASSES = (
    "no", "yes", "benign", "malignant", "HER2+", "HER2-", "0", "1", "-1", "1.0", "\u00c9pi", "E\u0301pi",
)  # fmt: skip
FOLDERS = (
    "images", "masks", "runs", "part_1", "part_2", "patient01", "patient02", "study1", "40X", "pred", "a b",
    "x" * 80,
)  # fmt: skip
NAMES = (
    "{}", "img_{}", "{}_left", "{}_right", "OAS1_00{}_MR1", "clip{}_frame1", "{}_jpg.rf.0123456789ab",
    "{}_mask", "{} (1)",
)  # fmt: skip
SUFFIXES = (".png", ".PNG", ".jpg", ".nii.gz", ".dcm", ".mat", ".txt", "", ".png.png", ".heic")
COLUMNS = (
    "path", "image_id", "Image Index", "id_code", "patientId", "filename", "folder", "label", "dx",
    "Finding Labels", "level", "split", "set", "fold", "frame", "slice", "patient_id", "lesion_id", "Effusion",
    "No Finding", "sex", "", "pixel0001",
)  # fmt: skip
CELLS = (
    "", "0", "1", "-1", "1.0", "nan", "NA", "Effusion", "Effusion|Mass", "No Finding", "a, b", "['a']", "[1, 0]",
    "yes", "no", "train", "test", "P01", "../x", "/abs/x.png", "C:\\x\\y.png", "https://e.org/x.png", "x" * 300,
    "\x00", "*.png", "NaN;b",
)  # fmt: skip


def make_tree(rng: Rng) -> Files:
    """Return a tree of paths with the first bytes of images."""
    kinds = (SPLITS, CLASSES, CLASSES, FOLDERS)
    levels = [rng.sample(rng.choice(kinds), rng.randint(1, 4)) for _ in range(rng.randint(0, 4))]
    suffixes = SUFFIXES[: rng.choice((1, 1, 3, len(SUFFIXES)))]
    files: Files = {}
    for number in range(rng.randint(0, 24)):
        folders = [rng.choice(names) for names in levels if rng.random() < 0.97]
        name = rng.choice(NAMES).format(number // rng.randint(1, 3)) + rng.choice(suffixes)
        files["/".join([*folders, name])] = HEAD if rng.random() < 0.95 else b""
    return files


def make_table(rng: Rng, files: Files) -> bytes:
    """Return the bytes of a table of these files, more or less sound."""
    columns = rng.sample(COLUMNS, rng.randint(1, 7))
    if rng.random() < 0.7:
        columns = [rng.choice(COLUMNS[:6]), rng.choice(COLUMNS[7:11]), *columns]
    paths = list(files) or ["a.png"]
    labels, ragged, rows = rng.sample(CELLS, 3), rng.choice((0.0, 0.0, 0.3)), []
    for number in range(rng.randint(0, 20)):
        path = paths[number % len(paths)]
        name = path.rpartition("/")[2]
        shown = rng.choice((path, path, name, name.partition(".")[0], f"/kaggle/{path}"))
        cells = [
            shown
            if index == 0 and rng.random() < 0.95
            else rng.choice(labels if index == 1 and rng.random() < 0.95 else CELLS)
            for index in range(len(columns))
        ]
        rows.append(cells[: rng.randint(0, len(cells))] if rng.random() < ragged else cells)
    mark = rng.choice((",", ",", ",", ";", "\t", "|"))
    lines = [
        mark.join(f'"{cell}"' if mark in cell or rng.random() < 0.1 else cell for cell in row)
        for row in [columns, *rows]
    ]
    if rng.random() < 0.1:
        lines.insert(0, "sep=" + mark)
    content = "\n".join(lines).encode(
        rng.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252")), "replace"
    )
    return _damaged(rng, content)


def make_records(rng: Rng, files: Files) -> bytes:
    """Return a table as JSON lines."""
    rows = [
        {
            rng.choice(COLUMNS): rng.choice((path, number, None, [path], {"a": 1}, float("nan")))
            for _ in range(3)
        }
        | {"file_name": path, "label": rng.choice(CELLS)}
        for number, path in enumerate(list(files)[:9])
    ]
    return _damaged(rng, "\n".join(map(json.dumps, rows)).encode())


def _damaged(rng: Rng, content: bytes) -> bytes:
    """Return the content, in one of three cases with bytes changed, cut or repeated."""
    if rng.random() > 0.33 or not content:
        return content
    data = bytearray(content)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(data))
        kind = rng.randrange(4)
        if kind == 0:
            data[place] = rng.randrange(256)
        elif kind == 1:
            del data[place : place + rng.randint(1, 30)]
        elif kind == 2:
            data[place:place] = rng.choice((b'"', b"\r", b"\n", b",", b"\x00", b"\xff\xfe", b"|"))
        else:
            data[place:place] = data[place : place + rng.randint(1, 40)]
        if not data:
            break
    return bytes(data)


def make_options(rng: Rng) -> LoadOptions:
    """Return options, most of them unset."""

    often = rng.choice((0.0, 0.0, 0.1))

    def maybe(make: Callable[[], Any], default: Any) -> Any:
        return make() if rng.random() < often else default

    def word() -> str:
        return str(rng.choice((*CLASSES, *CELLS[:15])))

    def glob() -> str:
        return str(rng.choice(("*_mask*", "runs", "train/*", "*.png", "[", "**", "", "*_left.*")))

    roles = ("path", "label", "group", "split", "frame", "fold", "what")
    return LoadOptions(
        columns=maybe(lambda: {rng.choice(roles): rng.choice(COLUMNS) for _ in range(rng.randint(1, 3))}, {}),
        label_from=maybe(
            lambda: rng.choice(("([^/]+)/", "(", "x", "([^/]+)/[^/]+$", "(?P<label>yes|no)")), None
        ),
        group_from=maybe(lambda: rng.choice((r"(\d+)", "(", "([^/]+)$", "x")), None),
        map_labels=maybe(lambda: {word(): word()}, {}),
        drop=maybe(lambda: frozenset({word()}), frozenset()),
        positive=maybe(word, None),
        keep_columns=maybe(lambda: (rng.choice(COLUMNS),), ()),
        by=maybe(lambda: (rng.choice(COLUMNS),), ()),
        label_has=maybe(word, None),
        against=maybe(word, None),
        drop_unlabelled=maybe(lambda: True, False),
        include=maybe(lambda: (glob(),), ()),
        exclude=maybe(lambda: (glob(),), ()),
    )


def make_source(number: int, seed: int, root: Path) -> tuple[str, LoadOptions]:
    """Write source `number` below `root` and return its path and options."""
    rng = Rng(f"{seed}/{number}")
    files = make_tree(rng)
    tables = {}
    for _ in range(rng.choice((0, 1, 1, 2))):
        folder = rng.choice(["", *{path.rpartition("/")[0] for path in files}])
        name, make = rng.choice(
            (("labels.csv", make_table), ("t.tsv", make_table), ("metadata.jsonl", make_records))
        )
        tables[f"{folder}/{name}".lstrip("/")] = make(rng, files)
    for path, content in (files | tables).items():
        target = root / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        except OSError:  # a file where a folder is wanted; another tree then
            continue
    source = root / rng.choice(list(tables)) if tables and rng.random() < 0.5 else root
    return str(source), make_options(rng)


def look(source: str, options: LoadOptions) -> str:
    """List one source as a command would, and return what came of it."""
    try:
        listing = discover_images(source, options)
        order = choose_classes((entry.label for entry in listing.entries), options.positive)
    except HeadToHeadError as error:
        if len(str(error)) > LONGEST:
            raise AssertionError(f"a refusal of {len(str(error)):,} characters") from error
        return type(error).__name__
    counts = Counter(entry.label for entry in listing.entries)
    assert set(counts) == set(order.classes), "classes without images"
    record = {
        "classes": dict(counts),
        "positive": order.positive,
        "split": None,
        "n_samples": len(listing.entries),
        "n_groups": 1,
        "groups_from": listing.groups_from,
        "left_out": [left.record() for left in listing.left_out],
    }
    assert data_rows(record), "no block"
    assert all(sum(left.per_class.values()) <= left.n for left in listing.left_out), (
        "more lost by class than in all"
    )
    return "understood"


def main() -> int:
    """Make and list the sources."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sources", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0)
    given = parser.parse_args()
    outcomes: Counter[str] = Counter()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.start, given.start + given.sources):
            root = Path(folder) / str(number)
            root.mkdir()
            source, options = make_source(number, given.seed, root)
            before = time.process_time()
            try:
                outcomes[look(source, options)] += 1
                if time.process_time() - before > MAX_SECONDS:
                    raise TimeoutError(f"longer than {MAX_SECONDS} s")
            except Exception:  # noqa: BLE001 - whatever else is raised is the failure that is looked for
                traceback.print_exc()
                print(f"source {number} of seed {given.seed}: {source} {options}")
                return 1
            shutil.rmtree(root)
            if (number + 1 - given.start) % 10_000 == 0:
                print(
                    f"{number + 1}: {time.perf_counter() - began:.0f} s, {dict(outcomes.most_common())}",
                    flush=True,
                )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"{given.sources:,} sources (seed {given.seed}, from {given.start:,}) in {time.perf_counter() - began:.0f} s, "
        f"peak {peak / (1 << 20):,.0f} MiB: {dict(outcomes.most_common())}"
    )
    return int(peak > MAX_MEMORY)


if __name__ == "__main__":
    sys.exit(main())
