"""Fine-tuning: same digits whatever happens around it, nothing seen that is scored, and it learns."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.backbones.record import BackboneRecord
from headtohead.core.errors import HeadToHeadError, NoEffectError
from headtohead.core.reporter import QUIET
from headtohead.core.training import Budget
from headtohead.heads.base import Cell, CellData, CellResult, quality
from headtohead.heads.finetune import FinetuneHead, suited
from headtohead.heads.purse import Purse
from headtohead.heads.settings import FinetuneSettings

torch = pytest.importorskip("torch")
from torch import Tensor, nn  # noqa: E402

SIDE = 24


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Nets this small are slower on two threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Blobs:
    """Noise with a bright spot at the top for class 1, at the bottom for class 0."""

    def __init__(self, n: int, seed: int = 0, strength: float = 0.9) -> None:
        rng = np.random.default_rng(seed)
        self.labels = np.arange(n) % 2
        self.array = rng.uniform(0, 0.3, (n, SIDE, SIDE)).astype(np.float32)
        for row, label in enumerate(self.labels):
            top = 4 if label else SIDE - 9
            left = rng.integers(2, SIDE - 8)
            self.array[row, top : top + 5, left : left + 5] += strength * 0.7
        self.array = np.clip(self.array, 0, 1)
        self.asked: set[int] = set()

    def pixels(self, index: int) -> npt.NDArray[np.float32]:
        self.asked.add(index)
        picked: npt.NDArray[np.float32] = self.array[index]
        return picked

    def normalise(self, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.repeat((pixels[None] - 0.5) / 0.5, 3, axis=0)

    def number(self, index: int) -> int:
        return index * 7919 + 13


class Tiny(nn.Module):
    """Two convolutions with batch norm: a backbone in the shape that heads expect."""

    def __init__(self, seed: int, drop_path: float = 0.0) -> None:
        super().__init__()
        del drop_path
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.stem = nn.Sequential(nn.Conv2d(3, 8, 5, stride=2), nn.BatchNorm2d(8), nn.ReLU())
            self.top = nn.Sequential(nn.Conv2d(8, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU())
        self.n_features = 32

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.adaptive_avg_pool2d(self.top(self.stem(x)), (2, 1)).flatten(1)

    def blocks(self) -> list[tuple[str, list[nn.Parameter]]]:
        return [("stem", list(self.stem.parameters())), ("top", list(self.top.parameters()))]


def record(source: str = "timm-hub") -> BackboneRecord:
    return BackboneRecord.model_validate(
        {
            "name": "tiny", "family": "cnn", "source": source, "model_id": "tiny", "architecture": "tiny",
            "input_size": SIDE, "mean": (0.5,) * 3, "std": (0.5,) * 3, "pretraining": "none",
            "licence": "none", "paper": "none",
        }
    )  # fmt: skip


def cell_of(n: int, n_train: int, seed: int = 3) -> tuple[Cell, CellData]:
    labels = np.arange(n, dtype=np.int64) % 2
    groups = np.asarray([f"g{i // 2}" for i in range(n)], dtype=object)
    return Cell(0, 0, np.arange(n_train), np.arange(n_train, n), seed), CellData(
        labels, groups, ("no", "yes")
    )


def run(
    folder: Path,
    settings: FinetuneSettings,
    pictures: Any = None,
    build: Callable[[int, float], nn.Module] = Tiny,
    source: str = "timm-hub",
    precision: str = "fp32",
) -> CellResult:
    pictures = pictures or Blobs(60)
    cell, data = cell_of(60, 44)
    head = FinetuneHead(
        record(source),
        None,
        None,
        settings,
        device="cpu",
        precision=precision,
        build=build,
        pictures=pictures,
    )
    return head.fit_predict(cell, data, folder)


def short(**changes: Any) -> FinetuneSettings:
    return FinetuneSettings(**{"epochs": 3, "learning_rate": 3e-3, "batch": 8, "workers": 0, **changes})


def test_learns_and_reports(tmp_path: Path) -> None:
    result = run(tmp_path, short(epochs=8))
    _, data = cell_of(60, 44)
    assert quality(data.labels[44:], result.probabilities).accuracy == 1.0
    assert np.allclose(result.probabilities.sum(axis=1), 1.0)
    assert np.isnan(result.inner_probabilities).all() and result.inner.loss is None
    assert [line.epoch for line in result.epochs] == list(range(1, 9))
    assert result.epochs[-1].train_loss < result.epochs[0].train_loss
    assert result.chosen["policy"].startswith("fixed")
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == list(range(1, 9))
    assert not list(tmp_path.glob("*.pt"))


@pytest.mark.parametrize("workers", [1, 3])
def test_number_of_workers_changes_no_digit(tmp_path: Path, workers: int) -> None:
    settings = short(dropout=0.3, mixup=0.4, cutmix=0.5, ema=0.9)
    alone = run(tmp_path / "a", settings)
    many = run(tmp_path / "b", settings.model_copy(update={"workers": workers}))
    assert np.array_equal(alone.probabilities, many.probabilities)
    assert alone.epochs == many.epochs


def test_global_generators_neither_matter_nor_move(tmp_path: Path) -> None:
    torch.manual_seed(1)
    first = run(tmp_path / "a", short(dropout=0.5))
    torch.manual_seed(2)
    before = torch.get_rng_state()
    second = run(tmp_path / "b", short(dropout=0.5))
    assert np.array_equal(first.probabilities, second.probabilities)
    assert torch.equal(before, torch.get_rng_state())


class Killed(BaseException):
    pass


class DiesAt(Blobs):
    """Stops the process after so many pictures, as a kill would."""

    def __init__(self, n: int, after: int) -> None:
        super().__init__(n)
        self.left = after

    def pixels(self, index: int) -> npt.NDArray[np.float32]:
        self.left -= 1
        if self.left < 0:
            raise Killed
        return super().pixels(index)


@pytest.mark.parametrize("after", [20, 100, 130, 200, 230])
@pytest.mark.parametrize(("policy", "cycles"), [("fixed", 1), ("inner", 1), ("fixed", 3)])
def test_killed_anywhere_goes_on_to_the_same_digits(
    tmp_path: Path, after: int, policy: str, cycles: int
) -> None:
    settings = short(dropout=0.3, ema=0.9, mixup=0.2, policy=policy, cycles=cycles)
    whole = run(tmp_path / "whole", settings)
    with pytest.raises(Killed):
        run(tmp_path / "cut", settings, DiesAt(60, after))
    resumed = run(tmp_path / "cut", settings)
    assert np.array_equal(whole.probabilities, resumed.probabilities)
    assert whole.epochs == resumed.epochs
    assert dict(whole.chosen) == dict(resumed.chosen)


def test_resuming_saves_the_finished_epochs(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(tmp_path, short(head_start="random"), DiesAt(60, 4 + 2 * 44 + 10))
    pictures = Blobs(60)
    counted: list[int] = []
    original = pictures.pixels
    pictures.pixels = lambda index: counted.append(index) or original(index)  # type: ignore[method-assign, func-returns-value]
    run(tmp_path, short(head_start="random"), pictures)
    assert len(counted) == 4 + 44 + 60  # the precision's look, one epoch, the last predictions


def test_a_checkpoint_of_other_settings_is_not_used(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(tmp_path, short(), DiesAt(60, 200))
    assert (tmp_path / "main.pt").is_file()
    other = run(tmp_path, short(learning_rate=1e-3))
    fresh = run(tmp_path / "fresh", short(learning_rate=1e-3))
    assert np.array_equal(other.probabilities, fresh.probabilities)


def test_a_damaged_checkpoint_is_told_and_not_used(tmp_path: Path) -> None:
    (tmp_path / "main.pt").write_bytes(b"not a checkpoint")
    fresh, damaged = run(tmp_path / "fresh", short()), run(tmp_path, short())
    assert np.array_equal(fresh.probabilities, damaged.probabilities)


@pytest.mark.parametrize("policy", ["fixed", "inner"])
def test_training_never_sees_the_test_part(tmp_path: Path, policy: str) -> None:
    """Changing the scored pictures and labels changes nothing but the predictions themselves."""
    settings = short(policy=policy)
    first = run(tmp_path / "a", settings)
    pictures = Blobs(60)
    pictures.array[44:] = np.random.default_rng(9).uniform(0, 1, pictures.array[44:].shape)
    cell, data = cell_of(60, 44)
    other = data.labels.copy()
    other[44:] = 1 - other[44:]
    head = FinetuneHead(
        record(), None, None, settings, device="cpu", precision="fp32", build=Tiny, pictures=pictures
    )
    second = head.fit_predict(cell, CellData(other, data.groups, data.classes), tmp_path / "b")
    assert first.epochs == second.epochs
    assert first.train == second.train
    assert np.array_equal(first.inner_probabilities, second.inner_probabilities, equal_nan=True)
    assert dict(first.chosen) == dict(second.chosen)


def test_inner_policy_chooses_on_held_groups(tmp_path: Path) -> None:
    result = run(tmp_path, short(policy="inner", epochs=4, learning_rates=(1e-5, 3e-3)))
    told = ~np.isnan(result.inner_probabilities).any(axis=1)
    _, data = cell_of(60, 44)
    train_groups = data.groups[:44]
    assert 0 < told.sum() < 20
    assert not set(train_groups[told]) & set(train_groups[~told])
    trials = result.chosen["trials"]
    assert [trial["learning_rate"] for trial in trials] == [1e-5, 3e-3]
    best = min(trials, key=lambda trial: trial["inner_loss"])
    assert result.chosen["epochs"] == best["epoch"] == len(result.epochs)
    assert result.inner.loss == pytest.approx(best["inner_loss"])
    assert all(line.inner_loss is not None for line in result.epochs)


@pytest.mark.parametrize("tuner", ["random", "optuna"])
def test_trials_are_as_many_as_stated_and_go_on_after_a_kill(tmp_path: Path, tuner: str) -> None:
    if tuner == "optuna":
        pytest.importorskip("optuna")
    settings = short(policy="inner", trials=6, tuner=tuner, epochs=2, learning_rate=1e-3)
    whole = run(tmp_path / "whole", settings)
    trials = whole.chosen["trials"]
    assert len(trials) == 6 and len({trial["learning_rate"] for trial in trials}) == 6
    assert trials[0]["learning_rate"] == 1e-3
    assert all(
        2e-4 <= trial["learning_rate"] <= 5e-3 and 0.6 <= trial["layer_decay"] <= 1 for trial in trials
    )
    with pytest.raises(Killed):
        run(tmp_path / "cut", settings, DiesAt(60, 500))
    small = [file for file in (tmp_path / "cut").glob("trial*.pt") if "net" not in torch.load(file)]
    assert len(small) >= 2  # of a finished trial only the curve is kept
    resumed = run(tmp_path / "cut", settings)
    assert dict(resumed.chosen) == dict(whole.chosen)
    assert np.array_equal(resumed.probabilities, whole.probabilities)


def test_inner_folds_give_every_sample_a_judge_that_did_not_see_it(tmp_path: Path) -> None:
    result = run(tmp_path, short(epochs=6, inner_folds=2))
    assert not np.isnan(result.inner_probabilities).any()
    assert result.inner.accuracy is not None and result.inner.accuracy > 0.8


def test_patience_stops_a_trial(tmp_path: Path) -> None:
    result = run(tmp_path, short(policy="inner", epochs=30, patience=1, learning_rate=0.05))
    assert result.chosen["trials"][0]["epochs_run"] < 30


class Deep(Tiny):
    """Eight layers whose statistics were learned on other pictures and now move by 1 % a step, as in Keras."""

    def __init__(self, seed: int, drop_path: float = 0.0) -> None:
        super().__init__(seed, drop_path)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            layers = [nn.Conv2d(16, 16, 3, padding=1) for _ in range(6)]
            rest = [nn.Sequential(layer, nn.BatchNorm2d(16, momentum=None), nn.ReLU()) for layer in layers]
            self.top = nn.Sequential(*self.top, *rest)
            self.train()
            with torch.no_grad():
                for _ in range(20):
                    self.forward(torch.rand(32, 3, SIDE, SIDE) * 2 - 1)
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = 0.01


def test_frozen_statistics_stay_and_free_ones_judge_badly(tmp_path: Path) -> None:
    """Statistics that move slowly end between old and new: the net that is judged is not the one that was trained.

    It is what befalls InceptionResNetV2 on little data: it learns its training pictures and validates at chance.
    """
    built: list[Tiny] = []

    def build(seed: int, drop_path: float) -> nn.Module:
        built.append(Deep(seed, drop_path))
        return built[-1]

    few: dict[str, Any] = {"epochs": 4}
    frozen = run(tmp_path / "a", short(**few), build=build)
    free = run(tmp_path / "b", short(**few, batch_norm="train"), build=build)
    assert frozen.epochs[-1].train_accuracy > 0.9 and free.epochs[-1].train_accuracy > 0.9
    fresh = Deep(3).stem[1].running_mean
    assert torch.equal(built[0].stem[1].running_mean, fresh)
    assert not torch.equal(built[1].stem[1].running_mean, fresh)
    assert frozen.train.accuracy is not None and frozen.train.accuracy > 0.9
    assert free.train.accuracy is not None and free.train.accuracy < 0.75
    labels = cell_of(60, 44)[1].labels[44:]
    scored = [quality(labels, result.probabilities).accuracy for result in (frozen, free)]
    assert scored[0] is not None and scored[0] > 0.9
    assert scored[1] is not None and scored[1] < 0.7  # half of them are of each class


def test_partial_leaves_the_stem_alone(tmp_path: Path) -> None:
    built: list[Any] = []

    def build(seed: int, drop_path: float) -> Any:
        built.append(Tiny(seed, drop_path))
        return built[-1]

    run(tmp_path, short(depth="partial:1"), build=build)
    fresh: Any = Tiny(3)
    assert torch.equal(built[0].stem[0].weight.detach(), fresh.stem[0].weight.detach())
    assert not torch.equal(built[0].top[0].weight.detach(), fresh.top[0].weight.detach())
    with pytest.raises(NoEffectError, match="2 of 2 blocks"):
        run(tmp_path, short(depth="partial:2"))


def test_lora_trains_few_parameters(tmp_path: Path) -> None:
    pytest.importorskip("peft")

    class Pointwise(Tiny):
        def __init__(self, seed: int, drop_path: float = 0.0) -> None:
            super().__init__(seed, drop_path)
            self.top = nn.Sequential(nn.Linear(8, 16), nn.ReLU())

        def forward(self, x: Tensor) -> Tensor:
            rows = nn.functional.adaptive_avg_pool2d(self.stem(x), (2, 1)).flatten(2).transpose(1, 2)
            out: Tensor = self.top(rows).flatten(1)
            return out

    result = run(tmp_path, short(depth="lora", lora_rank=2, epochs=5), build=Pointwise)
    assert result.chosen["parameters_trained"] == 2 * (8 + 16) + 32 * 2 + 2


def test_scratch_needs_other_settings() -> None:
    settings = suited(record("scratch"), FinetuneSettings())
    assert (settings.batch_norm, settings.head_start, settings.layer_decay) == ("train", "random", 1.0)
    assert suited(record(), FinetuneSettings()) == FinetuneSettings()


@pytest.mark.parametrize("balance", ["none", "loss", "sampler"])
@pytest.mark.parametrize("head_start", ["probe", "random"])
def test_ways_of_balancing_and_starting(tmp_path: Path, balance: str, head_start: str) -> None:
    result = run(tmp_path, short(epochs=6, balance=balance, head_start=head_start))
    assert result.train.accuracy is not None and result.train.accuracy > 0.9


def test_a_loss_that_explodes_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HeadToHeadError, match="not finite"):
        run(tmp_path, short(epochs=6, learning_rate=1e30, clip=None, label_smoothing=0))


@pytest.mark.parametrize(
    "idle",
    [{"patience": 3}, {"learning_rates": (1e-3, 1e-4)}, {"trials": 4}, {"policy": "inner", "inner_folds": 3}],
)
def test_settings_without_effect_are_refused(idle: dict[str, Any]) -> None:
    with pytest.raises(NoEffectError):
        FinetuneSettings(**idle)


def test_permuted_labels_get_chance(tmp_path: Path) -> None:
    """With labels that mean nothing, inner selection must not lift the scored accuracy above chance."""
    hits = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        cell, data = cell_of(60, 44, seed)
        shuffled = CellData(rng.permutation(data.labels), data.groups, data.classes)
        settings = short(policy="inner", learning_rates=(3e-4, 3e-3))
        head = FinetuneHead(
            record(), None, None, settings, device="cpu", precision="fp32", build=Tiny, pictures=Blobs(60)
        )
        result = head.fit_predict(cell, shuffled, tmp_path / str(seed))
        hits.append(result.probabilities.argmax(axis=1) == shuffled.labels[44:])
    assert 0.3 < np.mean(hits) < 0.7


def test_snapshots_are_the_mean_of_the_states_at_the_ends_of_the_cycles(tmp_path: Path) -> None:
    """The first cycle of two is a whole training of half the epochs; the second begins at the full rate again."""
    plain = run(tmp_path / "plain", short(epochs=4))
    both = run(tmp_path / "both", short(epochs=8, cycles=2))
    assert [line.train_loss for line in both.epochs[:4]] == [line.train_loss for line in plain.epochs]
    assert both.epochs[4].learning_rate > 10 * both.epochs[3].learning_rate
    second = 2 * both.probabilities - plain.probabilities
    assert ((second > -1e-6) & (second < 1 + 1e-6)).all()
    assert not np.allclose(second, plain.probabilities)
    with pytest.raises(NoEffectError, match="cycles"):
        short(epochs=2, cycles=3)


def test_lines_lost_in_a_kill_are_written_again(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(tmp_path, short(head_start="random"), DiesAt(60, 4 + 2 * 44 + 10))
    file = tmp_path / "metrics.jsonl"
    before = file.read_text()
    assert len(before.splitlines()) == 2
    file.write_text(before.splitlines()[0] + "\n")  # killed between the checkpoint and its line
    run(tmp_path, short(head_start="random"))
    after = file.read_text()
    assert after.startswith(before) and len(after.splitlines()) == 3


def head_of(settings: FinetuneSettings, **more: Any) -> FinetuneHead:
    return FinetuneHead(
        record(), None, None, settings, device="cpu", precision="fp32", build=Tiny, pictures=Blobs(60), **more
    )


def test_a_refit_from_the_same_seed_is_the_training_itself(tmp_path: Path) -> None:
    head = head_of(short(policy="inner", learning_rates=(1e-3, 3e-3)))
    cell, data = cell_of(60, 44)
    first = head.fit_predict(cell, data, tmp_path)

    def again(seed: int) -> Any:
        (rows,) = head.refit(
            cell.train,
            [cell.test],
            data,
            first.chosen,
            seed=seed,
            name="again",
            workdir=tmp_path,
            reporter=QUIET,
        )
        return rows

    assert np.array_equal(again(cell.seed), first.probabilities)
    assert not np.array_equal(again(cell.seed + 1), first.probabilities)


@pytest.mark.parametrize(("minutes", "trials"), [(1e-6, 1), (60.0, 3)])
def test_minutes_end_the_trials(tmp_path: Path, minutes: float, trials: int) -> None:
    head = head_of(
        short(policy="inner", trials=3, epochs=1),
        purse=lambda folder: Purse(Budget(minutes=minutes), 1, folder),
    )
    result = head.fit_predict(*cell_of(60, 44), tmp_path)
    assert len(result.chosen["trials"]) == trials


def test_trials_are_kept_in_sqlite_once_whatever_was_killed(tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna")
    from headtohead.heads.studies import note_trials

    store = tmp_path / "trials.sqlite"
    settings = short(policy="inner", trials=4, tuner="optuna", epochs=1)

    def note(cell: Cell, trials: Any, stated: FinetuneSettings) -> None:
        note_trials(store, "tiny r0f0", trials, stated)

    cell, data = cell_of(60, 44)
    head = head_of(settings, note=note)
    pictures: Any = head._pictures
    original, left = pictures.pixels, iter(range(250))

    def dies(index: int) -> Any:
        if next(left, None) is None:
            raise Killed
        return original(index)

    pictures.pixels = dies
    with pytest.raises(Killed):
        head.fit_predict(cell, data, tmp_path / "cut")
    kept = optuna.load_study(study_name="tiny r0f0", storage=f"sqlite:///{store}")
    assert 0 < len(kept.trials) < 4
    result = head_of(settings, note=note).fit_predict(cell, data, tmp_path / "cut")
    kept = optuna.load_study(study_name="tiny r0f0", storage=f"sqlite:///{store}")
    assert [trial.value for trial in kept.trials] == [one["inner_loss"] for one in result.chosen["trials"]]
    assert kept.best_value == min(one["inner_loss"] for one in result.chosen["trials"])
