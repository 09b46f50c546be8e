"""The search: what it may see, what it may not, and that a cheating one would be caught."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Pillow

from headtohead.backbones.features.views import FeatureView
from headtohead.core.config import SearchConfig
from headtohead.core.errors import ChangedConfigError, NoEffectError
from headtohead.core.progress import QUIET
from headtohead.core.records import Sample, ScoreWarning
from headtohead.core.run_folder import RunFolder
from headtohead.data.dataset import Dataset
from headtohead.data.load import load
from headtohead.data.splits.folds import Fold, make_folds
from headtohead.evaluate.verdict import VerdictConfig, compute_verdict
from headtohead.heads.base import FoldJob, FoldResult, SampleLabels
from headtohead.heads.cross_validation import cell_lookup, load_cells
from headtohead.heads.linear_probe import ProbeHead
from headtohead.heads.prediction_tables import predictions_table
from headtohead.studies.search.augmented_probe import AugmentedCopy, AugmentedProbeHead
from headtohead.studies.search.deadline import DeadlineReporter, TimeOverError
from headtohead.studies.search.final_model import model_probabilities, probe_probabilities, searched_model
from headtohead.studies.search.fine_tuned import fit_on_all, tuned_heads, tuned_probabilities
from headtohead.studies.search.search import best_study
from headtohead.studies.search.search_heads import fit_until, search_heads
from headtohead.studies.search.search_space import (
    AblationStep,
    CandidateSpec,
    ablation_steps,
    candidate_specs,
)
from headtohead.studies.search.summary import METRICS, SEARCHED, WITH_TUNED, _with_base, search_summary
from headtohead.training.data_loader import get_augmenter

N, D = 100, 8


def dataset(labels: npt.NDArray[np.int64], groups: int) -> Dataset:
    samples = tuple(
        Sample(
            id=f"s{i:03d}", path=f"s{i:03d}.png", label=("no", "yes")[label], group=f"g{i // 2 % groups}",
            sha256=f"{i:064x}", pixel_hash=f"p{i}", width=8, height=8, n_bytes=9, mode="L", format="PNG",
            suffix=".png", bit_depth=8,
        )
        for i, label in enumerate(labels)
    )  # fmt: skip
    return Dataset("nowhere", samples, ("no", "yes"), "yes")


class Noise:
    """Feature rows that know nothing, or a little, of the labels."""

    def __init__(self, data: Dataset, skill: float) -> None:
        self.labels, self.skill = data.labels(), skill

    def features(self, wanted: CandidateSpec) -> npt.NDArray[np.float32]:
        rng = np.random.default_rng(len(wanted.name) * 7)
        rows = rng.normal(size=(N, D))
        rows[:, 0] += self.skill * self.labels
        return rows.astype(np.float32)


TRIED = [
    CandidateSpec("a"),
    CandidateSpec("a", view=FeatureView(flip=True)),
    CandidateSpec("bb", view=FeatureView(layers=True)),
    CandidateSpec("ccc", "none"),
]
RUNGS = [AblationStep("whole image", [TRIED[0]]), AblationStep("+ others", TRIED[:2])]


def labels_of(data: Dataset) -> SampleLabels:
    return SampleLabels(data.labels(), data.groups(), data.classes)


def folds_of(data: Dataset, repeats: int) -> list[Fold]:
    return list(make_folds(data, folds=4, repeats=repeats, seed=0).folds)


def estimate(tmp_path: Path, data: Dataset, provider: Any) -> tuple[Any, Any, Any, list[Any]]:
    """Fit candidates, steps and search; return verdicts, predictions, how often each was chosen, and the folds."""
    run = RunFolder(tmp_path)
    heads = search_heads(TRIED, RUNGS, provider, cell_lookup(run, seed=0, k=2))
    deadline = DeadlineReporter(QUIET, np.inf)
    folds = fit_until(heads, folds_of(data, 2), labels_of(data), run, deadline, seed=0)
    names = [*(step.name for step in RUNGS), SEARCHED]
    cells = list(load_cells(names, folds, run, seed=0, k=2))
    table = predictions_table(cells, labels_of(data), [sample.id for sample in data.samples])
    config = VerdictConfig(classes=data.classes, positive=data.positive, contenders=tuple(names))
    verdicts = {
        metric: compute_verdict(table, config.model_copy(update={"metric": metric})) for metric in METRICS
    }
    chosen: dict[str, int] = {}
    for name, _, result in cells:
        if name == SEARCHED:
            for member, weight in zip(result.chosen["members"], result.chosen["weights"], strict=True):
                chosen[member] = chosen.get(member, 0) + (weight > 0)
    return verdicts, table, {name: n for name, n in chosen.items() if n}, folds


def auroc(verdict: Any, name: str) -> float:
    return float(
        next(s.value for s in verdict["auroc"].scores if s.contender == name and s.metric == "auroc")
    )


@pytest.mark.slow
def test_meaningless_labels_get_chance_and_a_cheat_would_not(tmp_path: Path) -> None:
    labels = np.random.default_rng(4).permutation(np.arange(N) % 2)
    data = dataset(labels, N)
    verdict, table, chosen, parts = estimate(tmp_path, data, Noise(data, 0.0))
    score = next(s for s in verdict["auroc"].scores if s.contender == SEARCHED and s.metric == "auroc")
    assert score.low < 0.5 and score.value < 0.6  # stratified folds lean below chance, never above
    assert chosen and len(parts) == 8
    # the same candidates, the best of them picked by what it scores on the test part: well above chance
    from headtohead.heads.cell_io import read_cell
    from headtohead.heads.cross_validation import cell_key

    run, hits = RunFolder(tmp_path), []
    for part in parts:
        truth = labels[part.test]
        found = [
            read_cell(run.cell_path(one.name, part.repeat, part.fold), cell_key(one.name, part, 0), 2)
            for one in TRIED
        ]
        hits.append(
            max(float((c.probabilities.argmax(axis=1) == truth).mean()) for c in found if c is not None)
        )
    honest = (table[table.contender == SEARCHED].prob_yes > 0.5) == (
        table[table.contender == SEARCHED].label == "yes"
    )
    assert np.mean(hits) > honest.mean() + 0.03


def test_search_finds_what_is_there_and_tells_it(tmp_path: Path) -> None:
    data = dataset((np.arange(N) // 2) % 2, N)
    kitchen: Any = Noise(data, 3.0)
    verdict, _, chosen, parts = estimate(tmp_path, data, kitchen)
    assert auroc(verdict, SEARCHED) > 0.9
    told = search_summary(verdict, chosen, parts, data, [one.name for one in TRIED])
    assert [row["name"] for row in told["ladder"]] == ["whole image", "+ others", SEARCHED]
    gain = told["ladder"][1]["gain_in_auroc"]
    assert gain["difference"] == pytest.approx(auroc(verdict, "+ others") - auroc(verdict, "whole image"))
    assert gain["low"] <= gain["difference"] <= gain["high"]
    assert told["ladder"][0]["gain_in_accuracy"] is None
    low, high = (told["ladder"][2]["gain_in_accuracy"][end] for end in ("low", "high"))
    assert low <= told["ladder"][2]["gain_in_accuracy"]["difference"] <= high
    model = searched_model(TRIED, kitchen, data, tmp_path, 0)
    assert sum(one["weight"] for one in model["members"]) == pytest.approx(1.0)
    arrays = np.load(tmp_path / "model.npz")
    assert arrays[f"{model['members'][0]['arrays']}_weights"].shape == (1, D)
    asked = probe_probabilities(model, tmp_path, kitchen)
    assert (asked.argmax(axis=1) == data.labels()).mean() > 0.9
    told |= {"model": model, "notes": ["Left out: <nothing>."]}
    from headtohead.report.search_page import page

    whole = page(told, verdict["auroc"])
    assert "+ others" in whole and "https://" not in whole and "&lt;nothing&gt;" in whole
    assert whole.count('data-csv="step,') == 2 and "do not read it" in whole
    assert "model-NAME.safetensors" not in whole, "nothing was fine-tuned"


@pytest.mark.slow
def test_an_interval_that_may_be_too_narrow_is_said_above_the_table(tmp_path: Path) -> None:
    data = dataset((np.arange(N) // 2) % 2, N)
    kitchen: Any = Noise(data, 3.0)
    verdict, _, chosen, parts = estimate(tmp_path, data, kitchen)
    why = ScoreWarning(code="few_degrees", text="a few groups make up most of the variance")
    scores = tuple(
        s.model_copy(update={"warnings": (why,) if (s.contender, s.metric) == (SEARCHED, "auroc") else ()})
        for s in verdict["auroc"].scores
    )
    verdict["auroc"] = verdict["auroc"].model_copy(update={"scores": scores})
    told = search_summary(verdict, chosen, parts, data, [one.name for one in TRIED])
    assert told["caveats"] == [
        "A handful of groups decides AUROC: without one of them the result could be quite different, and "
        "the intervals may be too narrow."
    ]
    told |= {"model": searched_model(TRIED, kitchen, data, tmp_path, 0), "notes": []}
    from headtohead.report.search_page import page

    whole = page(told, verdict["auroc"])
    assert told["caveats"][0] in whole and whole.count("] *</td>") == 1


def test_time_that_is_over_ends_after_a_whole_repeat(tmp_path: Path) -> None:
    data = dataset((np.arange(N) // 2) % 2, N)
    run = RunFolder(tmp_path)
    heads = search_heads(TRIED, RUNGS, Noise(data, 1.0), cell_lookup(run, seed=0, k=2))  # type: ignore[arg-type]
    watch = DeadlineReporter(QUIET, -np.inf)
    assert len(fit_until(heads, folds_of(data, 3), labels_of(data), run, watch, seed=0)) == 4
    with pytest.raises(TimeOverError):
        list(watch.progress([1], "epoch"))
    assert list(DeadlineReporter(QUIET, np.inf).progress([1, 2], "epoch")) == [1, 2]


VIT, CNN = "scratch:test_vit", "scratch:test_efficientnet"


def test_ladder_adds_one_thing_at_a_time_from_what_is_searched() -> None:
    rungs = ablation_steps([CNN, VIT], "foreground")
    assert rungs[0].name == "whole image"
    assert [len(rung.members) for rung in rungs] == [1, 1, 1, 1, 1, 1, 2]
    tried = candidate_specs([CNN, VIT], "foreground")
    assert len({one.name for one in tried}) == len(tried) == 5
    assert set(rungs[-1].members) <= set(tried)
    assert all(one.recipe == "none" for one in candidate_specs([VIT], "none"))


def test_where_mirror_images_are_not_sound_nothing_looks_at_them() -> None:
    tried = candidate_specs([CNN, VIT], "foreground", flips=False)
    rungs = ablation_steps([CNN, VIT], "foreground", flips=False)
    used = [*tried, *(one for rung in rungs for one in rung.members)]
    assert not any(one.view.flips for one in used) and any(one.view.layers for one in used)
    assert [rung.name for rung in rungs][2:] == [
        "+ features of several layers", "+ larger input", "+ other backbones"
    ]  # fmt: skip


def test_copies_stand_aside_of_the_ladder_and_outside_the_search() -> None:
    rungs = ablation_steps([CNN, VIT], "foreground", copies=3)
    places = [number for number, rung in enumerate(rungs) if rung.side_branch]
    assert [rung for rung in rungs if not rung.side_branch] == ablation_steps([CNN, VIT], "foreground")
    names = [rung.name for rung in rungs]
    standing = dict(_with_base([*names, f"{CNN}@finetune"], {names[place] for place in places}))
    assert len(places) == 2
    for place in places:
        assert rungs[place].members == [replace(rungs[place - 1].members[0], copies=3)]
        assert standing[names[place]] == standing[names[place + 1]] == names[place - 1]
    assert standing[names[0]] is None and standing[f"{CNN}@finetune"] is None


def copied(skill: float, seed: int = 0) -> tuple[Dataset, Any, list[Any]]:
    """Return 100 samples, their rows and two copies of each, which say the more of the label."""
    data = dataset((np.arange(N) // 2) % 2, N)
    rng = np.random.default_rng(seed)
    plain = Noise(data, 0.3).features(TRIED[0])
    copies = [rng.normal(size=(N, D)) + skill * np.eye(D)[0] * data.labels()[:, None] for _ in range(2)]
    return data, plain, copies


def ask(plain: Any, copies: list[Any], data: Dataset) -> FoldResult:
    head = AugmentedProbeHead(lambda: plain, [lambda rows=rows: rows for rows in copies])  # type: ignore[misc]
    known = SampleLabels(data.labels(), data.groups(), data.classes)
    return head.fit_predict(FoldJob(0, 0, np.arange(60), np.arange(60, N), 3), known, Path())


def test_copies_of_what_is_scored_change_nothing_and_those_of_the_training_part_do() -> None:
    """Copies of scored images that give their label away: a head that learned from them would know it."""
    data, plain, copies = copied(0.0)
    planted = [rows.copy() for rows in copies]
    for rows in planted:
        rows[60:] = plain[60:] + 50.0 * data.labels()[60:, None]
    one, other = ask(plain, copies, data), ask(plain, planted, data)
    assert np.array_equal(one.probabilities, other.probabilities)
    assert np.array_equal(one.inner_probabilities, other.inner_probabilities)
    telling = ask(plain, copied(3.0)[2], data)
    assert not np.array_equal(one.probabilities, telling.probabilities)


def test_inner_folds_never_learn_from_copies_of_what_they_judge() -> None:
    """Each copy carries its image's own mark; marks of held images would be known by heart."""
    labels = np.random.default_rng(8).permutation(np.arange(N) % 2)
    data = dataset(labels, N)
    marks = np.eye(N // 2)[np.arange(N) // 2].astype(np.float32)  # shared by a group, and by nobody else
    inner = ask(marks, [marks, marks], data).inner_probabilities
    hits = float((inner.argmax(axis=1) == labels[:60]).mean())
    assert hits < 0.65  # by heart it would be most of the pairs of one label


def test_copies_that_repeat_the_images_change_nothing() -> None:
    data, plain, _ = copied(0.0)
    alone = ProbeHead(lambda: plain).fit_predict(
        FoldJob(0, 0, np.arange(60), np.arange(60, N), 3),
        SampleLabels(data.labels(), data.groups(), data.classes),
        Path(),
        QUIET,
    )
    same = ask(plain, [plain, plain], data)
    assert same.chosen["C"] == alone.chosen["C"]
    np.testing.assert_allclose(same.probabilities, alone.probabilities, rtol=1e-4, atol=1e-5)


def test_a_copy_is_drawn_from_seed_number_and_image_alone() -> None:
    samples = dataset(np.arange(4) % 2, 4).samples
    pixels = np.random.default_rng(0).random((32, 32), dtype=np.float32)
    light = get_augmenter("light")
    made = [
        AugmentedCopy(light, seed, number)(samples[0], pixels)
        for seed, number in ((0, 1), (0, 1), (0, 2), (1, 1))
    ]
    assert np.array_equal(made[0], made[1])
    assert not any(np.array_equal(made[0], other) for other in made[2:])
    assert not np.array_equal(made[0], AugmentedCopy(light, 0, 1)(samples[1], pixels))
    renamed = samples[0].model_copy(update={"id": "z", "path": "z.png"})
    assert np.array_equal(made[0], AugmentedCopy(light, 0, 1)(renamed, pixels))
    assert len({AugmentedCopy(light, seed, number).name for seed in (0, 1) for number in (1, 2)}) == 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty-four images on dark ground, a bright spot on one side of half of them."""
    rng = np.random.default_rng(5)
    for number in range(24):
        pixels = rng.integers(0, 60, (48, 48), dtype=np.uint8)
        if number % 2:
            pixels[10:20, 8:18] = 250
        place = tmp_path / "images" / ("yes" if number % 2 else "no")
        place.mkdir(parents=True, exist_ok=True)
        Pillow.fromarray(pixels).save(place / f"{number}.png")
    return tmp_path / "images"


def small(folder: Path, out: Path, cache: Path, minutes: float, **settings: Any) -> dict[str, Any]:
    """Run a search over one tiny network and return the content of `best.json`."""
    stated: dict[str, Any] = {"epochs": 1, "copies": 2, "finetune": (CNN,)} | settings
    config = SearchConfig(data=str(folder), backbones=(CNN,), minutes=minutes, folds=2, repeats=2, **stated)
    content: dict[str, Any] = best_study(config, out, cache=cache).json("best.json")
    return content


@pytest.mark.slow
def test_the_model_holds_what_the_estimate_describes(folder: Path, tmp_path: Path) -> None:
    out, cache = tmp_path / "out", tmp_path / "cache"
    short = small(folder, out, cache, 0.0)
    assert short["sentences"][0].startswith("Refused: the best contender"), "file facts solve these images"
    assert any("file's facts" in sentence for sentence in short["sentences"])
    assert SEARCHED in short["sentences"][1] and WITH_TUNED not in short["sentences"][1]
    assert any("(H2H301)" in caveat for caveat in short["caveats"]), (
        "the audit's shortcut stands beside the estimate"
    )
    assert short["model"]["tuned"] == [] and "more --minutes" in short["notes"][0]
    told = small(folder, out, cache, 60.0)  # the same folder goes on
    assert f"'{WITH_TUNED}'" in told["sentences"][1] and told["notes"] == []
    assert [row["name"] for row in told["ladder"]][-2:] == [WITH_TUNED, f"{CNN}@finetune"]
    assert told["ladder"][-1]["gain_in_auroc"] is None and told["ladder"][-2]["gain_in_auroc"] is not None
    aside = next(row for row in told["ladder"] if row["name"] == "aside: 2 copies, symmetry")
    assert aside["over"] == "+ differences of left and right" and told["asked"]["copies"] == 2
    assert "is a branch" in (out / "best.html").read_text(encoding="utf-8")
    assert not any("copies" in name for name in told["candidates"])
    data = load(str(folder))
    both = model_probabilities(told["model"], out, data, cache=cache)
    probes = model_probabilities(told["model"] | {"tuned": []}, out, data, cache=cache)
    (member,) = told["model"]["tuned"]
    np.testing.assert_allclose(both, (probes + tuned_probabilities(member, out, data)) / 2)
    with pytest.raises(ChangedConfigError, match="epochs: 1 there, 2 asked for"):
        small(folder, out, cache, 60.0, epochs=2)
    with pytest.raises(NoEffectError, match="copies"):
        small(folder, tmp_path / "other", cache, 60.0, augment="none")


def test_the_network_on_disk_says_what_the_head_says(folder: Path, tmp_path: Path) -> None:
    data = load(str(folder))
    head = tuned_heads([CNN], data, "none", epochs=1, augment="auto")[f"{CNN}@finetune"]
    member = fit_on_all(f"{CNN}@finetune", head, data, "none", tmp_path, 7, QUIET)
    every = np.arange(len(data))
    known = SampleLabels(data.labels(), data.groups(), data.classes)
    said = head.fit_predict(FoldJob(0, 0, every, every, 7), known, tmp_path / "work", QUIET)
    np.testing.assert_allclose(
        tuned_probabilities(member, tmp_path, data), said.probabilities, rtol=1e-6, atol=1e-7
    )


def test_a_network_that_is_there_is_kept_and_another_one_is_made_anew(folder: Path, tmp_path: Path) -> None:
    data = load(str(folder))
    head = tuned_heads([CNN], data, "none", epochs=1, augment="auto")[f"{CNN}@finetune"]
    over = DeadlineReporter(QUIET, -np.inf)  # whoever trains with it is stopped
    member = fit_on_all(f"{CNN}@finetune", head, data, "none", tmp_path, 7, QUIET)
    made = (tmp_path / member["file"]).read_bytes()
    assert fit_on_all(f"{CNN}@finetune", head, data, "none", tmp_path, 7, over) == member
    assert (tmp_path / member["file"]).read_bytes() == made
    with pytest.raises(TimeOverError):
        fit_on_all(f"{CNN}@finetune", head, data, "none", tmp_path, 8, over)
