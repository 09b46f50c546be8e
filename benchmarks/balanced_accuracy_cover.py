"""Coverage of balanced accuracy's interval where groups hold both classes, with and without the recalls' correlation.

Each patient's image quality helps or hurts the images of both classes, so that the two recalls rise and fall together.
`python benchmarks/balanced_accuracy_cover.py --studies 1000` prints one line for each setting.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from headtohead.stats.intervals.class_recalls import class_recalls, mean_recall_interval
from headtohead.stats.intervals.resampling import make_resamples
from headtohead.stats.predictions import ContenderPredictions

# groups, images per group, spread of the image quality between patients; then labels by group, where nothing changes.
SETTINGS = (
    (50, 10, 1.0, True),
    (40, 20, 1.0, True),
    (100, 4, 1.0, True),
    (30, 30, 1.5, True),
    (50, 10, 1.0, False),
)
_STRENGTH = 1.2
_TRUTH_GROUPS = 400_000


def lines(
    rng: np.random.Generator, groups: int, each: int, spread: float, *, mixed: bool
) -> ContenderPredictions:
    """Return one contender's answers; the margin of an image is the strength plus its patient's quality plus noise."""
    group = np.repeat(np.arange(groups), each)
    label = np.arange(groups * each) % 2 if mixed else group % 2
    margin = _STRENGTH + spread * rng.normal(size=groups)[group] + rng.normal(size=groups * each)
    right = margin > 0
    answer = np.where(right, label, 1 - label)
    prob = np.where(answer == 1, 0.8, 0.2)
    n = np.arange(groups * each)
    return ContenderPredictions(n, group, label, np.zeros_like(n), np.stack([1 - prob, prob], axis=1))


def cover(setting: tuple[int, int, float, bool], studies: int, seed: int = 0) -> tuple[float, float]:
    """Return the shares of studies whose 95 % interval holds the truth: recalls as independent, and as they are."""
    groups, each, spread, mixed = setting
    rng = np.random.default_rng([seed, groups, each])
    quality = np.random.default_rng(1).normal(size=_TRUTH_GROUPS)
    noise = np.random.default_rng(2).normal(size=_TRUTH_GROUPS)
    truth = float((_STRENGTH + spread * quality + noise > 0).mean())
    held = np.zeros(2)
    for _ in range(studies):
        drawn = lines(rng, groups, each, spread, mixed=mixed)
        recalls = class_recalls([drawn], 2, make_resamples(groups, 2, 0))
        value = float(np.mean([recall.value for recall in recalls]))
        apart = [replace(recall, correlations=(0.0, 0.0)) for recall in recalls]
        for i, one in enumerate((apart, recalls)):
            low, high = mean_recall_interval(value, one, 0.95)
            held[i] += low <= truth <= high
    return float(held[0] / studies), float(held[1] / studies)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    studies = parser.parse_args().studies
    print("| groups | images each | quality sd | labels | independent, % | correlated, % |")
    print("|--:|--:|--:|---|--:|--:|")
    for setting in SETTINGS:
        before, after = cover(setting, studies)
        groups, each, spread, mixed = setting
        labels = "mixed" if mixed else "by group"
        print(
            f"| {groups} | {each} | {spread} | {labels} | {100 * before:.1f} | {100 * after:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
