"""Images with several labels: one question at a time, asked of columns, of cells or of repeated rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from headtohead.core.errors import DataError, ManifestError
from headtohead.data.entry import Entry
from headtohead.data.file_problems import truncate_list
from headtohead.data.listing.class_order import natural_key
from headtohead.data.listing.negative_names import as_number, is_negative_word
from headtohead.data.listing.rows.question import Question, plain_label, quote_word
from headtohead.data.listing.table_reader import SourceTable

__all__ = [
    "ANSWER",
    "advice",
    "answer_labels",
    "answer_table",
    "label_parts",
    "plain_lists",
    "questions_in_rows",
    "refuse_several",
    "yes_no_columns",
]

ANSWER = "answer to --label-has"
"""The name of the column that holds the answers."""

NO, YES = frozenset({"0", "0.0", "false", "no"}), frozenset({"1", "1.0", "true", "yes"})
UNKNOWN = frozenset({"-1", "-1.0", "", "nan"})
"""Cells of a yes-or-no column that answer nothing; in CheXpert -1 is uncertain, and blank is not mentioned."""

# What stands between several labels in one cell.
_SEPARATORS = ("|", ";")
# A table with one row per image and question asks a few questions, not hundreds.
_MOST_QUESTIONS = 30


def label_parts(label: str) -> list[str]:
    """Return the labels in one cell.

    >>> label_parts("Effusion|Mass"), label_parts("['a', 'b']"), label_parts("No Finding")
    (['Effusion', 'Mass'], ['a', 'b'], ['No Finding'])
    """
    inner = label[1:-1] if label[:1] in ("[", "{", "(") and label[-1:] in ("]", "}", ")") else label
    # commas occur inside labels, so they part a cell only where no other separator does
    marks = [mark for mark in _SEPARATORS if mark in inner] or ([","] if "," in inner else [])
    cells = inner.split(marks[0]) if marks else [inner]
    return [part for cell in cells if (part := cell.strip().strip("'\"").strip())]


def plain_lists(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries with labels that are lists of one (`['a']`) or one-hot lists (`[0, 1]`) as plain labels."""
    if not entries or not all(entry.label[:1] == "[" and entry.label[-1:] == "]" for entry in entries):
        return list(entries)
    parts = {label: label_parts(label) for label in {entry.label for entry in entries}}
    if all(len(found) == 1 for found in parts.values()):
        return [replace(entry, label=parts[entry.label][0]) for entry in entries]
    one_hot = all(
        set(found) <= NO | YES and sum(part in YES for part in found) == 1 for found in parts.values()
    )
    if one_hot and len({len(found) for found in parts.values()}) == 1:
        places = {
            label: next(i for i, part in enumerate(found) if part in YES) for label, found in parts.items()
        }
        return [replace(entry, label=str(places[entry.label])) for entry in entries]
    return list(entries)


def yes_no_columns(table: SourceTable, taken: Iterable[str]) -> dict[str, list[str]]:
    """Return name -> cells in lower case of the columns that answer yes, no or nothing."""
    taken = set(taken)
    found = {}
    for name in table.columns:
        cells = [cell.casefold() for cell in table.column(name)]
        if name and name not in taken and cells and set(cells) <= NO | YES | UNKNOWN and set(cells) & YES:
            found[name] = cells
    return found


def answer_table(
    table: SourceTable, chosen: Mapping[str, str], question: Question
) -> tuple[SourceTable, dict[str, str]] | None:
    """Return the table with a column of answers where columns or rows ask the question; None where cells may.

    Raises:
        UnknownNameError: there is no column of the label that it is to be compared with.
    """
    # the column that was taken for the label may be the very one that is asked
    columns = yes_no_columns(table, [name for role, name in chosen.items() if role != "label"])
    if any(plain_label(question.has) == plain_label(name) for name in columns):
        question = question.named(columns)
        has = columns[question.has]
        against = columns[question.against] if question.against is not None else [""] * len(has)
        labels = [
            question.answer(_said(one), against=other in YES) for one, other in zip(has, against, strict=True)
        ]
        rows = tuple((*row, label) for row, label in zip(table.rows, labels, strict=True))
        return SourceTable(table.name, (*table.columns, ANSWER), rows), {**chosen, "label": ANSWER}
    if (asked := questions_in_rows(table, chosen)) and question.against is None:
        question = question.named(asked)
        path, label = (table.columns.index(chosen[role]) for role in ("path", "label"))
        tail = f"_{question.has}"
        said = [_said(row[label].casefold()) for row in table.rows]
        rows = tuple(
            (*row[:path], row[path].removesuffix(tail), *row[path + 1 :], question.answer(has, against=False))
            for row, has in zip(table.rows, said, strict=True)
            if row[path].endswith(tail)
        )
        return SourceTable(table.name, (*table.columns, ANSWER), rows), {**chosen, "label": ANSWER}
    return None


def _said(cell: str) -> bool | None:
    return True if cell in YES else False if cell in NO else None


def questions_in_rows(table: SourceTable, chosen: Mapping[str, str]) -> dict[str, int]:
    """Return question -> number of yes in a table with one row per image and question (`ID_0_epidural,1`), else {}."""
    if "path" not in chosen or "label" not in chosen:
        return {}
    cells, labels = table.column(chosen["path"]), [c.casefold() for c in table.column(chosen["label"])]
    split = [cell.rpartition("_") for cell in cells]
    images, asked = {image for image, _, _ in split}, Counter(word for *_, word in split)
    # every image has one row for each question
    if not 1 < len(asked) <= _MOST_QUESTIONS or len(cells) != len(images) * len(asked) or len(images) < 2:
        return {}
    # a last part that is a number counts images, and one with a dot is a suffix
    if not set(labels) <= NO | YES or any(word.isdecimal() or not word or "." in word for word in asked):
        return {}
    yes = Counter(word for (*_, word), label in zip(split, labels, strict=True) if label in YES)
    return {word: yes[word] for word in asked}


def answer_labels(entries: Sequence[Entry], question: Question) -> list[Entry]:
    """Return one entry per image with the answer as its label, "" where there is none; its rows count together.

    Raises:
        UnknownNameError: a label that does not occur.
    """
    held: dict[tuple[str, int | None], set[str]] = defaultdict(set)
    for entry in entries:
        held[entry.path, entry.frame].update(label_parts(entry.label))
    question = question.named(set().union(*held.values()))
    answered = []
    # reversed twice: of the rows of an image the first stays
    for entry in {(entry.path, entry.frame): entry for entry in reversed(entries)}.values():
        parts = held[entry.path, entry.frame]
        has = question.has in parts if parts else None
        answered.append(replace(entry, label=question.answer(has, against=question.against in parts)))
    return answered[::-1]


def advice(counts: Mapping[str, int]) -> str:
    """Return the option that asks one of several questions, after their counts.

    >>> advice({"Effusion": 8, "No Finding": 9})
    "Effusion (8), No Finding (9). Ask for one: --label-has Effusion --against 'No Finding'."
    """
    if not counts:
        raise DataError("There are no labels to ask for.")
    counts = {name: counts[name] for name in sorted(counts, key=natural_key)}
    # A number is the place of a column, not a word for "nothing found".
    nothing = [name for name in counts if is_negative_word(name) and as_number(name) is None]
    findings = {name: n for name, n in counts.items() if name not in nothing} or dict(counts)
    first = max(findings, key=lambda name: findings[name])
    negative = nothing[0] if nothing else None
    listed = truncate_list([f"{name} ({n})" for name, n in counts.items()], 15)
    against = "" if negative is None else f" --against {quote_word(negative)}"
    return f"{listed}. Ask for one: --label-has {quote_word(first)}{against}."


def refuse_several(table: SourceTable, columns: Mapping[str, Sequence[str]]) -> None:
    """Refuse a table of several yes-or-no columns that can be true at once.

    Raises:
        ManifestError: with the option that asks one of them.
    """
    counts = {name: sum(cell in YES for cell in cells) for name, cells in columns.items()}
    raise ManifestError(
        f"{table.name} asks several questions at once, one a column, with so many yes: {advice(counts)}"
    )
