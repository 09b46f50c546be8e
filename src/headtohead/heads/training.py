"""One training of one network on one list of pictures: steps, averages, checkpoints, curves."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from headtohead.core.errors import HeadToHeadError
from headtohead.core.files import write_whole
from headtohead.core.reporter import Reporter
from headtohead.heads.base import EpochLine, quality
from headtohead.heads.checkpoint import load_checkpoint, save_checkpoint
from headtohead.heads.mix import mixed
from headtohead.heads.network import Classifier, norm_layers, parameter_groups
from headtohead.heads.order import changes, epoch_order, plain_order, step_seed
from headtohead.heads.pictures import Augmenter, Change, PictureSource, batches, unchanged
from headtohead.heads.schedule import rate_factor
from headtohead.heads.settings import FinetuneSettings

__all__ = ["Part", "Training"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Part:
    """Some samples: their indices (n,) and labels (n,)."""

    indices: Ints
    labels: Ints


@dataclass
class Training:
    """A network while it learns.

    Attributes:
        part: what it learns from.
        seed: decides order, augmentation and everything random inside the network.
        bf16: whether matrix products run in bf16 (weights and sums stay in fp32).
        lines: one per finished epoch; held_rows: probabilities on the held part after each epoch.
    """

    net: Classifier
    source: PictureSource
    augmenter: Augmenter
    part: Part
    settings: FinetuneSettings
    seed: int
    k: int
    device: torch.device
    bf16: bool = False
    lines: list[EpochLine] = field(default_factory=list)
    held_rows: list[Floats] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.groups = parameter_groups(self.net, self.settings)
        self.optimizer = torch.optim.AdamW(
            self.groups, lr=self.settings.learning_rate, fused=self.device.type in ("cpu", "cuda")
        )
        self.learning = [p for group in self.groups for p in group["params"]]
        self.average = [p.detach().clone() for p in self.learning] if self.settings.ema else None
        self.step = 0

    def run(self, until: int, held: Part | None, checkpoint: Path, key: str, reporter: Reporter) -> None:
        """Train up to and including epoch `until`, going on from the checkpoint where there is one.

        Args:
            held: judged after each epoch, never learned from.
            checkpoint: file of this training; key: what it must belong to.
        """
        self._resume(checkpoint, key, reporter)
        pace = ""
        while len(self.lines) < until and not self._out_of_patience():
            started = time.perf_counter()
            epoch = len(self.lines)
            label = f"epoch {epoch + 1}/{until}{pace}"
            loss, accuracy, rate = self._epoch(epoch, label, reporter)
            seconds = time.perf_counter() - started
            line = EpochLine(epoch + 1, loss, accuracy, None, None, rate)
            if held is not None:
                rows = self.predict(held.indices)
                told = quality(held.labels, rows)
                line = EpochLine(epoch + 1, loss, accuracy, told.loss, told.accuracy, rate)
                self.held_rows.append(rows)
            self.lines.append(line)
            self._save(checkpoint, key, seconds)
            pace = f", loss {loss:.3f}, {len(self.part.indices) / seconds:.1f} pictures/s"

    def predict(self, indices: Ints) -> Floats:
        """Return (n, k) probabilities, with the averaged weights if there are any, mirrored if sound."""
        flip = self.settings.flip_test and self.augmenter.mirrors
        order = plain_order(len(indices), max(self.settings.batch, 16))
        self.net.eval()
        out = []
        with torch.inference_mode(), self._averaged():
            for batch in batches(self.source, indices, order, unchanged, min(1, self.settings.workers)):
                inputs = self._inputs(batch.inputs)
                views = [inputs, inputs.flip(-1)] if flip else [inputs]
                with self._half():
                    rows = [torch.softmax(self.net(view).double(), dim=1) for view in views]
                out.append(torch.stack(rows).mean(dim=0).cpu().numpy())
        return np.concatenate(out) if out else np.empty((0, self.k))

    def frozen_rows(self) -> tuple[npt.NDArray[np.float32], Ints]:
        """Return the backbone's features of the part (and of its mirror images, if sound) with labels."""
        rows = [self.features(self.part.indices)]
        if self.augmenter.mirrors:
            rows.append(self.features(self.part.indices, lambda _place, pixels: pixels[:, ::-1]))
        return np.concatenate(rows), np.tile(self.part.labels, len(rows))

    def features(self, indices: Ints, change: Change = unchanged) -> npt.NDArray[np.float32]:
        """Return the backbone's features (n, D) of samples, after a change of their pixels."""
        order = plain_order(len(indices), max(self.settings.batch, 16))
        self.net.eval()
        made = batches(self.source, indices, order, change, min(1, self.settings.workers))
        with torch.inference_mode(), self._half():
            rows = [self.net.backbone(self._inputs(batch.inputs)).float().cpu().numpy() for batch in made]
        return np.concatenate(rows)

    def _epoch(self, epoch: int, label: str, reporter: Reporter) -> tuple[float, float, float]:
        s = self.settings
        order = epoch_order(self.part.labels, s.batch, self.seed, epoch, balanced=s.balance == "sampler")
        total = len(order) * s.epochs
        change = changes(self.source, self.part.indices, self.augmenter, self.seed, epoch)
        made = batches(self.source, self.part.indices, order, change, s.workers)
        self._learn_mode()
        losses, hits, rate = 0.0, 0, 0.0
        for place, batch in enumerate(reporter.track(made, label, len(order))):
            rate = s.learning_rate * rate_factor(self.step, total, s.warmup)
            targets = torch.from_numpy(self.part.labels[batch.places]).to(self.device)
            with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
                torch.manual_seed(step_seed(self.seed, epoch, place))
                scores = self._step(self._inputs(batch.inputs), targets, rate, (epoch, place))
            losses += float(functional.cross_entropy(scores, targets, reduction="sum"))
            hits += int((scores.argmax(dim=1) == targets).sum())
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
        rng = np.random.default_rng([self.seed, 4, *where])
        inputs, pairs = mixed(inputs, targets, s.mixup, s.cutmix, rng)
        with self._half():
            scores = self.net(inputs)
        weight = self._class_weights()
        loss = sum(
            (
                share
                * functional.cross_entropy(scores, wanted, weight=weight, label_smoothing=s.label_smoothing)
                for share, wanted in pairs
            ),
            torch.zeros((), device=self.device),
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if s.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.learning, s.clip)
        self.optimizer.step()
        self.step += 1
        self._follow()
        told: Tensor = scores.detach().float()
        return told

    def _follow(self) -> None:
        """Move the averaged weights; the first steps count fully, so that the start is forgotten."""
        if self.average is None or self.settings.ema is None:
            return
        decay = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.learning, 1.0 - decay)

    def _class_weights(self) -> Tensor | None:
        if self.settings.balance != "loss":
            return None
        counts = np.bincount(self.part.labels, minlength=self.k)
        return torch.tensor(
            len(self.part.labels) / (self.k * counts), dtype=torch.float32, device=self.device
        )

    def _learn_mode(self) -> None:
        self.net.train()
        if self.settings.batch_norm == "frozen":
            for layer in norm_layers(self.net):
                layer.eval()

    def _inputs(self, array: npt.NDArray[np.float32]) -> Tensor:
        inputs = torch.from_numpy(array).to(self.device)
        return inputs.contiguous(memory_format=torch.channels_last)

    def _half(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16)

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        if self.average is None:
            yield
            return
        last = [p.detach().clone() for p in self.learning]
        torch._foreach_copy_(self.learning, self.average)
        try:
            yield
        finally:
            torch._foreach_copy_(self.learning, last)

    def _out_of_patience(self) -> bool:
        patience = self.settings.patience
        told = [line.inner_loss for line in self.lines if line.inner_loss is not None]
        return bool(patience and told and len(told) - 1 - int(np.argmin(told)) >= patience)

    def _save(self, checkpoint: Path, key: str, seconds: float) -> None:
        state: dict[str, Any] = {
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "step": self.step,
            "lines": [asdict(line) for line in self.lines],
            "held_rows": [torch.from_numpy(rows) for rows in self.held_rows],
        }
        save_checkpoint(checkpoint, key, state)
        told = {**asdict(self.lines[-1]), "training": checkpoint.stem, "seconds": round(seconds, 3)}
        told["pictures_per_second"] = round(len(self.part.indices) / seconds, 2)
        _append(checkpoint.parent / "metrics.jsonl", told)

    def _resume(self, checkpoint: Path, key: str, reporter: Reporter) -> None:
        state = load_checkpoint(checkpoint, key, reporter)
        if state is None:
            return
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average, self.step = state["average"], state["step"]
        if self.average is not None:
            self.average = [tensor.to(self.device) for tensor in self.average]
        self.lines = [EpochLine(**line) for line in state["lines"]]
        self.held_rows = [rows.numpy() for rows in state["held_rows"]]
        reporter.say(f"{checkpoint.stem}: goes on after epoch {len(self.lines)}.")


def _append(path: Path, told: dict[str, Any]) -> None:
    """Add one line, replacing what an interrupted process may have written of the same epoch."""
    old = path.read_text().splitlines() if path.is_file() else []
    same = (told["training"], told["epoch"])
    kept = [line for line in old if (json.loads(line)["training"], json.loads(line)["epoch"]) != same]
    write_whole(path, "\n".join([*kept, json.dumps(told)]) + "\n")
