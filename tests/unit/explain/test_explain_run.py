"""`explain` on a finished run: the right head, the recorded log-odds, the files."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import headtohead as h2h
from headtohead.cli.app import main
from headtohead.core.errors import (
    ChangedWeightsError,
    MissingDataError,
    RunFolderError,
    UnknownNameError,
    UsageError,
)
from headtohead.explain.image_map import METHOD_WORDS

NAMES = ("scratch:test_efficientnet@probe", "scratch:test_vit@probe")
ENSEMBLE = f"ensemble({','.join(NAMES)})"


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with images of planted spots and a cache of its own."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("explain")
    rng = np.random.default_rng(0)
    for label in ("clear", "spot"):
        (folder / "data" / label).mkdir(parents=True)
        for i in range(12):
            pixels = rng.normal(100, 20, (60, 80))
            if label == "spot":
                pixels[10:30, 45:65] += 15
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(
                folder / "data" / label / f"{i}.png"
            )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADTOHEAD_HOME", str(folder / "home"))
        yield folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    """A finished run of two probes and their mean; `maps-of-compare` holds the maps that it made by itself."""
    h2h.compare(
        folder / "data",
        [*NAMES, ENSEMBLE],
        out=folder / "run",
        folds=3,
        repeats=2,
        recipe="none",
        quiet=True,
        n_boot=100,
        precision="fp32",
        positive="spot",
        explain=True,
    )
    shutil.copytree(folder / "run" / "maps", folder / "maps-of-compare")
    shutil.copy(folder / "run" / "report.html", folder / "report-of-compare.html")
    return folder / "run"


@pytest.fixture(scope="module")
def explained(run: Path) -> tuple[h2h.Explanation, Path]:
    """The maps of all images of the run, and a copy of their files."""
    found = h2h.load_run(run).explain(images="all", quiet=True)  # type: ignore[union-attr]
    return found, Path(shutil.copytree(run / "maps", run.parent / "maps-of-all"))


def index_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "index.csv").open() as file:
        return list(csv.DictReader(file))


def assert_sums_to_the_recorded(run: Path, found: h2h.Explanation) -> None:
    table = h2h.load_run(run).predictions  # type: ignore[union-attr]
    for one in found.maps:
        own = table[(table["sample"] == one.sample) & (table["contender"] == one.contender)]
        p = float(own["prob_spot"].mean())
        a = one.attribution
        assert a.offset is not None and "rounding of the features" not in a.elsewhere
        total = a.offset + float(one.pixels().sum(dtype=np.float64)) + a.not_localised
        assert abs(total - (np.log(p) - np.log1p(-p))) <= 1e-4


def test_compare_explains_its_errors_at_the_end(run: Path) -> None:
    study = h2h.load_run(run)
    assert isinstance(study, h2h.Run)
    wrong = {name for c in (*NAMES, ENSEMBLE) for name in study.errors(c)["image"]}
    maps = run.parent / "maps-of-compare"
    page = (run.parent / "report-of-compare.html").read_text()
    assert "No maps were made" not in page and "Can the maps be believed?" in page
    assert (maps / "grids.json").is_file() and wrong
    assert {(row["sample"], row["contender"]) for row in index_of(maps)} == {
        (name, c) for name in wrong for c in (*NAMES, ENSEMBLE)
    }


def test_every_map_sums_to_the_recorded_log_odds(run: Path, explained: tuple[h2h.Explanation, Path]) -> None:
    found, _ = explained
    assert len(found.maps) == 24 * 3 and not found.left_out
    assert_sums_to_the_recorded(run, found)


def test_integrated_contributions_sum_too_and_take_the_place_of_the_exact_grids(
    run: Path, explained: tuple[h2h.Explanation, Path]
) -> None:
    again = Path(shutil.copytree(run, run.parent / "integrated", ignore=shutil.ignore_patterns("maps")))
    maps = Path(shutil.copytree(explained[1], again / "maps"))
    spots = [f"spot/{i}.png" for i in range(12)]
    method = "integrated-contributions"
    found = h2h.explain(again, images=spots, contenders=[NAMES[0]], method=method, quiet=True)
    assert_sums_to_the_recorded(run, found)
    assert all(
        set(one.attribution.elsewhere) == {"integration", "mean of probabilities"} for one in found.maps
    )
    grids, told = (json.loads((maps / name).read_text()) for name in ("grids.json", "faithfulness.json"))
    assert grids["method"] == told["method"] == method
    assert grids["method_words"] == METHOD_WORDS.get(method, method)
    assert set(grids["contenders"]) == set(told["contenders"]) == {NAMES[0]}, (
        "units of two methods do not mix"
    )
    assert told["contenders"][NAMES[0]]["labels"]["n_images"] == 24
    assert {row["method"] for row in index_of(maps)} == {"contributions", method}


@pytest.mark.slow
def test_fine_tuned_networks_are_trained_again_and_sum_up(folder: Path) -> None:
    names = [f"scratch:{sort}@finetune" for sort in ("test_efficientnet", "test_vit")]
    run = folder / "tuned"
    h2h.compare(
        folder / "data", names, out=run, folds=2, repeats=1, recipe="none", quiet=True, n_boot=100,
        positive="spot", epochs=1, precision="fp32", policy="fixed",
    )  # fmt: skip
    found = h2h.explain(run, images="all", quiet=True)
    assert {one.contender for one in found.maps} == set(names) and len(found.maps) == 2 * 24
    assert_sums_to_the_recorded(run, found)
    assert not list(run.rglob("*.explain"))


def test_the_files_are_as_documented(explained: tuple[h2h.Explanation, Path]) -> None:
    _, maps = explained
    rows = index_of(maps)
    assert list(rows[0]) == ["sample", "path", "contender", "method", "file", "sanity"]
    assert len({(row["sample"], row["contender"], row["method"]) for row in rows}) == len(rows) == 24 * 3
    for row in rows:
        pixels = np.load(maps / row["file"])
        assert pixels.shape == (60, 80) and pixels.dtype == np.float32
        assert (maps / row["file"]).with_suffix(".png").is_file()
    grids = json.loads((maps / "grids.json").read_text())
    assert {len(own) for own in grids["contenders"].values()} == {24}
    # Else one extreme place would leave the others a few levels.
    assert grids["scale"] == grids["color_limit"]
    entry = grids["contenders"][NAMES[0]]["spot/3.png"]
    parts = entry["offset"] + entry["localised"] + sum(entry["not_localised"].values())
    assert parts == pytest.approx(entry["log_odds"], abs=1e-3)


def test_explaining_one_contender_again_keeps_the_maps_and_checks_of_the_others(
    run: Path, explained: tuple[h2h.Explanation, Path]
) -> None:
    again = Path(shutil.copytree(run, run.parent / "again", ignore=shutil.ignore_patterns("maps")))
    maps, before = again / "maps", explained[1]
    shutil.copytree(before, maps)
    h2h.explain(again, images="all", contenders=[NAMES[0]], quiet=True)
    grids, earlier = (json.loads((folder / "grids.json").read_text()) for folder in (maps, before))
    assert grids["contenders"] == earlier["contenders"] and grids["color_limit"] == earlier["color_limit"]
    told, checks = (json.loads((folder / "faithfulness.json").read_text()) for folder in (maps, before))
    assert told == checks
    h2h.explain(again, images="all", contenders=[NAMES[0]], target="clear", quiet=True)
    alone = json.loads((maps / "grids.json").read_text())["contenders"]
    assert set(alone) == {NAMES[0]}, "maps of another class do not stand beside the new ones"


def test_the_checks_are_written_and_stand_in_the_index(explained: tuple[h2h.Explanation, Path]) -> None:
    _, maps = explained
    checks = json.loads((maps / "faithfulness.json").read_text())["contenders"]
    assert set(checks) == set(NAMES)
    for row in index_of(maps):
        name = row["contender"]
        failed = [one for one in NAMES if checks[one]["sanity"].startswith("failed")]
        ensemble = (
            f"failed: it holds the maps of {' and '.join(failed)}, which failed" if failed else "not checked"
        )
        assert row["sanity"] == (checks[name]["sanity"] if name in checks else ensemble)
    assert {one["labels"]["n_images"] for one in checks.values()} == {24}
    for one in checks.values():
        assert abs(one["random_head"]) < 0.5 and abs(one["random_backbone"]) < 0.9
        assert one["insertion"]["n_images"] == one["deletion_grey"]["n_images"] == 24


def test_pairs_of_contenders_are_compared(explained: tuple[h2h.Explanation, Path]) -> None:
    told = json.loads((explained[1] / "faithfulness.json").read_text())["agreement"]
    assert {(one["a"], one["b"]) for one in told} == {NAMES, (NAMES[0], ENSEMBLE), (NAMES[1], ENSEMBLE)}
    of_two = next(one for one in told if (one["a"], one["b"]) == NAMES)
    with_own_ensemble = [one["same"] for one in told if one["b"] == ENSEMBLE]
    assert max(with_own_ensemble) > of_two["same"], "an ensemble looks where its members look"


def test_masks_say_whether_the_maps_find_the_spot(
    run: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from PIL import Image

    masks = tmp_path / "masks"
    own = Path(shutil.copytree(run, run.parent / "masked"))  # beside the run: its data lie there
    masks.mkdir()
    spot = np.zeros((60, 80), np.uint8)
    spot[10:30, 45:65] = 255
    (masks / "spot").mkdir()
    for i in range(12):
        Image.fromarray(spot).save(masks / "spot" / f"{i}_mask.png")
    assert main(["explain", str(own), "--images", "spot/3.png", "--masks", str(masks)]) == 0
    told = json.loads((own / "maps" / "faithfulness.json").read_text())["localisation"]
    assert told["masks"] == 12 and set(told["rows"]) == {*NAMES, ENSEMBLE, "centred blob", "random map"}
    assert told["rows"]["random map"]["lift"]["value"] == pytest.approx(1, abs=0.5)
    capsys.readouterr()
    assert main(["explain", str(own), "--method", "occlusion", "--masks", str(masks)]) == 2
    assert "Masks are compared with maps in log-odds" in capsys.readouterr().err
    assert main(["explain", str(own), "--masks", str(tmp_path / "none")]) == 2
    assert "no folder of masks" in capsys.readouterr().err


def test_the_report_shows_the_checks(run: Path, explained: tuple[h2h.Explanation, Path]) -> None:
    del explained
    from headtohead.core.run_folder import RunFolder
    from headtohead.report.views.explain import explain_view

    shutil.copytree(run.parent / "maps-of-all", run.parent / "reported" / "maps")
    rows = explain_view(RunFolder(run.parent / "reported"))["checks"]["rows"]
    assert [row[0] for row in rows] == list(NAMES)
    assert all(row[-1] == "24 in 24 groups" for row in rows)


def test_the_command_prints_words_and_where_the_files_are(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(run), "--images", "spot/3.png", "-c", NAMES[0]]) == 0
    out = capsys.readouterr().out
    assert "Log-odds of spot" in out and "index.csv" in out


def test_another_method_stands_beside_the_exact_one(
    run: Path, explained: tuple[h2h.Explanation, Path]
) -> None:
    del explained
    found = h2h.explain(run, images=["spot/3.png"], method="gradcam", quiet=True)
    assert {one.contender for one in found.maps} == set(NAMES) and len(found.left_out) == 1
    rows = [row for row in index_of(run / "maps") if row["sample"] == "spot/3.png"]
    assert {row["method"] for row in rows} == {"contributions", "gradcam"}
    assert found.frame()["offset"].isna().all()


def test_log_odds_that_are_no_rounding_are_refused() -> None:
    from headtohead.explain.attribution import Attribution
    from headtohead.explain.run.recorded import as_recorded

    own = [Attribution(np.ones((2, 2)), 1, 5.0, 1.0)]
    assert as_recorded(own, 5.02, "a", "b").elsewhere == {"rounding of the features": pytest.approx(0.02)}
    small = [Attribution(np.ones((2, 2)), 1, -0.533, 1.0)]  # bf16 against fp32, on an image of the demo
    assert as_recorded(small, -0.636, "a", "b").log_odds == -0.636
    with pytest.raises(RunFolderError, match="recorded"):
        as_recorded(own, 7.0, "a", "b")


def test_what_does_not_exist_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="image"):
        h2h.explain(run, images=["nothing.png"], quiet=True)
    with pytest.raises(UnknownNameError, match="contender"):
        h2h.explain(run, contenders=["majority class"], quiet=True)
    with pytest.raises(UnknownNameError, match="class"):
        h2h.explain(run, target="tumour", quiet=True)
    with pytest.raises(RunFolderError, match="no run"):
        h2h.explain(tmp_path / "nowhere", quiet=True)
    with pytest.raises(UsageError, match="expected errors, all, or sample ids"):
        h2h.explain(run, images=",", quiet=True)


def test_other_weights_than_the_runs_are_noticed(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from headtohead.explain.run import contender_maps

    changed = property(lambda self: np.random.default_rng(1).normal(size=(24, 192)))
    monkeypatch.setattr(contender_maps.ProbeMaps, "rows", changed)
    with pytest.raises(RunFolderError, match="differs"):
        h2h.explain(run, images="all", contenders=NAMES[:1], quiet=True)


def test_a_run_that_was_moved_without_its_images_says_what_to_do(run: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(run, tmp_path / "elsewhere" / "run"))
    with pytest.raises(MissingDataError, match="as `data` into"):
        h2h.explain(moved, quiet=True)
    config = moved / "study.toml"
    lines = config.read_text().splitlines()
    named = [f'data = "{run.parent / "data"}"' if line.startswith("data = ") else line for line in lines]
    config.write_text("\n".join(named))
    assert h2h.explain(moved, images=["spot/3.png"], contenders=[NAMES[0]], quiet=True).maps


def test_other_weights_than_those_of_the_run_are_refused(run: Path) -> None:
    """The features are cached, so only the hash of the weights shows that the network is another one."""
    copy = run.parent / "other-weights"  # beside the run: its data lie there
    shutil.copytree(run, copy)
    for path in copy.glob("contenders/*test_vit*.json"):
        facts = json.loads(path.read_text())
        facts["weights"]["sha256"] = "0" * 64
        path.write_text(json.dumps(facts))
    with pytest.raises(ChangedWeightsError, match="Put them back"):
        h2h.explain(copy, images=["spot/3.png"], contenders=[NAMES[1]], quiet=True)


pytestmark = pytest.mark.slow  # half a minute together; `make test` has to end within 15
