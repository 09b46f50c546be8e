"""Whole commands in an earlier working tree and in this one, in turns: wall and CPU seconds, and their ratio.

    python benchmarks/speed/whole.py --old TREE [--rounds 3] [--only small flagship] [--data FOLDER]

TREE is a working tree of an earlier commit (`git worktree add TREE COMMIT`). Every run has an empty cache and an empty
output folder of its own. "again" repeats a run that is whole, "cells" one that lacks the cells of one contender alone;
"kept" is the flagship run by OpenVINO with networks that are converted already, beside the older tree's only way. The
two flagship networks have random weights at full size: the work is that of pretrained ones, as long as the batch
normalisations of InceptionResNetV2 have the statistics of images. With those it is born with, it makes nearly the same
features of any image, bf16 loses what is left, and this tree rightly computes in fp32, which no pretrained network
needs. The medians go into `docs/speed.json`, from which the table of the documentation is made.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

HERE = Path(__file__).resolve().parents[2]
CALL = "import sys; from headtohead.cli.app import main; sys.exit(main())"
LITE, DINO = "efficientnet-lite0", "dinov2-small"
VIT = "scratch:vit_base_patch16_224@probe"


def demo_images(folder: Path) -> Path:
    """Write 120 synthetic brain images."""
    from headtohead.data.demo import make_demo

    make_demo(folder / "demo", n=120, seed=0)
    return folder / "demo"


def small_images(folder: Path, n: int = 1000) -> Path:
    """Write `n` PNG files of 64 pixels in two classes: blobs on a dark ground, no two alike, 1 in 20 a turned copy."""
    import cv2

    rng = np.random.default_rng(0)
    made: list[np.ndarray] = []
    for number in range(n):
        if number % 20 == 19:
            image = np.rot90(made[int(rng.integers(len(made)))]).copy()
        else:
            noise = rng.normal(0, 1, (3, 64, 64)).astype(np.float32)
            scales = [
                cv2.GaussianBlur(one, (0, 0), sigma) for one, sigma in zip(noise, (1.5, 4, 10), strict=True)
            ]
            mix = sum(one / one.std() for one in scales)
            image = np.clip(110 + 40 * mix, 0, 255).astype(np.uint8)
            cv2.ellipse(image, (32, 32), (40, 36), 0, 0, 360, 0, 12)
        made.append(image)
        path = folder / "small" / ("yes" if number % 2 else "no") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)
    return folder / "small"


def npz(folder: Path) -> Path:
    """Write 5,856 images of 28 pixels with the split that PneumoniaMNIST has (4,708, 524, 624)."""
    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {}
    for part, n in (("train", 4708), ("val", 524), ("test", 624)):
        labels = rng.integers(0, 2, (n, 1), dtype=np.uint8)
        ground = rng.normal(120, 25, (n, 28, 28)) + np.linspace(-40, 40, 28)[None, :, None]
        ground[:, 10:18, 10:18] += 30.0 * labels[:, :, None]
        arrays[f"{part}_images"] = np.clip(ground, 0, 255).astype(np.uint8)
        arrays[f"{part}_labels"] = labels
    np.savez(folder / "images.npz", allow_pickle=False, **arrays)
    return folder / "images.npz"


def flagship(data: Path, folder: Path) -> str:
    """Return both flagship contenders; the CNN's random weights are written, its statistics those of a few images."""
    path = folder / "inception_resnet_v2.safetensors"
    if not path.is_file():
        import cv2
        import timm
        import torch
        from safetensors.torch import save_file

        torch.manual_seed(0)
        network = timm.create_model("inception_resnet_v2", num_classes=0)
        files = sorted(file for file in data.rglob("*") if cv2.haveImageReader(str(file)))
        few = [cv2.resize(cv2.imread(str(file)), (299, 299)) for file in files[:: max(1, len(files) // 12)]]
        images = torch.from_numpy(np.stack(few).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)
        for layer in network.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.momentum = None  # the plain mean
        with torch.no_grad():
            network.train()(images)
        save_file(network.state_dict(), path)
    return f"path:{path}?arch=inception_resnet_v2@probe,{VIT}"


def compare(data: Path, contenders: str) -> list[str]:
    """Return the words of a comparison."""
    # both trees run the same number of repeats
    return ["compare", str(data), "-c", contenders, "--seed", "0", "--repeats", "3"]


class Runner:
    """Runs commands in one tree, with a cache and an output folder that can be kept for the next command."""

    def __init__(self, tree: Path, scratch: Path) -> None:
        self.tree, self.scratch = tree, scratch
        self.out, self.home = scratch / "out", scratch / "home"

    def __call__(self, words: list[str], *, fresh: bool = True) -> tuple[float, float]:
        """Return wall and CPU seconds of one command."""
        from side_by_side import run_command

        out, home = self.out, self.home
        if fresh:
            for folder in (out, home):
                shutil.rmtree(folder, ignore_errors=True)
        got = run_command(self.tree, ["-c", CALL, *words, "--out", str(out)], {"HEADTOHEAD_HOME": str(home)})
        return got.wall, got.cpu


def again(run: Runner, data: Path) -> tuple[float, float]:
    """Time a comparison that is whole already."""
    run(compare(data, f"{LITE},{DINO}"))
    return run(compare(data, f"{LITE},{DINO}"), fresh=False)


def cells(run: Runner, data: Path) -> tuple[float, float]:
    """Time a comparison that lacks the cells of one contender, and what is made of them."""
    run(compare(data, f"{LITE},{DINO}"))
    for folder in ("cells", "training"):
        for lost in (run.out / folder).glob(f"{DINO}*"):
            shutil.rmtree(lost)
    for file in run.out.iterdir():  # what says that the run is finished, and what rests on all cells
        if file.name in ("finished.json", "report.html", "learning_curve.json", "predictions.parquet"):
            file.unlink()
    return run(compare(data, f"{LITE},{DINO}"), fresh=False)


def kept(run: Runner, data: Path) -> tuple[float, float]:
    """Time the flagship comparison with networks that are converted already; an older tree knows none."""
    words = compare(data, flagship(data, run.scratch))
    if run.tree != HERE:
        return run(words)
    run([*words, "--runtime", "openvino"])
    for folder in [run.out, *(one for one in run.home.iterdir() if one.name not in ("networks", "weights"))]:
        shutil.rmtree(folder, ignore_errors=True)
    return run([*words, "--runtime", "openvino"], fresh=False)


Work = Callable[[Runner, Path], tuple[float, float]]
WORK: dict[str, tuple[str, Work]] = {
    "small": ("demo", lambda run, data: run(compare(data, f"{LITE},{DINO}"))),
    "again": ("demo", again),
    "cells": ("demo", cells),
    "flagship": ("data", lambda run, data: run(compare(data, flagship(data, run.scratch)))),
    "kept": ("data", kept),
    "npz": ("npz", lambda run, data: run([*compare(data, LITE), "--split", "given"])),
    "audit": ("small", lambda run, data: run(["audit", str(data)])),
}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--old", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument("--data", type=Path, help="images of the flagship row; without, the demo's")
    given = parser.parse_args()
    from side_by_side import store

    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        made: dict[str, Path] = {"data": given.data} if given.data else {}
        makers = {"demo": demo_images, "small": small_images, "npz": npz, "data": demo_images}
        for name in given.only:
            kind, work = WORK[name]
            data = made.setdefault(kind, makers[kind](place)) if kind not in made else made[kind]
            times: dict[Path, list[tuple[float, float]]] = {given.old: [], HERE: []}
            for _ in range(given.rounds):
                for tree, got in times.items():
                    got.append(work(Runner(tree, place), data))
                    print(
                        name,
                        tree.name,
                        "{:.1f} s wall, {:.1f} s CPU".format(*got[-1]),
                        file=sys.stderr,
                        flush=True,
                    )
            (old_wall, old_cpu), (wall, cpu) = (
                [median(one[part] for one in times[tree]) for part in (0, 1)] for tree in (given.old, HERE)
            )
            row = {
                "seconds_before": old_wall, "seconds": wall, "cpu_before": old_cpu, "cpu": cpu,
                "wall_ratio": wall / old_wall, "cpu_ratio": cpu / old_cpu, "rounds": float(given.rounds),
            }  # fmt: skip
            row = {key: float(f"{value:.3g}") for key, value in row.items()}
            print(name, row, flush=True)
            store(f"whole {name}", row)


if __name__ == "__main__":
    main()
