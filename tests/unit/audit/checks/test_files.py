"""What the files tell before any image is judged: suffixes, doubled folders, clashing names, mixtures, frames."""

from __future__ import annotations

import pytest
from tests.planting.summaries import context_of, record, records, summary

from headtohead.audit.check import Observation
from headtohead.audit.checks import files
from headtohead.audit.context import AuditContext
from headtohead.audit.duplicates.records import Grouping
from headtohead.audit.registry import get_check
from headtohead.core.records import Sample
from headtohead.data.file_problems import FileProblem
from headtohead.data.listing.left_out import WITHOUT_CLASS, LeftOut


def of(code: str, context: AuditContext) -> Observation:
    return get_check(code).run(context)


# ---- unreadable ---------------------------------------------------------------------------------------------


def test_files_without_a_class_are_not_called_unreadable() -> None:
    problems = (FileProblem("notes/a.png", "no class"), FileProblem("no/b.png", "ends too early"))
    left = (LeftOut(WITHOUT_CLASS, ("notes/a.png",), {}),)
    found = files.unreadable(context_of(records(3), problems=problems, left_out=left))
    assert found.data["files"] == {"no/b.png": "ends too early"}
    known = files.unreadable(
        context_of(records(3), problems=problems, left_out=(LeftOut("mask", ("notes/a.png",), {}),))
    )
    assert set(known.data["files"]) == {"notes/a.png", "no/b.png"}, "left out for another reason, it counts"


def test_an_image_that_fails_in_the_pass_is_named_with_its_reason() -> None:
    samples = records(3)
    found = files.unreadable(context_of(samples, {samples[1].id: "truncated"}))
    assert found.message == f"1 file could not be read: {samples[1].path}"
    assert found.samples == (samples[1].id,) and found.data["files"] == {samples[1].path: "truncated"}
    assert files.unreadable(context_of(samples)).outcome == "passed"


# ---- suffixes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "form", "lies"),
    [
        (".jpg", "JPEG", False), (".JPEG", "jpeg", False), (".jpg", "PNG", True), (".png", "JPEG", True),
        ("", "DICOM", False), (".dcm", "DICOM", False), (".png", "DICOM", True), ("", "PNG", True),
        (".gz", "NIFTI", False), (".img", "NIFTI", False), (".hdr", "NRRD", True), (".xyz", "unheard of", False),
    ],
)  # fmt: skip
def test_a_suffix_lies_where_the_content_is_another(suffix: str, form: str, lies: bool) -> None:
    samples = [record("a", suffix=suffix, format=form), record("b", suffix=".bmp", format="BMP")]
    found = files.wrong_suffix(context_of(samples))
    assert (found.outcome == "issue") is lies
    if lies:
        assert found.samples == ("a",) and found.data["kinds"] == {f"{suffix} with {form} inside": 1}
        assert found.message == f"1 file is not what its suffix says: 1 {suffix} with {form} inside"


def test_kinds_of_lies_stand_most_frequent_first() -> None:
    samples = [
        record("a", suffix=".jpg"), record("b", suffix=".png", format="BMP"), record("c", suffix=".jpg"),
        record("y", "yes"),
    ]  # fmt: skip
    found = files.wrong_suffix(context_of(samples))
    assert found.message == (
        "3 files are not what their suffix says: 2 .jpg with PNG inside; 1 .png with BMP inside"
    )
    assert found.data["by_class"] == {"no": 3, "yes": 0}
    unknown = [record("a", format="XCF", suffix=".xcf")]
    assert files.wrong_suffix(context_of(unknown)).outcome == "not_applicable"


# ---- folders ------------------------------------------------------------------------------------------------


def twins(shared: int, only_a: int, only_b: int) -> list[Sample]:
    """Return two folders with files in common (name and bytes), and files of their own."""
    both = [
        record(f"{folder}/{i}.png", sha256=f"s{i}", pixel_hash=f"p{folder}{i}")
        for i in range(shared)
        for folder in ("a", "b")
    ]
    own = [record(f"a/x{i}.png") for i in range(only_a)] + [record(f"b/y{i}.png") for i in range(only_b)]
    return both + own


@pytest.mark.parametrize(
    ("shared", "only_a", "only_b", "outcome"),
    [(2, 0, 0, "issue"), (1, 0, 0, "passed"), (2, 2, 9, "issue"), (2, 3, 9, "passed"), (2, 9, 2, "issue"),
     (0, 3, 3, "passed")],
)  # fmt: skip
def test_folders_repeat_each_other_from_half_of_the_smaller_on(
    shared: int, only_a: int, only_b: int, outcome: str
) -> None:
    found = files.repeated_folder(context_of(twins(shared, only_a, only_b)))
    assert found.outcome == outcome
    if outcome == "issue":
        assert found.data["pairs"] == [["a", "b", shared]]


def test_equal_names_with_other_bytes_and_equal_bytes_under_other_names_repeat_nothing() -> None:
    names = [record(f"{folder}/{i}.png") for folder in "ab" for i in range(4)]
    assert files.repeated_folder(context_of(names)).outcome == "passed"
    contents = [record(f"{folder}/{folder}{i}.png", sha256=f"s{i}") for folder in "ab" for i in range(4)]
    assert files.repeated_folder(context_of(contents)).outcome == "passed"


@pytest.mark.parametrize(
    ("note", "outcome"),
    [("Listed Twice in all/.", "tip"), ("Each is counted once.", "tip"), ("Classes are folders.", "passed")],
)
def test_what_the_loader_counted_once_is_a_tip(note: str, outcome: str) -> None:
    found = files.repeated_folder(context_of(records(4), notes=(note,)))
    assert found.outcome == outcome
    if outcome == "tip":
        assert found.data["notes"] == [note] and found.message.endswith(note)


# ---- names --------------------------------------------------------------------------------------------------


def test_one_stem_for_several_files_counts_those_that_differ() -> None:
    samples = [
        record("d/Y92.jpg", pixel_hash="p"), record("d/Y92.png", pixel_hash="q"),
        record("d/A.png", pixel_hash="r"), record("d/a.png", pixel_hash="r"),
        record("e/Y92.jpg"), record("d/alone.png"),
    ]  # fmt: skip
    found = files.one_name_two_files(context_of(samples))
    assert found.message == (
        "2 names stand for several files, 1 of them for different images: Y92.jpg / Y92.png, A.png / a.png"
    )
    assert found.samples == ("d/Y92.jpg", "d/Y92.png", "d/A.png", "d/a.png")
    assert found.data["clashes"][0] == ["d/Y92.jpg", "d/Y92.png"]


def test_frames_of_one_file_are_no_clash() -> None:
    samples = [record(f"v#{i}", path="v.tif", frame=i) for i in range(3)]
    assert files.one_name_two_files(context_of(samples)).outcome == "passed"


def test_capitals_count_as_the_file_spells_them() -> None:
    samples = [record("a.JPG", suffix=".jpg"), record("b.jpg", suffix=".jpg"), record("C.png", "yes")]
    found = of("H2H108", context_of(samples))
    assert found.samples == ("a.JPG",) and found.data["by_class"] == {"no": 1, "yes": 0}
    assert "would drop it" in found.message
    assert of("H2H108", context_of(samples[1:])).outcome == "passed"


# ---- mixtures -----------------------------------------------------------------------------------------------


def test_a_mixture_names_all_but_the_most_frequent_rarest_first() -> None:
    samples = [
        record("a", bit_depth=16), record("b"), record("c"), record("d"), record("e", bit_depth=12),
        record("f", "yes", bit_depth=16),
    ]  # fmt: skip
    found = of("H2H105", context_of(samples))
    assert found.samples == ("e", "a", "f")
    assert found.message == "bit depth differs: 8 3, 16 2, 12 1"
    assert found.data["table"] == {
        "16": {"no": 1, "yes": 1}, "8": {"no": 3, "yes": 0}, "12": {"no": 1, "yes": 0},
    }  # fmt: skip
    assert of("H2H105", context_of(samples[1:4])).message == "one bit depth: 8"
    assert of("H2H107", context_of(samples)).outcome == "passed"


# ---- frames -------------------------------------------------------------------------------------------------


def framed(groups: str) -> AuditContext:
    samples = [record(f"v#{i}", path="v.tif", frame=i) for i in range(len(groups))] + [
        record("w", path="w.png")
    ]
    names = {f"v#{i}": group for i, group in enumerate(groups)} | {"w": "w"}
    return context_of(samples, grouping=Grouping(names, (), (), (), (), {}))


def test_frames_of_one_file_in_several_groups_are_severe() -> None:
    found = files.animation(framed("aab"))
    assert (found.outcome, found.severity) == ("issue", "severe")
    assert found.samples == ("v#0", "v#1", "v#2") and "v.tif" in found.message
    assert files.animation(framed("aaa")).outcome == "passed"
    assert files.animation(framed("a")).message.startswith("0 files hold several frames")
    assert files.animation(context_of(records(3))).outcome == "not_applicable"


def test_a_list_names_five_and_counts_the_others() -> None:
    assert files.list_samples("abcde") == "a, b, c, d, e"
    assert files.list_samples("abcdefg") == "a, b, c, d, e and 2 more"
    assert files.list_samples([]) == ""


def test_the_context_counts_by_class_in_the_order_of_the_set() -> None:
    samples = [record("a", "yes"), record("b", "no"), record("c", "yes")]
    context = context_of(samples, {"a": summary("a")}, classes=("yes", "no", "maybe"))
    assert list(files.by_class(context, ["c", "b", "a"]).items()) == [("yes", 2), ("no", 1), ("maybe", 0)]
