"""What an audit writes, what `clean` decides, the page, and the two commands, on files of a small set."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from headtohead.audit.audit import AuditResult, audit
from headtohead.audit.clean import plan_clean, read_decisions, write_clean
from headtohead.audit.context import AuditConfig
from headtohead.audit.duplicates.records import DuplicatePair, Grouping
from headtohead.core.errors import (
    HeadToHeadError,
    InsufficientDataError,
    ManifestError,
    RunFolderError,
    UsageError,
)
from headtohead.data.dataset import Dataset
from headtohead.data.load import load
from headtohead.report.audit_page import write_audit_page


def head(rng: np.random.Generator) -> np.ndarray[Any, Any]:
    y, x = np.mgrid[:96, :96].astype(np.float32)
    inside = ((y - 48) / rng.uniform(34, 40)) ** 2 + ((x - 48) / rng.uniform(28, 34)) ** 2 < 1
    noise = cv2.resize(rng.normal(size=(9, 9)).astype(np.float32), (96, 96), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.where(inside, 120 + 40 * noise, 5), 0, 240).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty different images, one exact copy (another name) and one file that is no image."""
    root = tmp_path_factory.mktemp("set")
    rng = np.random.default_rng(0)
    for i in range(20):
        place = root / ("no", "yes")[i % 2]
        place.mkdir(exist_ok=True)
        cv2.imwrite(str(place / f"{'abcdefghijklmnopqrst'[i]}.png"), head(rng))
    (root / "yes" / "twin.png").write_bytes((root / "yes" / "b.png").read_bytes())
    (root / "no" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no image")
    return root


@pytest.fixture(scope="module")
def dataset(folder: Path) -> Dataset:
    return load(str(folder))


@pytest.fixture(scope="module")
def grouping(dataset: Dataset) -> Grouping:
    groups = {s.id: s.pixel_hash[:8] for s in dataset.samples}
    pair = DuplicatePair("yes/b.png", "yes/twin.png", "exact")
    return Grouping(groups, (pair,), (), (), ("a note",), {"images": 21})


@pytest.fixture(scope="module")
def result(dataset: Dataset, grouping: Grouping) -> AuditResult:
    return audit(dataset, grouping=grouping, ignore={"H2H301": "sizes are all alike"})


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


# ---- files --------------------------------------------------------------------------------------------------


def test_groups_csv_has_one_row_a_sample_with_paths_relative_to_the_data(
    result: AuditResult, tmp_path: Path, folder: Path
) -> None:
    result.write(tmp_path)
    table = rows(tmp_path / "groups.csv")
    assert list(table[0]) == ["path", "group"]
    assert len(table) == 21
    assert all((folder / row["path"]).is_file() for row in table)
    group = {row["path"]: row["group"] for row in table}
    assert group["yes/b.png"] == group["yes/twin.png"]
    assert len(set(group.values())) == 20


def test_frames_get_a_column_of_their_own(result: AuditResult) -> None:
    from dataclasses import replace

    from headtohead.data.listing.groups_csv import format_groups

    data = result.dataset
    framed = tuple(s.model_copy(update={"frame": 3}) if i == 0 else s for i, s in enumerate(data.samples))
    text = format_groups(replace(data, samples=framed), result.grouping.groups)
    assert text.splitlines()[0] == "path,frame,group"
    assert text.splitlines()[1].split(",")[1] == "3"
    assert text.splitlines()[2].split(",")[1] == ""


def test_audit_json_keeps_findings_worst_first_and_the_reason_of_what_was_ignored(
    result: AuditResult, tmp_path: Path
) -> None:
    record = json.loads(result.write(tmp_path).read_text())
    assert record["format"] == 1
    assert record["dataset"]["classes"]["yes"] == {"samples": 11, "groups": 10}
    assert record["groups"]["shared"] == {result.grouping.groups["yes/b.png"]: ["yes/b.png", "yes/twin.png"]}
    assert record["counts"]["warning"] == len(result.at_least("warning")) - len(result.at_least("severe"))
    ignored = next(f for f in record["findings"] if f["code"] == "H2H301")
    assert ignored["outcome"] == "ignored"
    assert "sizes are all alike" in ignored["message"]
    outcomes = [f["outcome"] for f in record["findings"]]
    assert outcomes.index("passed") > outcomes.index("issue")


def test_the_same_set_and_seed_write_the_same_bytes(
    result: AuditResult, dataset: Dataset, grouping: Grouping, tmp_path: Path
) -> None:
    result.write(tmp_path / "a")
    audit(dataset, grouping=grouping, ignore={"H2H301": "sizes are all alike"}).write(tmp_path / "b")
    for name in ("audit.json", "groups.csv", "thumbs.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_thumbnails_are_small_jpegs_of_named_samples(result: AuditResult, tmp_path: Path) -> None:
    import base64

    result.write(tmp_path)
    thumbs = json.loads((tmp_path / "thumbs.json").read_text())
    assert {"yes/b.png", "yes/twin.png"} <= set(thumbs)
    data = base64.b64decode(thumbs["yes/b.png"].removeprefix("data:image/jpeg;base64,"))
    small = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert small is not None
    assert max(small.shape) <= 160


def test_features_of_the_wrong_length_are_refused(dataset: Dataset, grouping: Grouping) -> None:
    with pytest.raises(UsageError, match="one row per sample"):
        audit(dataset, AuditConfig(features=np.zeros((3, 4))), grouping=grouping)
    with pytest.raises(UsageError, match="not finite"):
        audit(dataset, AuditConfig(features=np.full((21, 4), np.nan)), grouping=grouping)


def test_pretrained_features_name_the_stranger(dataset: Dataset, grouping: Grouping) -> None:
    from headtohead.audit.check import run_checks
    from headtohead.audit.context import AuditContext
    from headtohead.audit.registry import get_check

    rows = np.random.default_rng(1).normal(size=(21, 12))
    rows[7] += 9
    found = run_checks(
        AuditContext(dataset, AuditConfig(features=rows), grouping=grouping), [get_check("H2H130")]
    )[0]
    assert found.outcome == "issue"
    assert found.samples[0] == dataset.samples[7].id
    assert "pretrained features" in found.message


# ---- page ---------------------------------------------------------------------------------------------------


def test_the_page_is_one_file_that_needs_no_network(result: AuditResult, tmp_path: Path) -> None:
    result.write(tmp_path)
    page = write_audit_page(tmp_path).read_text()
    assert "Research use only" in page
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)[^"']+""", page)
    assert not re.findall(r"url\((?!data:|#)", page)
    assert "yes/twin.png" in page
    assert "pixels equal" in page
    assert (
        'class="bar"' in page
        and page.count('class="tile ') >= 3
        and page.index("<h1>") < page.index('id="findings"')
    )
    for found in result.issues:
        assert found.code in page


def test_names_with_markup_are_escaped(result: AuditResult, tmp_path: Path) -> None:
    path = result.write(tmp_path)
    path.write_text(path.read_text().replace("yes/twin.png", "yes/<script>alert(1)</script>.png"))
    page = write_audit_page(tmp_path).read_text()
    assert page.count("<script>") == 1 and "&lt;script&gt;" in page, "the page's own script alone"


def test_a_folder_without_an_audit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="headtohead audit"):
        write_audit_page(tmp_path)


# ---- clean --------------------------------------------------------------------------------------------------


def test_clean_keeps_all_with_groups_and_names_what_it_drops(
    dataset: Dataset, grouping: Grouping, tmp_path: Path
) -> None:
    plan = plan_clean(dataset, grouping)
    dropped = write_clean(plan, tmp_path / "new.csv")
    again = load(str(tmp_path / "new.csv"))
    assert len(again.samples) == 21
    assert len(set(again.groups().tolist())) == 20
    assert [row["path"] for row in rows(dropped)] == ["no/broken.png"]
    assert rows(dropped)[0]["reason"].startswith("unreadable")


def test_clean_can_keep_one_of_each(
    dataset: Dataset, grouping: Grouping, folder: Path, tmp_path: Path
) -> None:
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    plan = plan_clean(dataset, grouping, keep="one-per-group", without={"no/a.png": "another organ"})
    dropped = {row["path"]: row["reason"] for row in rows(write_clean(plan, tmp_path / "new.csv"))}
    assert dropped["yes/twin.png"] == "copy of yes/b.png"
    assert dropped["no/a.png"] == "reviewer: another organ"
    assert len(load(str(tmp_path / "new.csv")).samples) == 19
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_clean_keeps_all_images_of_a_patient(dataset: Dataset, grouping: Grouping) -> None:
    patients = Grouping({s.id: s.label for s in dataset.samples}, grouping.pairs, (), (), (), {})
    plan = plan_clean(dataset, patients, keep="one-per-group")
    assert [d.path for d in plan.dropped] == ["no/broken.png", "yes/twin.png"]


def test_clean_drops_a_scene_with_two_labels_whole(dataset: Dataset) -> None:
    groups = {s.id: s.id for s in dataset.samples} | {"yes/d.png": "no/a.png"}
    pair = DuplicatePair("no/a.png", "yes/d.png", "near")
    plan = plan_clean(dataset, Grouping(groups, (pair,), (), (), (), {}))
    assert {d.path for d in plan.dropped} == {"no/a.png", "yes/d.png", "no/broken.png"}
    assert "labelled no and yes" in plan.dropped[-1].reason


def test_clean_refuses_what_cannot_stand(
    dataset: Dataset, grouping: Grouping, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(InsufficientDataError):
        plan_clean(dataset, grouping, without={s.path: "x" for s in dataset.samples if s.label == "no"})
    with pytest.raises(UsageError, match="file of the data"):
        write_clean(plan_clean(dataset, grouping), folder / "yes" / "b.png")
    table = tmp_path / "decisions.csv"
    with pytest.raises(UsageError, match="no file"):
        read_decisions(table, dataset)
    for text, words in (
        ("path\nno/a.png\n", "expected path and reason"),
        ("path,reason\nno/zz.png,odd\n", "not in the data"),
        ("path,reason\nno/a.png,\n", "no reason"),
    ):
        table.write_text(text)
        with pytest.raises(ManifestError, match=words):
            read_decisions(table, dataset)


# ---- commands -----------------------------------------------------------------------------------------------


def run(*words: object) -> Result:
    import typer

    from headtohead.cli.audit import register

    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_command_writes_three_files_and_fails_on_request(folder: Path, tmp_path: Path) -> None:
    done = run("audit", folder, "--out", tmp_path, "--json", "--ignore", "H2H209=copies are wanted")
    assert done.exit_code == 0, done.output
    for name in ("audit.json", "groups.csv", "audit.html"):
        assert (tmp_path / name).is_file()
    record = json.loads(done.stdout)
    assert {f["code"]: f["outcome"] for f in record["findings"]}["H2H201"] == "issue"
    assert len({row["group"] for row in rows(tmp_path / "groups.csv")}) == 20
    failed = run(
        "audit", folder, "--out", tmp_path, "--fail-on", "warning", "--groups", tmp_path / "groups.csv"
    )
    assert failed.exit_code == 1
    assert "H2H201" in failed.stdout


def test_the_command_keeps_groups_that_were_corrected_by_hand(folder: Path, tmp_path: Path) -> None:
    assert run("audit", folder, "--out", tmp_path).exit_code == 0
    groups = tmp_path / "groups.csv"
    corrected = groups.read_text() + "\n"
    corrected = corrected.replace("yes/twin.png,", "yes/twin.png,alone-")
    groups.write_text(corrected)
    done = run("audit", folder, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert groups.read_text() == corrected
    assert len({row["group"] for row in rows(tmp_path / "groups.new.csv")}) == 20
    assert "edited by hand and is kept" in " ".join(done.output.split())
    assert run("audit", folder, "--out", tmp_path, "--groups", groups).exit_code == 0
    assert groups.read_text() == corrected


def test_the_command_cleans(folder: Path, tmp_path: Path) -> None:
    done = run("clean", folder, "--out", tmp_path / "new.csv", "--keep", "one-per-group")
    assert done.exit_code == 0, done.output
    assert "20 images in 20 groups" in done.stdout
    assert (tmp_path / "new.dropped.csv").is_file()


def test_clean_replaces_its_own_manifest_and_no_other_file(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "labels.csv"
    mine.write_text("path,label\n")
    refused = run("clean", folder, "--out", mine)
    assert isinstance(refused.exception, UsageError) and "was not written by clean" in str(refused.exception)
    assert mine.read_text() == "path,label\n" and sorted(p.name for p in tmp_path.iterdir()) == ["labels.csv"]
    for keep in ("one-per-group", "grouped"):
        assert run("clean", folder, "--out", tmp_path / "new.csv", "--keep", keep).exit_code == 0
    assert "yes/twin.png" in (tmp_path / "new.csv").read_text()


def test_the_command_refuses_a_setting_without_effect(folder: Path, tmp_path: Path) -> None:
    groups = tmp_path / "groups.csv"
    groups.write_text("path,group\n")
    done = run("audit", folder, "--out", tmp_path, "--groups", groups, "--group-similar")
    assert isinstance(done.exception, HeadToHeadError)
    assert "no effect" in str(done.exception)
