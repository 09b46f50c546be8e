"""Roles of a table's columns that fit what the cells hold; one-hot columns, equal rows and labels of one meaning."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from headtohead.core.formatting import is_whole
from headtohead.data.entry import OWN_FOLD, SPLIT_WORDS, Entry
from headtohead.data.file_problems import truncate_list
from headtohead.data.listing.rows.column_checks import named_images, refuse_odd_columns
from headtohead.data.listing.rows.label_questions import (
    YES,
    answer_table,
    refuse_several,
    yes_no_columns,
)
from headtohead.data.listing.rows.question import Question
from headtohead.data.listing.table_reader import SourceTable, choose_columns

__all__ = ["has_several", "join_labels", "merge_rows", "understand_roles"]

_BLANK = frozenset({"", "nan", "na", "n/a", "null", "none", "<na>"})
# What stands between several labels in one cell.
_SEPARATORS = ("|", ";")
# Leave-one-out over patients makes more; then the column names patients and no folds.
_MOST_FOLDS = 20
LABEL_OF_ONE_HOT = "label of the one-hot columns"


def understand_roles(
    table: SourceTable, columns: Mapping[str, str], question: Question | None = None
) -> tuple[SourceTable, dict[str, str], tuple[str, ...]]:
    """Return the table, role -> column, and what was assumed; one-hot columns become a column of labels.

    A role that was guessed from a column's name and does not fit its cells is dropped, which is said.

    Args:
        columns: role -> column, as the caller says; "" for a role that no column has.
        question: what is asked of images with several labels, if anything; where columns or rows ask it, the label is
            the column of answers.

    Raises:
        ManifestError: no column is taken for the path or the label, or several labels are in question.
    """
    refuse_odd_columns(table, columns)
    chosen = choose_columns(table, columns, needed=("path",))
    notes = []
    for role, fits in (("split", _is_split), ("frame", _is_frame), ("fold", bool)):
        name = chosen.get(role)
        if name is None or role in columns:
            continue
        cells = {cell for cell in table.column(name) if cell}
        odd = sorted(cell for cell in cells if not fits(cell))
        # Where some cells fit, the others are mistakes, and the reader refuses them by name.
        if (odd and len(odd) == len(cells)) or (role == "fold" and not _are_folds(table.column(name))):
            del chosen[role]
            notes.append(
                f"{table.name}: column {name!r} is no {role} (it holds {truncate_list(sorted(cells), 3)})."
            )
    if "split" in chosen and "fold" in chosen and "fold" not in columns:
        notes.append(
            f"{table.name}: column {chosen['fold']!r} is not used, since {chosen['split']!r} is the split."
        )
        del chosen["fold"]
    if (
        "frame" in chosen
        and "frame" not in columns
        and all(_single(cell) for cell in table.column(chosen["path"]))
    ):
        notes.append(
            f"{table.name}: column {chosen['frame']!r} is no frame: these files hold one image each."
        )
        del chosen["frame"]
    if "path" not in columns:
        chosen = named_images(table, chosen)
    if question is not None and (answered := answer_table(table, chosen, question)) is not None:
        return *answered, tuple(notes)
    if question is not None and "label" not in chosen:
        question.named(yes_no_columns(table, chosen.values()))
    if "label" not in chosen:
        table, chosen, note = _one_hot(table, chosen, columns)
        notes.append(note)
    return table, chosen, tuple(notes)


def _single(cell: str) -> bool:
    """Tell whether a file of this name holds one image."""
    return PurePosixPath(cell).suffix.casefold() in (".png", ".jpg", ".jpeg", ".bmp")


def _is_split(cell: str) -> bool:
    return cell.casefold() in SPLIT_WORDS or OWN_FOLD.fullmatch(cell) is not None


def _is_frame(cell: str) -> bool:
    return is_whole(cell)


def _are_folds(cells: list[str]) -> bool:
    """Tell whether cells divide the rows into two or more folds of several rows each."""
    counts = Counter(cells)
    return "" not in counts and 2 <= len(counts) <= _MOST_FOLDS and min(counts.values()) > 1


def _one_hot(
    table: SourceTable, chosen: Mapping[str, str], columns: Mapping[str, str]
) -> tuple[SourceTable, dict[str, str], str]:
    """Return the table with the name of the column that is 1 in each row as a further column."""
    yes_no = yes_no_columns(table, chosen.values())
    exclusive = len(yes_no) > 1 and all(
        sum(cells[row] in YES for cells in yes_no.values()) == 1 for row in range(len(table.rows))
    )
    if not exclusive:
        if len(yes_no) > 1:
            refuse_several(table, yes_no)
        choose_columns(table, columns)  # raises the error that no column is taken for the label
    labels = [next(n for n, cells in yes_no.items() if cells[row] in YES) for row in range(len(table.rows))]
    rows = tuple((*row, label) for row, label in zip(table.rows, labels, strict=True))
    table = SourceTable(table.name, (*table.columns, LABEL_OF_ONE_HOT), rows)
    note = f"{table.name}: the label is the name of the column that is 1, of {truncate_list(yes_no, 12)}."
    return table, {**chosen, "label": LABEL_OF_ONE_HOT}, note


def join_labels(entries: list[Entry]) -> tuple[list[Entry], tuple[str, ...]]:
    """Return the entries with labels that are one number written alike, and words for "not known" as blank."""
    counts = Counter(entry.label for entry in entries)
    blank = {label for label in counts if label.casefold() in _BLANK and label}
    spellings: dict[str, list[str]] = defaultdict(list)
    # the commonest spelling stays, of equally common ones the shortest: "1" before "1.0"
    for label in sorted(counts, key=lambda label: (-counts[label], len(label), label)):
        spellings[_number(label)].append(label)
    renames = {other: names[0] for names in spellings.values() for other in names[1:]} | dict.fromkeys(
        blank, ""
    )
    notes = [
        f"Labels of one number were joined: {other!r} is {name!r}." for other, name in renames.items() if name
    ]
    if blank:
        notes.append(f"Labels that mean 'not known': {truncate_list(sorted(blank))}.")
    return [replace(entry, label=renames.get(entry.label, entry.label)) for entry in entries], tuple(notes)


def _number(label: str) -> str:
    try:
        return repr(float(label)) if label.casefold() not in _BLANK else label
    except ValueError:
        return label


def merge_rows(entries: list[Entry]) -> tuple[list[Entry], tuple[str, ...]]:
    """Return the entries with rows of one image that agree in label, group and split as one; and how many.

    Further columns are kept where the rows agree. Rows that differ stay, and are refused later.
    """
    by_image: dict[tuple[str, int | None], list[Entry]] = defaultdict(list)
    for entry in entries:
        by_image[entry.path, entry.frame].append(entry)
    merged, n_rows = [], 0
    for rows in by_image.values():
        first = rows[0]
        if len(rows) == 1 or any(
            (row.label, row.group, row.split) != (first.label, first.group, first.split) for row in rows
        ):
            merged += rows
            continue
        n_rows += len(rows) - 1
        extra = {k: v for k, v in first.extra.items() if all(row.extra.get(k) == v for row in rows)}
        merged.append(replace(first, extra=extra))
    return merged, (
        (f"{n_rows} rows repeat an image with the same label and were joined to it.",) if n_rows else ()
    )


def has_several(label: str, known: set[str]) -> bool:
    """Tell whether a cell holds several labels: "a|b", "a;b", "[…]", or "a, b" where a or b occurs alone."""
    # a label is never empty here: `check_labels` refuses those before
    if any(mark in label for mark in _SEPARATORS) or (label[0] in "[{(" and label[-1] in "]})"):
        return True
    parts = [part.strip() for part in label.split(",")]
    return len(parts) > 1 and any(part in known for part in parts)
