"""What may tell who the patients are: letters that a header declares, names in paths."""

from __future__ import annotations

import pytest
from tests.planting.memory import CLEAN, MemoryDataset, altered, pixels_by

from headtohead.audit.check import run_checks
from headtohead.audit.checks.personal import personal_kinds
from headtohead.audit.context import AuditContext
from headtohead.audit.registry import get_check
from headtohead.core.records import Finding, Image, Sample


@pytest.mark.parametrize(
    "path",
    [
        "no/MUELLER^ANNA/4.png",
        "no/MUELLER^ANNA^^DR/4.png",
        "no/Mueller, Anna/4.png",
        "no/Müller-Lüdenscheidt,Anna_1.png",
        "of Dr. Weber/no/4.png",
        "no/Frau Schmidt 2.png",
        "no/Mrs_Jones/1.dcm",
        "no/p1_dob19630504.png",
        "no/p1 born 1963-05-04.png",
        "no/geb_04.05.1963.dcm",
    ],
)
def test_what_names_a_person_is_found(path: str) -> None:
    assert list(personal_kinds(path, "no"))


@pytest.mark.parametrize(
    "path",
    [
        "Pneumonia, Viral/1.png",  # the class itself
        "Dr_Severe/12_20190504.png",
        "train/Mild DR/19630504.png",
        "p12/IMG_19630504_091500.png",
        "ISIC_0024306.jpg",
        "TCGA-02-0047-01Z.png",
        "birth_12.png",
        "newborn 2019/1.png",
        "Mr_scan3.png",
        "a^2/1.png",
        "scan@2x.nii.gz",
    ],
)
def test_what_names_nobody_is_left_alone(path: str) -> None:
    assert list(personal_kinds(path, path.partition("/")[0])) == []


def _found(code: str, data: MemoryDataset) -> Finding:
    return run_checks(AuditContext(data), [get_check(code)])[0]


def test_the_message_counts_and_names_nobody() -> None:
    def renamed(sample: Sample, image: Image) -> tuple[Sample, Image]:
        path = f"no/MUELLER^ANNA/{sample.id.rpartition('/')[2]}"
        return sample.model_copy(update={"path": path}), image

    found = _found("H2H133", altered(CLEAN, [0, 3], renamed))
    assert (found.outcome, found.severity, len(found.samples)) == ("issue", "warning", 2)
    assert found.message.startswith("2 files may name a person") and "MUELLER" not in found.message
    assert _found("H2H133", CLEAN).outcome == "passed"


def test_a_header_that_states_no_letters_passes() -> None:
    assert _found("H2H132", CLEAN).outcome == "not_applicable"
    stated = altered(CLEAN, [1], pixels_by(lambda p: p, facts={"burned_in_annotation": "no"}))
    assert _found("H2H132", stated).outcome == "passed"
    both = altered(stated, [2], pixels_by(lambda p: p, facts={"burned_in_annotation": "yes"}))
    found = _found("H2H132", both)
    assert (found.outcome, found.samples) == ("issue", (CLEAN.samples[2].id,))
    assert "1 image of 2" in found.message
