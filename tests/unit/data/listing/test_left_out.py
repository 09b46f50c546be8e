"""What is left out, counted by class."""

from __future__ import annotations

from headtohead.data.entry import Entry
from headtohead.data.listing.left_out import by_format, count_classes, one_sided, own_outputs


def test_files_are_counted_by_the_class_of_their_folder() -> None:
    entries = [Entry("a/1.png", label="A"), Entry("b/images/1.png", label="B")]
    (heic,) = count_classes({"HEIC files": ["a/2.heic", "a/3.heic", "b/masks/1.heic", "c/4.heic"]}, entries)
    assert heic.record() == {"why": "HEIC files", "n": 4, "per_class": {"A": 2, "B": 1}}
    assert str(heic) == "4 HEIC files (A 2, B 1): a/2.heic, a/3.heic, b/masks/1.heic and 1 more"
    assert count_classes({"nothing": []}, entries) == ()


def test_a_loss_of_one_class_is_told() -> None:
    entries = [Entry("a/1.png", label="A"), Entry("b/1.png", label="B")]
    even, odd = count_classes({"x": ["a/2", "a/3", "b/2", "b/3"], "y": ["b/4", "b/5", "b/6"]}, entries)
    assert (one_sided(even), one_sided(odd)) == ("", "B")


def test_formats_that_are_not_read_are_named_with_the_way_on() -> None:
    found = by_format(["a.rar", "b.HEIC", "notes.txt"])
    assert [sorted(paths) for paths in found.values()] == [["a.rar"], ["b.HEIC"], ["notes.txt"]]
    assert any("pillow-heif" in why for why in found)


def test_folders_of_results_are_known_by_their_files() -> None:
    paths = [
        "no/1.png",
        "look/boxes.csv",
        "look/sheet-001.png",
        "run/study.toml",
        "run/provenance.json",
        "run/maps/1.png",
    ]
    assert own_outputs(paths) == set(paths[1:])
    assert own_outputs(["no/boxes.csv", "no/1.png"]) == set()
