"""One training of one network on one list of images: steps, averages, checkpoints, curves."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from headtohead.core.epoch_log import write_epoch_log
from headtohead.core.errors import HeadToHeadError
from headtohead.core.progress import Reporter
from headtohead.training.averaged_weights import AveragedWeights
from headtohead.training.checkpoint import load_checkpoint, save_checkpoint
from headtohead.training.class_balance import ClassificationLoss
from headtohead.training.data_loader import Augmenter, Change, ImageSource, batches, unchanged
from headtohead.training.forward import ForwardPass
from headtohead.training.lr_schedule import cycle_of, rate_factor
from headtohead.training.mixup import mixup_or_cutmix
from headtohead.training.network.classifier import (
    Classifier,
    copy_state,
    norm_layers,
    parameter_groups,
    temporary_state,
)
from headtohead.training.records import EpochRecord, Floats, Ints, Subset, fit_metrics, out_of_patience
from headtohead.training.sampler import epoch_augmentation, epoch_order, step_seed
from headtohead.training.settings import FinetuneSettings

__all__ = ["Subset", "Trainer"]

# Images of the training part on which the intercept is settled: enough for two digits of a frequency of 0.01.
_SETTLED_ON = 2000
# A large network's checkpoint is a gigabyte: so much work may be lost, and short epochs do not wait for the disk.
CHECKPOINT_SECONDS = 60.0


@dataclass
class Trainer:
    """A network while it learns.

    Attributes:
        part: what it learns from.
        seed: decides order, augmentation and everything random inside the network.
        bf16: whether matrix products run in bf16 (weights and sums stay in fp32).
        lines: one per finished epoch; held_rows: probabilities on the held part after each epoch.
        snapshots: the network at the end of each cycle, where there are several; then their mean predicts.
        on_epoch_end: called with the file of the lines after each epoch.
        seconds_before: what the epochs took that were finished before an interruption.
    """

    net: Classifier
    source: ImageSource
    augmenter: Augmenter
    part: Subset
    settings: FinetuneSettings
    seed: int
    k: int
    device: torch.device
    bf16: bool = False
    lines: list[EpochRecord] = field(default_factory=list)
    held_rows: list[Floats] = field(default_factory=list)
    snapshots: list[dict[str, Tensor]] = field(default_factory=list)
    throughput: list[dict[str, float]] = field(default_factory=list)
    on_epoch_end: Callable[[Path], None] | None = None
    seconds_before: float = 0.0

    def __post_init__(self) -> None:
        self.groups = parameter_groups(self.net, self.settings)
        self.optimizer = torch.optim.AdamW(
            self.groups, lr=self.settings.learning_rate, fused=self.device.type in ("cpu", "cuda")
        )
        self.loss = ClassificationLoss.from_labels(
            self.part.labels, self.k, self.settings.balance, self.settings.label_smoothing, self.device
        )
        self.learning = [p for group in self.groups for p in group["params"]]
        # Free statistics move with the weights, so their average moves with the weights' average.
        free = self.settings.batch_norm == "train"
        buffers = [b for b in self.net.buffers() if free and b.is_floating_point()]
        self.average = AveragedWeights([*self.learning, *buffers], self.settings.ema)
        self.forward = ForwardPass(self.net, self.source, self.device, self.bf16, self.settings)
        self.step = 0
        self._saved, self._n_saved = time.monotonic(), 0
        self._shift = torch.zeros(self.k, dtype=torch.float64)

    def run(self, until: int, held: Subset | None, checkpoint: Path, key: str, reporter: Reporter) -> None:
        """Train up to and including epoch `until`, going on from the checkpoint where there is one.

        Args:
            held: judged after each epoch, never learned from.
            checkpoint: file of this training; key: what it must belong to.
        """
        self._resume(checkpoint, key, reporter)
        pace = ""
        for _ in reporter.progress(range(len(self.lines), until), f"{checkpoint.stem}: epochs"):
            if out_of_patience(self.lines, self.settings.patience):
                break
            started, epoch = time.perf_counter(), len(self.lines)
            label = f"epoch {epoch + 1}/{until}{pace}"
            loss, accuracy, rate = self._epoch(epoch, label, reporter)
            seconds = time.perf_counter() - started
            line = EpochRecord(epoch + 1, loss, accuracy, None, None, rate)
            new = self._snap(epoch)
            if held is not None:
                if self.settings.policy == "inner" and (new or not self.snapshots):
                    self._shift = self._settled()
                rows = self.predict(held.indices) if new or not self.snapshots else self.held_rows[-1]
                inner = fit_metrics(held.labels, rows)
                line = EpochRecord(epoch + 1, loss, accuracy, inner.loss, inner.accuracy, rate)
                self.held_rows.append(rows)
            self.lines.append(line)
            speed = len(self.part.indices) / seconds
            self.throughput.append({"seconds": seconds, "time": time.time(), "images_per_second": speed})
            if time.monotonic() - self._saved >= CHECKPOINT_SECONDS:
                self._save(checkpoint, key)
            self._log(checkpoint)
            pace = f", loss {loss:.3f}, {speed:.1f} images/s"
        if len(self.lines) > self._n_saved:
            self._save(checkpoint, key)
        self._add_to_intercept(self._settled())

    def predict(self, indices: Ints) -> Floats:
        """Return (n, k) probabilities: the mean over snapshots (or with averaged weights), and over flipped images."""
        scores = self._scores(indices) + self._shift
        return np.asarray(torch.softmax(scores, dim=2).mean(dim=0).numpy(), dtype=np.float64)

    def final_states(self) -> list[dict[str, Tensor]]:
        """Return the states with which `predict` answers: the snapshots, or the one (averaged) network."""
        if self.snapshots:
            return list(self.snapshots)
        with self.average.applied():
            return [copy_state(self.net)]

    def predicting_states(self) -> list[AbstractContextManager[None]]:
        """Return contexts in which the network has each of the states with which `predict` answers."""
        if not self.snapshots:
            return [self.average.applied()]
        return [temporary_state(self.net, state) for state in self.snapshots]

    def features(self, indices: Ints, change: Change = unchanged) -> npt.NDArray[np.float32]:
        """Return the backbone's features (n, D) of samples, after a change of their pixels."""
        return self.forward.features(indices, change)

    def _scores(self, indices: Ints) -> Tensor:
        """Return (v, n, k) scores in float64, one of v views for each snapshot and for the flipped images."""
        with torch.inference_mode():
            scores = []
            for state in self.predicting_states():
                with state:
                    scores.append(self.forward.scores(indices, flip=self.flips))
            return torch.cat(scores)

    @property
    def flips(self) -> bool:
        """Whether `predict` averages with the flipped image."""
        return self.settings.flip_test and self.augmenter.flips

    def _settled(self) -> Tensor:
        """Return (k,) to add to the scores, so that on the training part their mean is the class frequencies.

        Clipped gradients hold back the images of a rare class, so that training alone ends a little off.
        """
        places = self.part.indices
        some = places[:: -(-len(places) // _SETTLED_ON)]
        scores = self._scores(some).flatten(0, 1)
        return self.loss.settle(scores)

    def _add_to_intercept(self, shift: Tensor) -> None:
        """Add to the scores of the network for good: of its last weights, their average and its snapshots."""
        bias = self.net.linear.bias
        self._shift = torch.zeros_like(self._shift)
        averages = self.average.of(bias)
        for tensor in (bias, *averages, *(state["linear.bias"] for state in self.snapshots)):
            tensor.data += shift.to(tensor)

    def _epoch(self, epoch: int, label: str, reporter: Reporter) -> tuple[float, float, float]:
        s = self.settings
        order = epoch_order(self.part.labels, s.batch, self.seed, epoch, balanced=s.balance == "sampler")
        first, end = cycle_of(epoch, s.epochs, s.cycles)
        begun, total = first * len(order), (end - first) * len(order)
        warmup = 0.0 if first else s.warmup  # a restart begins at its peak
        change = epoch_augmentation(self.source, self.part.indices, self.augmenter, self.seed, epoch)
        made = batches(self.source, self.part.indices, order, change, s.workers)
        self._learn_mode()
        found: list[tuple[Tensor, Tensor]] = []  # read after the last step: no step waits for the device
        rate = 0.0
        # once an epoch, since the state of a GPU's generator is read from the GPU
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            for place, batch in enumerate(reporter.progress(made, label, len(order))):
                rate = s.learning_rate * rate_factor(self.step - begun, total, warmup)
                targets = torch.from_numpy(self.part.labels[batch.places]).to(self.device)
                torch.manual_seed(step_seed(self.seed, epoch, place))  # the same after an interruption
                scores = self._step(self.forward.inputs(batch.inputs), targets, rate, (epoch, place))
                hit = (scores.argmax(dim=1) == targets).sum()
                found.append((functional.cross_entropy(scores, targets, reduction="sum"), hit))
        losses, hits = sum(float(loss) for loss, _ in found), sum(int(hit) for _, hit in found)
        n = sum(len(places) for places in order)
        if not np.isfinite(losses):
            raise HeadToHeadError(
                f"The loss is not finite in epoch {epoch + 1} at a learning rate of {rate:.3g}; "
                "lower learning_rate, or set clip."
            )
        return losses / n, hits / n, rate

    def _step(self, inputs: Tensor, targets: Tensor, rate: float, where: tuple[int, int]) -> Tensor:
        """Take one step; return the scores (B, k) of this batch before it."""
        s = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        rng = np.random.default_rng([self.seed, 4, *where])  # 1 to 3 are the streams of `sampler`
        inputs, pairs = mixup_or_cutmix(inputs, targets, s.mixup, s.cutmix, rng)
        with self.forward.autocast():
            scores = self.net(inputs)
        loss = sum(
            (share * self.loss(scores, wanted) for share, wanted in pairs),
            torch.zeros((), device=self.device),
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if s.clip:
            torch.nn.utils.clip_grad_norm_(self.learning, s.clip)
        self.optimizer.step()
        self.step += 1
        self.average.follow(self.step)
        before: Tensor = scores.detach().float()
        return before

    def _learn_mode(self) -> None:
        self.net.train()
        if self.settings.batch_norm == "frozen":
            for layer in norm_layers(self.net):
                layer.eval()

    def drop_weights(self, checkpoint: Path, key: str) -> None:
        """Keep of a finished trial only its curve and its held rows; the network would fill the disk."""
        save_checkpoint(checkpoint, key, self._curve())

    def _curve(self) -> dict[str, Any]:
        return {
            "lines": [asdict(line) for line in self.lines],
            "held_rows": [torch.from_numpy(rows) for rows in self.held_rows],
            "paces": self.throughput,
        }

    def _save(self, checkpoint: Path, key: str) -> None:
        state: dict[str, Any] = {
            **self._curve(),
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.values,
            "snapshots": self.snapshots,
            "step": self.step,
        }
        save_checkpoint(checkpoint, key, state)
        self._saved, self._n_saved = time.monotonic(), len(self.lines)

    def _log(self, checkpoint: Path) -> None:
        """Write the curve as lines beside the checkpoint."""
        path = checkpoint.parent / "metrics.jsonl"
        lines = [asdict(line) | pace for line, pace in zip(self.lines, self.throughput, strict=True)]
        write_epoch_log(path, checkpoint.stem, lines)
        if self.on_epoch_end is not None:
            self.on_epoch_end(path)

    def _resume(self, checkpoint: Path, key: str, reporter: Reporter) -> None:
        """Take up the training where the checkpoint left it, if it is of this training."""
        state = load_checkpoint(checkpoint, key, reporter)
        if state is None:
            return
        self.lines = [EpochRecord(**line) for line in state["lines"]]
        self.held_rows = [rows.numpy() for rows in state["held_rows"]]
        self.throughput = state["paces"]
        self.seconds_before = sum(pace["seconds"] for pace in self.throughput)
        if "net" in state:  # a finished trial has kept its curve alone
            self.net.load_state_dict(state["net"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.snapshots, self.step = state["snapshots"], state["step"]
            self.average.restore(state["average"], self.device)
        self._n_saved = len(self.lines)
        self._log(checkpoint)
        reporter.info(f"{checkpoint.stem}: goes on after epoch {len(self.lines)}.")

    def _snap(self, epoch: int) -> bool:
        """Keep the network, if several cycles are asked for and one of them ends with this epoch."""
        epochs, cycles = self.settings.epochs, self.settings.cycles
        if cycles == 1 or cycle_of(epoch, epochs, cycles)[1] != epoch + 1:
            return False
        with torch.no_grad(), self.average.applied():
            self.snapshots.append(copy_state(self.net))
        return True
