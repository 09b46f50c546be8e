"""Patients that folders and names give away: used where certain, proposed otherwise, never across what they are not."""

from __future__ import annotations

import re

import pytest

from headtohead.data.entry import Entry
from headtohead.data.listing.evidence.case_groups import CaseGroups, find_cases
from headtohead.data.listing.label_rules import apply_group_rule


def listed(*paths: str) -> list[Entry]:
    """Return entries whose class is the folder `a`, `b`, … in their path, else their first folder."""
    found = [
        next((part for part in path.split("/")[:-1] if part in "abc"), path.split("/")[0]) for path in paths
    ]
    return [Entry(path, label) for path, label in zip(paths, found, strict=True)]


def named(pattern: str, n: int = 4, k: int = 3) -> list[Entry]:
    """Return `n` cases of each of two classes with `k` images each; `{c}`, `{n}`, `{k}` and `{x}` are filled in."""
    return listed(
        *(
            f"{c}/" + pattern.format(c=c, n=10 * (c == "b") + i, k=j, x=f"{i:02d}{j:02d}{ord(c):08x}")
            for c in "ab"
            for i in range(n)
            for j in range(k)
        )
    )


CERTAIN = {
    "BraTS": named("BraTS19_TCIA_0{n:02d}_1/BraTS19_TCIA_0{n:02d}_1_t{k}.nii.gz"),
    "BreakHis": named("SOB/adenosis/SOB_B_A_14-200{n:02d}CD/100X/SOB_B_A_14-200{n:02d}CD-100-00{k}.png"),
    "patient folders": named("patient{n:02d}/study/{k}.png"),
    "OASIS": named("OAS1_00{n:02d}_MR1_mpr-1_{k}.jpg"),
    "TCGA": named("TCGA-AB-12{n:02d}-01A_{k}.png"),
    "persons": named("person{n}_virus_{k}.jpeg"),
    "subjects of BIDS in names": named("sub-{n:02d}_T{k}.nii.gz"),
    "Roboflow": named("img_{n}_jpg.rf.{x}.jpg"),
    "frames": named("Cov-clip{n}_frame{k}.jpg"),
    "slices": named("case{n} slice {k}.png"),
    "left and right": named("{n}_left.jpeg", k=1) + named("{n}_right.jpeg", k=1),
    "OD and OS": named("{n}-OD.jpg", k=1) + named("{n}-OS.jpg", k=1),
}


@pytest.mark.parametrize("kind", sorted(CERTAIN))
def test_certain_cases_are_used(kind: str) -> None:
    entries = CERTAIN[kind]
    cases = find_cases(entries)
    assert cases is not None and cases.certain, kind
    assert len(set(cases.groups.values())) == 8
    assert {entry.group for entry in cases.applied(entries)} == set(cases.groups.values())
    assert "8 groups" in cases.advice


@pytest.mark.parametrize("kind", sorted(CERTAIN))
def test_the_option_that_is_named_gives_the_same_groups(kind: str) -> None:
    entries = CERTAIN[kind]
    cases = find_cases(entries)
    assert cases is not None
    ruled, _ = apply_group_rule(entries, cases.pattern)
    assert {entry.path: entry.group for entry in ruled} == dict(cases.groups)


def test_numbers_at_the_end_are_proposed_only() -> None:
    cases = find_cases(named("scan{n:02d}_{k}.png"))
    assert cases is not None and not cases.certain
    found = re.search(r"--group-from '(.+)'", cases.advice)
    assert found and "yet nothing says that they are patients" in cases.advice
    ruled, _ = apply_group_rule(named("scan{n:02d}_{k}.png"), found[1])
    assert len({entry.group for entry in ruled}) == 8


ALONE = {
    "class folders that name their files": named("{n} ({k}).png", n=1, k=9),
    "numbers alone": listed(*(f"{c}/{i:04d}.png" for c in "ab" for i in range(9))),
    "class and number": listed(*(f"{c}/Tr-{c}_{i:04d}.png" for c in "ab" for i in range(9))),
    "one side only": named("{n}_left.jpeg", k=1),
    "few": listed("a/x_frame1.png", "a/x_frame2.png", "b/y_frame1.png"),
    "numbered classes": [Entry(f"grade_{i % 3}/grade_{i % 3}_{i}.png", f"grade_{i % 3}") for i in range(30)],
    "visits alone": named("session{k}/{n}.png"),
}


@pytest.mark.parametrize("kind", sorted(ALONE))
def test_what_names_no_case_stands_alone(kind: str) -> None:
    assert find_cases(ALONE[kind]) is None


def test_copies_under_two_labels_are_no_copies() -> None:
    entries = listed(
        *(f"{c}/img_{i}.rf.{i:03d}{j}abcd{c}.jpg" for c in "ab" for i in range(5) for j in range(2))
    )
    assert find_cases(entries) is None or not _certain(find_cases(entries))


def _certain(cases: CaseGroups | None) -> bool:
    return cases is not None and cases.certain


def test_one_patient_may_have_two_labels() -> None:
    entries = listed(*(f"{c}/OAS1_000{i}_{j}.jpg" for c in "ab" for i in range(5) for j in range(2)))
    cases = find_cases(entries)
    assert cases is not None and cases.certain and len(set(cases.groups.values())) == 5


def test_a_group_a_class_is_proposed_and_not_used() -> None:
    entries = [Entry(f"c{i % 4}/clip{i % 4}_frame{i}.png", f"c{i % 4}") for i in range(40)]
    cases = find_cases(entries)
    assert cases is not None and not cases.certain


def test_dicom_files_name_their_patient_themselves() -> None:
    cases = find_cases(named("patient{n:02d}/{k}.dcm"))
    assert cases is not None and not cases.certain


def test_names_of_some_images_leave_the_others_alone() -> None:
    entries = named("person{n}_virus_{k}.jpeg")[:12] + listed(*(f"b/IM-{i:04d}.jpeg" for i in range(8)))
    cases = find_cases(entries)
    assert cases is not None and cases.certain and len(cases.groups) == 12
    ruled, _ = apply_group_rule(entries, cases.pattern)
    assert len({entry.group for entry in ruled}) == 4 + 8
