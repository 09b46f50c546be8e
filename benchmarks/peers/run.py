"""Fine-tuning speed beside a timm loop, Hugging Face's Trainer, fastai and Keras: the same files, the same networks.

    python benchmarks/peers/run.py --environments FOLDER [--networks inception_resnet_v2] [--rounds 3] [--images 96]

Each peer has a virtual environment of its own below FOLDER, made on the first call (PyPI; some gigabytes), and a script
beside this one, which trains the network from random weights for one epoch in batches of 16 and gives images/s after
the first batch: reading of files, forward, backward, update. Peers keep their defaults, apart from `--bf16` in the rows
that say so. Everyone takes turns for some rounds; each round gives a ratio, headtohead over the peer, and medians are
kept. headtohead also turns, moves and brightens its images (preset "light"), which the peers are not asked to do. The
figures go into `docs/speed.json`, and from there into `docs/speed.md`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from common import SIDES

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Peer:
    """A script and the packages of its environment; `only` names the one network that it has, if not all."""

    script: str
    packages: tuple[str, ...]
    options: tuple[str, ...] = ()
    only: str = ""


TORCH = ("torch", "torchvision", "timm")
TRAINER = (*TORCH, "transformers", "accelerate")
FASTAI, KERAS = ("fastai", "timm"), ("keras", "tensorflow-cpu")
PEERS: Mapping[str, Peer] = {
    "timm loop, fp32": Peer("timm_loop.py", TORCH),
    "timm loop, autocast to bf16": Peer("timm_loop.py", TORCH, ("--bf16",)),
    "Trainer, defaults": Peer("hf_trainer.py", TRAINER),
    "Trainer, bf16=True": Peer("hf_trainer.py", TRAINER, ("--bf16",)),
    "fastai, defaults": Peer("fastai_learner.py", FASTAI),
    "Keras, defaults": Peer("keras_inception.py", KERAS, (), "inception_resnet_v2"),
    "Keras, mixed_bfloat16": Peer("keras_inception.py", KERAS, ("--bf16",), "inception_resnet_v2"),
}


def images(folder: Path, n: int) -> Path:
    """Write grey PNG files of 300 pixels in two class folders."""
    rng = np.random.default_rng(0)
    for number in range(n):
        noise = cv2.GaussianBlur(rng.normal(0, 1, (300, 300)).astype(np.float32), (0, 0), 4.0)
        path = folder / ("yes" if number % 2 else "no") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.clip(128 + 300 * noise, 0, 255).astype(np.uint8))
    return folder


def interpreter(folder: Path, packages: tuple[str, ...]) -> str:
    """Return the interpreter of the environment with these packages, which is made where it is not there."""
    place = folder / "-".join(packages)
    python = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (place / "whole").exists():
        print(f"making {place}", file=sys.stderr)
        venv.create(place, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
        (place / "whole").touch()
    return str(python)


def measured(python: str, script: str, words: list[str]) -> dict[str, Any]:
    """Run one script and return the line that it prints."""
    done = subprocess.run([python, str(HERE / script), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{script} {' '.join(words)} failed:\n{done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def weights(network: str, data: Path) -> list[str]:
    """Return the words that give headtohead the weights of the flagship benchmark; none where random ones will do."""
    if network != "inception_resnet_v2":
        return []
    from whole import flagship

    return ["--weights", flagship(data, data.parent).removeprefix("path:").partition("?")[0]]


def compared(network: str, data: Path, environments: Path, rounds: int) -> dict[str, Any]:
    """Return headtohead's images/s, and of each peer images/s, the ratio and the versions."""
    peers = {name: peer for name, peer in PEERS.items() if peer.only in ("", network)}
    pythons = {name: interpreter(environments, peer.packages) for name, peer in peers.items()}
    words, own = [str(data), network, *weights(network, data)], list[float]()
    speeds: dict[str, list[float]] = {name: [] for name in peers}
    facts: dict[str, Any] = {}
    for number in range(rounds):
        ours = measured(sys.executable, "ours.py", words)
        own.append(ours["images_per_second"])
        for name, peer in peers.items():
            found = measured(pythons[name], peer.script, [str(data), network, *peer.options])
            speeds[name].append(found.pop("images_per_second"))
            facts[name] = " ".join(f"{package} {version}" for package, version in found.items())
            told = f"{network}, round {number + 1}: headtohead {own[-1]:.2f}/s in {ours['arithmetic']}, "
            print(told + f"{name} {speeds[name][-1]:.2f}/s", file=sys.stderr, flush=True)
    return {
        "images_per_second": float(f"{median(own):.3g}"),
        "arithmetic": ours["arithmetic"],
        "rounds": rounds,
        "peers": {
            name: {
                "images_per_second": float(f"{median(got):.3g}"),
                "ratio": float(f"{median([us / them for us, them in zip(own, got, strict=True)]):.3g}"),
                "versions": facts[name],
            }
            for name, got in speeds.items()
        },
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--environments", type=Path, required=True)
    parser.add_argument("--networks", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=96)
    given = parser.parse_args()
    sys.path.append(str(HERE.parent / "speed"))
    from side_by_side import store

    with tempfile.TemporaryDirectory() as scratch:
        data = images(Path(scratch) / "images", given.images)
        for network in given.networks:
            row = compared(network, data, given.environments.absolute(), given.rounds)
            print(network, json.dumps(row), flush=True)
            store(f"peers {network}", row)


if __name__ == "__main__":
    main()
