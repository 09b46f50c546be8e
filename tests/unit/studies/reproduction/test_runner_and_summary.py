"""The study taken apart: one thing changes at a time, splits do what they say, and the arithmetic is right."""

from __future__ import annotations

import importlib
import itertools
import re
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from headtohead.backbones.catalog import resolve
from headtohead.core.config import ReproductionConfig
from headtohead.core.errors import RunFolderError
from headtohead.core.progress import QUIET
from headtohead.core.run_folder import RunFolder
from headtohead.report.reproduction_page import page, waterfall
from headtohead.studies.reproduction.epoch_replay import train_head_per_epoch
from headtohead.studies.reproduction.protocol import ARMS, CORRECTIONS, NetworkPair
from headtohead.studies.reproduction.runner import ProtocolRunner, ScoredImages
from headtohead.studies.reproduction.splits import Split, draw_split, leak_share
from headtohead.studies.reproduction.summary import published_scores, summarise

N = 60
LABELS = np.arange(N) % 2
GROUPS = np.asarray([f"g{i % 2}-{i // 6}" for i in range(N)], dtype=object)


def test_each_state_differs_from_the_one_before_in_one_thing() -> None:
    told = [{k: v for k, v in asdict(step).items() if k not in ("name", "words")} for step in CORRECTIONS]
    for before, after in itertools.pairwise(told):
        assert sum(before[key] != after[key] for key in before) == 1
    assert told[-1] == {
        "grouped": True, "peeks": False, "shared": True, "normalised": True, "recipe": "foreground", "folds": True,
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_grouped_splits_share_no_group_and_plain_ones_do(seed: int) -> None:
    pool = np.arange(N)
    split = draw_split(LABELS, GROUPS, pool, grouped=True, seed=seed)
    assert sorted([*split.train, *split.scored]) == list(pool)
    assert leak_share(split, GROUPS) == 0.0
    split = draw_split(LABELS, GROUPS, pool, grouped=False, seed=seed)
    assert sorted([*split.train, *split.scored]) == list(pool) and len(split.scored) == 12
    assert LABELS[split.scored].mean() == 0.5
    assert leak_share(split, GROUPS) > 0.5


def test_a_group_with_both_labels_stays_whole() -> None:
    groups = np.asarray([f"g{i // 3}" for i in range(N)], dtype=object)
    for seed in range(10):
        split = draw_split(LABELS, groups, np.arange(N), grouped=True, seed=seed)
        assert leak_share(split, groups) == 0.0


def dataset() -> Any:
    samples = [SimpleNamespace(path=f"{i}.{'JPG' if i % 5 == 0 else 'jpg'}") for i in range(N)]
    return SimpleNamespace(
        samples=samples, classes=("no", "yes"), labels=lambda: LABELS, groups=lambda: GROUPS
    )


def runner(folder: Path, by_epoch: Any, **settings: Any) -> ProtocolRunner:
    """Return a runner whose trainings are replaced by `by_epoch(step, split, draw, workdir)`."""
    networks: Any = SimpleNamespace(
        cnn=SimpleNamespace(name="a"), vit=SimpleNamespace(name="b"), stand_in=True, title="a and b"
    )
    config = ReproductionConfig(data="x", **({"splits": 2, "many_splits": 4, "n_boot": 200} | settings))
    made = ProtocolRunner(dataset(), networks, config, RunFolder(folder), QUIET)
    if by_epoch is not None:
        made._train_cnn = made._train_vit = by_epoch  # type: ignore[method-assign]
    return made


def test_peeking_takes_the_best_epoch_of_the_scored_images(tmp_path: Path) -> None:
    def by_epoch(step: Any, arm: Any, draw: int, split: Split) -> Any:
        rows = np.zeros((3, len(split.scored), 2))
        for epoch, right in enumerate((0.5, 1.0, 0.75)):
            hit = np.arange(len(split.scored)) < right * len(split.scored)
            guess = np.where(hit, LABELS[split.scored], 1 - LABELS[split.scored])
            rows[epoch, np.arange(len(split.scored)), guess] = 1.0
        return rows

    made = runner(tmp_path, None)
    made._probabilities = by_epoch  # type: ignore[method-assign]
    peeking, honest = CORRECTIONS[1], CORRECTIONS[2]
    assert peeking.peeks and not honest.peeks
    assert made.score(peeking, "vit").correct.all()
    assert made.score(honest, "vit").correct.mean() == pytest.approx(0.75, abs=0.05)


def test_finished_trainings_are_kept_and_bound_to_their_parts(tmp_path: Path) -> None:
    calls: list[int] = []

    def by_epoch(step: Any, split: Split, draw: int, workdir: Path) -> Any:
        calls.append(draw)
        return np.full((2, len(split.scored), 2), 0.5)

    runner(tmp_path, by_epoch).score(CORRECTIONS[0], "vit")
    assert len(calls) == 2
    runner(tmp_path, by_epoch).score(CORRECTIONS[0], "vit")
    assert len(calls) == 2
    with pytest.raises(RunFolderError, match="computed from other"):
        runner(tmp_path, by_epoch, seed=7).score(CORRECTIONS[0], "vit")


def test_own_images_until_they_are_shared(tmp_path: Path) -> None:
    made = runner(tmp_path, None)
    assert len(made.pool(CORRECTIONS[0], "vit")) == 48 and len(made.pool(CORRECTIONS[0], "cnn")) == N
    assert len(made.pool(CORRECTIONS[3], "vit")) == N
    shared = [[split.scored.tolist() for split in made.splits(CORRECTIONS[3], arm)] for arm in ARMS]
    assert shared[0] == shared[1]


def scored_images(right: Any) -> ScoredImages:
    """Return one draw that scores every image."""
    return ScoredImages(np.arange(N), np.zeros(N, np.int64), np.full((N, 2), 0.5), np.asarray(right, bool))


def test_effects_are_differences_of_states_with_paired_intervals(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines: dict[Any, ScoredImages] = {}
    for number, step in enumerate(CORRECTIONS):
        for side in ARMS:
            lines[step.name, side] = scored_images(
                rng.random(N) < (0.9 - 0.05 * number if side == "vit" else 0.7)
            )
    leaks = dict.fromkeys(lines, 0.25)
    made = runner(tmp_path, None)
    told = summarise(made.dataset, made.networks, lines, leaks, made.config)
    for before, after in zip(told["steps"], told["steps"][1:], strict=False):
        for what in ("cnn", "vit", "difference"):
            effect = after["effect"][what]
            assert effect["value"] == pytest.approx(after[what]["value"] - before[what]["value"])
            assert effect["low"] <= effect["value"] <= effect["high"]
    last = told["steps"][-1]
    hits = lines[CORRECTIONS[-1].name, "vit"].correct
    assert last["vit"]["value"] == pytest.approx(np.mean(hits))
    assert last["vit"]["n_samples"] == N and last["vit"]["n_groups"] == len(set(GROUPS))
    assert len(told["sentences"]) == 2 and "standing" not in told["sentences"][0]
    figure = waterfall(told, alone=True)
    assert figure.startswith("<svg xmlns") and figure.count("<title>") == 2 * (len(CORRECTIONS) + 1)
    assert "prefers-color-scheme" in figure, "as a file it brings its own colours"
    whole = page(told)
    loaded = re.sub(
        r'<a href="[^"]*">', "", whole
    )  # links to the study and its data are followed, not loaded
    assert not re.search(r"https?://(?!www\.w3\.org)", loaded)
    assert "github.com/Baranll0" in whole and "kaggle.com/datasets/navoneel" in whole
    assert all(step.words.split(",")[0][:20] in whole for step in CORRECTIONS)
    effect = told["steps"][1]["effect"]["difference"]
    value, low, high = (f"{effect[key]:+.3f}".replace("-", "−") for key in ("value", "low", "high"))
    assert f">{value} [{low}, {high}]</td>" in whole


def test_intervals_of_groups_are_wider_than_of_images(tmp_path: Path) -> None:
    """Copies that are right or wrong together are not independent evidence."""
    right = {name: bool(number % 2) for number, name in enumerate(dict.fromkeys(GROUPS))}
    lines: dict[Any, ScoredImages] = {
        (step.name, side): scored_images([right[group] for group in GROUPS])
        for step in CORRECTIONS
        for side in ARMS
    }
    made = runner(tmp_path, None)
    told = summarise(made.dataset, made.networks, lines, dict.fromkeys(lines, 0.0), made.config)["steps"][-1][
        "cnn"
    ]
    plain = 2 * 1.96 * np.sqrt(0.25 / N)
    assert told["high"] - told["low"] > 1.3 * plain


def test_published_counts_have_wilson_intervals() -> None:
    told = published_scores()
    assert (round(told["cnn"]["low"], 3), round(told["cnn"]["high"], 3)) == (0.738, 0.930)
    assert (round(told["vit"]["low"], 3), round(told["vit"]["high"], 3)) == (0.858, 0.995)
    assert told["p_value"] > 0.05


def test_watched_head_learns_and_repeats() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(N, 8)).astype(np.float32) + 2 * LABELS[:, None].astype(np.float32)
    first = train_head_per_epoch(rows, LABELS, rows, 2, epochs=40, seed=1)
    again = train_head_per_epoch(rows, LABELS, rows, 2, epochs=40, seed=1)
    assert np.array_equal(first, again) and first.shape == (40, N, 2)
    assert (first[-1].argmax(axis=1) == LABELS).mean() > 0.9


def test_the_cnn_learns_from_copies_and_is_asked_of_the_images_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay = importlib.import_module("headtohead.studies.reproduction.epoch_replay")
    made = runner(tmp_path, None, head_epochs=3)
    extracted: list[Any] = []
    trained: list[Any] = []

    def rows(record: Any, images: Any, indices: Any, copies: int, seed: int, reporter: Any) -> Any:
        extracted.append((record, images, copies))
        return np.stack(
            [np.column_stack([indices, np.full(len(indices), copy)]) for copy in range(copies + 1)]
        )

    def train(learned: Any, labels: Any, query: Any, k: int, *, epochs: int, seed: int) -> Any:
        trained.append((learned, labels, query, k, epochs, seed))
        return np.full((epochs, len(query), k), 0.5)

    monkeypatch.setattr(replay, "augmented_rows", rows)
    monkeypatch.setattr(replay, "train_head_per_epoch", train)
    monkeypatch.setattr(made, "_source", lambda *key: key)
    monkeypatch.setattr(made, "_as_fed", lambda arm, normalised: (arm, normalised))
    split = Split(np.array([0, 1, 2]), np.array([4, 5]))
    for step in (CORRECTIONS[0], CORRECTIONS[1], CORRECTIONS[-1]):
        made._train_cnn(step, split, 7, tmp_path)
    assert extracted == [
        (("cnn", False), ("cnn", "classical", False), 2), (("cnn", True), ("cnn", "foreground", True), 2)
    ], "features do not depend on the split"  # fmt: skip
    learned, labels, query, k, epochs, seed = trained[0]
    assert learned.tolist() == [[i, copy] for copy in (0, 1, 2) for i in (0, 1, 2)]
    assert labels.tolist() == [0, 1, 0] * 3 and query.tolist() == [[4, 0], [5, 0]]
    assert (k, epochs, seed) == (2, 3, 7)


def test_pixels_go_in_as_published_or_as_the_weights_ask(tmp_path: Path) -> None:
    made = runner(tmp_path, None)
    made.networks = NetworkPair(resolve("efficientnet-lite0"), resolve("dinov2-small"), False)
    for arm, record in (("cnn", made.networks.cnn), ("vit", made.networks.vit)):
        assert made._as_fed(arm, True) is record  # type: ignore[arg-type]
        plain = made._as_fed(arm, False)  # type: ignore[arg-type]
        assert (plain.mean, plain.std, plain.name) == ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), record.name)


def test_the_transformer_is_trained_on_its_parts_with_a_seed_of_its_draw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay = importlib.import_module("headtohead.studies.reproduction.epoch_replay")
    given: list[Any] = []
    monkeypatch.setattr(
        replay, "train_network_per_epoch", lambda *places, **named: given.append((places, named)) or "rows"  # type: ignore[func-returns-value]
    )  # fmt: skip
    made = runner(tmp_path, None, seed=3, epochs=2)
    monkeypatch.setattr(made, "_source", lambda *key: key)
    monkeypatch.setattr(made, "_as_fed", lambda arm, normalised: (arm, normalised))
    split = Split(np.array([0, 1]), np.array([4, 7]))
    assert made._train_vit(CORRECTIONS[-1], split, 5, tmp_path / "w") == "rows"
    ((places, named),) = given
    assert places[:2] == (("vit", True), ("vit", "foreground", True)) and places[2].epochs == 2
    assert [part.tolist() for pair in places[3:] for part in pair] == [[0, 1], [0, 1], [4, 7], [0, 1]]
    assert (named["k"], named["seed"], named["workdir"]) == (2, 305, tmp_path / "w")
