"""Load data sets as people have them and tell for each whether it was understood.

    python benchmarks/input_layouts.py GENERATED [--json rows.json] [--only 14,53]

GENERATED holds one folder per layout, as written by generators called `NN_name.py OUT`. Each row names a source in
it, the options a user would give, and what is right: the classes with their counts (and groups, split or positive
class where they matter), or the words of a refusal. The outcome is one of five: right, clear refusal, bad refusal,
silently wrong, crash. Exit status 1 if any row is one of the last three.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headtohead.core.errors import HeadToHeadError, MissingExtraError
from headtohead.data.load import load
from headtohead.data.options import LoadOptions
from headtohead.data.summary import data_record

RIGHT, CLEAR, BAD, WRONG, CRASH = "right", "clear refusal", "bad refusal", "silently wrong", "crash"


@dataclass(frozen=True)
class Row:
    """One source with what is right.

    Attributes:
        number: of the row in the review. source: path below GENERATED. before: what version 0.1.0 did.
        counts: sizes of the classes in descending order, () where the source is to be refused.
        groups: number of groups. split: part -> images. positive: the positive class. words: of a note or a refusal.
    """

    number: str
    source: str
    before: str = ""
    counts: tuple[int, ...] = ()
    groups: int | None = None
    split: dict[str, int] | None = None
    positive: str | None = None
    words: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def judge(row: Row, root: Path) -> tuple[str, str]:
    """Return the outcome of one row and what was seen."""
    try:
        data = load(str(root / row.source), LoadOptions(workers=1, **row.options))
    except MissingExtraError as error:
        return CLEAR, str(error)
    except HeadToHeadError as error:
        text = str(error)
        clear = bool(row.words) and re.search(row.words, text) is not None
        return (CLEAR if clear else BAD), text
    except Exception as error:  # noqa: BLE001 - whatever else is raised is the crash that is looked for
        return CRASH, f"{type(error).__name__}: {error}"
    record = data_record(data)
    seen = ", ".join(f"{name} {n}" for name, n in record["classes"].items())
    seen += f"; {record['n_groups']} groups ({record['groups_from']})"
    faults = []
    if tuple(sorted(record["classes"].values(), reverse=True)) != tuple(sorted(row.counts, reverse=True)):
        faults.append(f"classes {record['classes']}, expected {row.counts}")
    if row.groups is not None and record["n_groups"] != row.groups:
        faults.append(f"{record['n_groups']} groups, expected {row.groups}")
    if row.split is not None and record["split"] != (row.split or None):
        faults.append(f"split {record['split']}, expected {row.split}")
    if row.positive is not None and (record["positive"] != row.positive or data.positive_doubt):
        faults.append(
            f"positive {record['positive']!r} ({data.positive_doubt or 'sure'}), expected {row.positive!r}"
        )
    if row.words and not re.search(row.words, " ".join([*data.notes, *map(str, data.problems)])):
        faults.append(f"no note or reason has {row.words!r}")
    if not faults:
        return RIGHT, seen
    # Images that are lost with a warning are not lost silently; that a way to read them is missing is a bad refusal.
    lost = sum(left.n for left in data.left_out if left.counts_as_loss)
    told = lost and record["n_samples"] + lost == sum(row.counts)
    return BAD if told else WRONG, "; ".join(faults)


def main() -> int:
    """Judge every row and print the table."""
    from benchmarks.input_rows import ROWS

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("generated", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", default="", help="rows whose number begins so, separated by commas")
    given = parser.parse_args()
    starts = tuple(word for word in given.only.split(",") if word)
    found = []
    for row in ROWS:
        if starts and not row.number.startswith(starts):
            continue
        outcome, seen = judge(row, given.generated)
        found.append(
            {"row": row.number, "source": row.source, "before": row.before, "now": outcome, "seen": seen}
        )
        short = " ".join(seen.split())[:300]
        print(f"{row.number:>4} {outcome:<14} {row.source}: {short}", flush=True)
    for title, column in (("before", "before"), ("now", "now")):
        counts = Counter(one[column] for one in found)
        print(
            f"{title}: " + ", ".join(f"{name or 'not in the review'} {n}" for name, n in counts.most_common())
        )
    if given.json:
        given.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return int(any(one["now"] in (BAD, WRONG, CRASH) for one in found))


if __name__ == "__main__":
    sys.exit(main())
