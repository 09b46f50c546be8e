"""Files of predictions on which a verdict can go wrong: those of a statistician's review, under its names.

`python -m tests.planting.review.files FOLDER` writes them all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

__all__ = ["FILES", "two_contenders", "write_all"]

Frame = pd.DataFrame
Labels = tuple[str, str]
BINARY: Labels = ("benign", "malignant")


def two_contenders(
    n: int = 200,
    *,
    groups: npt.NDArray[np.int64] | None = None,
    auroc: Sequence[float] = (0.85, 0.80),
    prevalence: float = 0.4,
    seed: int = 0,
    models: Sequence[str] = ("cnn", "vit"),
    labels: Labels = BINARY,
) -> Frame:
    """Return binormal scores, half of whose noise is shared by the contenders, as calibrated probabilities."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < prevalence).astype(int)
    group = np.arange(n) if groups is None else groups
    shared, parts = rng.normal(size=n), []
    for model, area in zip(models, auroc, strict=True):
        d = np.sqrt(2) * norm.ppf(area)
        s = d * y + np.sqrt(0.5) * (shared + rng.normal(size=n))
        p = 1 / (1 + np.exp(-(d * (s - d / 2) + np.log(prevalence / (1 - prevalence)))))
        parts.append(
            pd.DataFrame(
                {"sample": [f"s{i:05d}" for i in range(n)], "group": [f"g{g}" for g in group], "model": model,
                 "label": [labels[k] for k in y], "score": p}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _csv(make: Callable[[], Frame], **options: Any) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        make().to_csv(path, index=False, **options)
        return path

    return write


def _base(change: Callable[[Frame], Frame] = lambda frame: frame, **options: Any) -> Callable[[Path], Path]:
    return _csv(lambda: change(two_contenders()), **options)


def _labels(benign: str, malignant: str) -> Callable[[Frame], Frame]:
    return lambda f: f.assign(label=f["label"].map({"benign": benign, "malignant": malignant}))


def _is(frame: Frame, model: str) -> pd.Series:
    return frame["model"] == model


def _apart(frame: Frame, rows: pd.Series, high: float, low: float) -> Frame:
    noise = np.random.default_rng(1).random(int(rows.sum())) * 0.05
    score = frame["score"].copy()
    score[rows] = np.where(frame["label"][rows] == "malignant", high, low) + noise
    return frame.assign(score=score)


def _comma(frame: Frame) -> Frame:
    return frame.assign(score=[f"{value:.4f}".replace(".", ",") for value in frame["score"]])


def _unquoted(path: Path) -> Path:
    frame = _comma(two_contenders())
    rows = [",".join(map(str, row)) for row in frame.itertuples(index=False, name=None)]
    path.write_text("\n".join([",".join(frame.columns), *rows]))
    return path


def _parquet(path: Path) -> Path:
    path = path.with_suffix(".parquet")
    two_contenders().assign(sample=np.tile(np.arange(200), 2)).to_parquet(path)
    return path


def _both(frame: Frame, offset: float = 0.0, digits: int = 16) -> Frame:
    return frame.assign(
        prob_malignant=frame["score"].round(digits), prob_benign=(1 - frame["score"] + offset).round(digits)
    ).drop(columns="score")


def _wide(frame: Frame) -> Frame:
    return frame.pivot(index=["sample", "group", "label"], columns="model", values="score").reset_index()


def _set(frame: Frame, row: int, column: str, value: Any) -> Frame:
    changed = frame.astype({"label": object})
    changed.loc[row, column] = value
    return changed


def _other(label: str) -> str:
    return BINARY[0] if label == BINARY[1] else BINARY[1]


def _three(sizes: Sequence[int], strengths: Sequence[float], seed: int) -> Frame:
    rng, n = np.random.default_rng(seed), sum(sizes)
    y = np.repeat([0, 1, 2], sizes)
    parts = []
    for model, strength in zip(("cnn", "vit"), strengths, strict=True):
        z = rng.normal(size=(n, 3))
        z[np.arange(n), y] += strength
        odds = np.exp(z)
        p = odds / odds.sum(axis=1, keepdims=True)
        parts.append(
            pd.DataFrame(
                {"sample": [f"s{i:03d}" for i in range(n)], "group": [f"g{i}" for i in range(n)], "model": model,
                 "label": np.array(list("abc"))[y], **{f"prob_{c}": p[:, j] for j, c in enumerate("abc")}}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _ten() -> Frame:
    areas = [0.9, 0.88, 0.86, 0.85, 0.84, 0.83, 0.82, 0.8, 0.78, 0.7]
    return two_contenders(300, auroc=areas, models=[f"m{i}" for i in range(10)], seed=7)


def _twenty_repeats() -> Frame:
    rng, base, parts = np.random.default_rng(9), two_contenders(150, seed=9), []
    for repeat in range(20):
        logit = np.log(base["score"] / (1 - base["score"])) + 0.4 * rng.normal(size=len(base))
        fold = np.tile(rng.permutation(150) % 5, 2)
        parts.append(base.assign(score=1 / (1 + np.exp(-logit)), repeat=repeat, fold=fold))
    return pd.concat(parts, ignore_index=True)


def _four_positives() -> Frame:
    rng, y, parts = np.random.default_rng(9), np.r_[np.ones(4), np.zeros(296)].astype(int), []
    for model, strength in (("cnn", 3.0), ("vit", 0.5)):
        s = rng.normal(size=300) + strength * y
        parts.append(
            pd.DataFrame(
                {"sample": [f"s{i:03d}" for i in range(300)], "model": model, "label": y,
                 "score": 1 / (1 + np.exp(-(s - 3)))}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _hold_out() -> Frame:
    rng, base, parts = np.random.default_rng(11), two_contenders(300, seed=4), []
    for repeat in range(3):
        names = [f"s{i:05d}" for i in rng.permutation(300)[:60]]
        parts.append(base[base["sample"].isin(names)].assign(repeat=repeat, fold=0))
    return pd.concat(parts, ignore_index=True)


def _one_fold_with_positives() -> Frame:
    frame = two_contenders(100, seed=4, prevalence=0.1)
    positive = (frame["label"][:100] == "malignant").to_numpy()
    return frame.assign(fold=np.tile(np.where(positive, 0, np.arange(100) % 5), 2))


def _majority() -> Frame:
    frame = two_contenders(100, seed=4)
    y = (frame["label"][:100] == "malignant").to_numpy(dtype=float)
    fold = np.random.default_rng(11).permutation(100) % 5
    share = np.array([y[fold != k].mean() for k in fold])
    constant = frame[_is(frame, "cnn")].assign(model="majority", score=share)
    return pd.concat([frame, constant], ignore_index=True).assign(fold=np.tile(fold, 3))


def _sites() -> Frame:
    frame = two_contenders(600, auroc=[0.75] * 4, models=[f"m{i}" for i in range(4)], seed=3)
    site = np.array([f"S{i % 6}" for i in range(600)])
    sex = np.array(["F", "M"])[(np.arange(600) // 6) % 2]
    frame = frame.assign(site=np.tile(site, 4), sex=np.tile(sex, 4))
    easy = frame["site"] == "S0"
    y = (frame["label"] == "malignant").astype(float)
    noise = np.random.default_rng(1).normal(size=int(easy.sum()))
    frame.loc[easy, "score"] = 1 / (1 + np.exp(-(4 * (y[easy] - 0.5) + noise)))
    return frame


def _fold_offset() -> Frame:
    rng, n = np.random.default_rng(77), 300
    y, shared = (np.arange(n) < 120).astype(int), rng.normal(size=n)
    fold = np.empty(n, dtype=int)
    for c in (0, 1):
        index = np.flatnonzero(y == c)
        rng.shuffle(index)
        fold[index] = np.arange(len(index)) % 5
    parts = []
    for model, offset in (("cnn", 0.0), ("vit", 1.5)):
        s = 1.6 * (y - 0.4) + 0.8 * shared + 0.6 * rng.normal(size=n)
        s = s + offset * np.array([-1.5, -0.5, 0, 0.5, 1.5])[fold]
        parts.append(
            pd.DataFrame(
                {"sample": [f"s{i:04d}" for i in range(n)], "group": [f"g{i}" for i in range(n)], "model": model,
                 "label": np.array(BINARY)[y], "score": 1 / (1 + np.exp(-s)), "fold": fold}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _grouped(k: int) -> Callable[[Path], Path]:
    return _csv(lambda: two_contenders(groups=np.arange(200) % k, seed=2))


def _melanoma(labels: Labels) -> Callable[[Path], Path]:
    return _csv(lambda: two_contenders(900, seed=5, auroc=(0.88, 0.80), labels=labels))


FILES: dict[str, Callable[[Path], Path]] = {
    "c01_ties": _base(lambda f: f.assign(score=(f.score * 5).round() / 5)),
    "c02_perfect": _base(lambda f: _apart(f, _is(f, "cnn"), 0.9, 0.1)),
    "c03_constant": _base(lambda f: f.assign(score=f.score.where(_is(f, "cnn"), 0.3))),
    "c03b_bothconst": _base(lambda f: f.assign(score=0.5)),
    "c04_nan": _base(lambda f: _set(f, 5, "score", np.nan)),
    "c04b_nanlabel": _base(lambda f: _set(f, 5, "label", np.nan)),
    "c05_percent": _base(lambda f: f.assign(score=(100 * f.score).round(1))),
    "c05b_logit": _base(lambda f: f.assign(score=np.log(f.score / (1 - f.score)))),
    "c05c_birads": _base(lambda f: f.assign(score=(5 * f.score).round().astype(int).clip(1, 5))),
    "c06_12": _base(_labels("1", "2")),
    "c06b_21": _base(_labels("2", "1")),
    "c06c_ADCN": _base(_labels("CN", "AD")),
    "c06d_melnev": _base(_labels("nevus", "melanoma")),
    "c06e_float": _base(_labels("0.0", "1.0")),
    "c06f_mixed01": _base(
        lambda f: _labels("0", "1")(f).assign(
            label=lambda g: g["label"].where(_is(g, "cnn"), g["label"] + ".0")
        )
    ),
    "c06g_bool": _base(_labels("False", "True")),
    "c06h_pm1": _base(_labels("-1", "1")),
    "c07_missing": _base(lambda f: f.drop(index=[205, 210])),
    "c08_dup": _base(lambda f: pd.concat([f, f.iloc[[3]]])),
    "c08b_dupdiff": _base(lambda f: pd.concat([f, f.iloc[[3]].assign(score=0.5)])),
    "c09_huge": _csv(lambda: two_contenders(groups=np.maximum(np.arange(200) - 99, 0))),
    "c14_semi": _base(sep=";"),
    "c14b_semi_comma": _base(sep=";", decimal=","),
    "c14c_quoted_comma": _base(_comma),
    "c14d_unquoted_comma": _unquoted,
    "c15_bom": _base(encoding="utf-8-sig"),
    "c15b_crlf": _base(lineterminator="\r\n"),
    "c15c_utf16": _base(encoding="utf-16"),
    "c15d_latin1": _base(_labels("bénin", "malin"), encoding="latin-1"),
    "c16_order": _base(lambda f: f[["score", "label", "model", "group", "sample"]]),
    "c16b_extra": _base(lambda f: f.assign(age=50, site=np.where(f.index % 2, "A", "B"), notes="x")),
    "c17_nogroup": _base(lambda f: f.drop(columns="group")),
    "c18_caps": _base(lambda f: f.rename(columns=str.capitalize)),
    "c19_emptygroup": _base(lambda f: f.assign(group=f["group"].where(f["sample"] != "s00003", ""))),
    "c20_twogroups": _base(lambda f: _set(f, 3, "group", "zzz")),
    "c20b_twolabels": _base(lambda f: _set(f, 3, "label", _other(str(f["label"][3])))),
    "c21_oneprob": _base(lambda f: f.rename(columns={"score": "prob_malignant"})),
    "c21b_sum101": _base(lambda f: _both(f, offset=0.01)),
    "c21c_round": _base(lambda f: _both(f, digits=2)),
    "c22_space": _base(lambda f: f.assign(model=f["model"].where(f.index > 99, " cnn"))),
    "c22b_case": _base(lambda f: f.assign(model=f["model"].where(f.index > 99, "CNN"))),
    "c23_single": _base(lambda f: f[_is(f, "cnn")]),
    "c24_wide": _base(_wide),
    "c25_labelcase": _base(
        lambda f: f.assign(label=f["label"].where(_is(f, "cnn"), f["label"].str.capitalize()))
    ),
    "d01_melanoma": _melanoma(("nevus", "melanoma")),
    "d01b_pm1": _melanoma(("-1", "1")),
    "d02_identical": _base(lambda f: pd.concat([f[_is(f, "cnn")], f[_is(f, "cnn")].assign(model="copy")])),
    "d03_three": _csv(lambda: _three((100, 50, 3), (2.0, 1.2), 3)),
    "d03b_absent": _csv(lambda: _three((100, 50, 3), (2.0, 1.2), 3).query("label != 'c'")),
    "d04_ten": _csv(_ten),
    "d04r_ten": _csv(lambda: _ten()[::-1]),
    "d05_rep20": _csv(_twenty_repeats),
    "d06_minor": _csv(_four_positives),
    "d07_revperfect": _base(lambda f: _apart(f, _is(f, "cnn"), 0.1, 0.9)),
    "d08_bothperfect": _base(lambda f: _apart(f, f["score"] > -1, 0.9, 0.1)),
    "d09_hard": _base(lambda f: f.assign(score=(f.score > 0.5).astype(int))),
    **{f"d10_g{k}": _grouped(k) for k in (1, 2, 9, 10, 12, 29, 30)},
    "d11_fold": _base(lambda f: f.assign(fold=np.tile(np.arange(200) % 5, 2))),
    "f01_sites": _csv(_sites),
    "f02_onemodel": _csv(lambda: _sites().query("model == 'm0'")),
    "g01_rare3": _csv(lambda: _three((300, 300, 8), (3.0, 0.8), 11)),
    "g02_low": _csv(lambda: two_contenders(300, seed=4).assign(score=lambda f: 0.3 * f.score)),
    "g03_holdout": _csv(_hold_out),
    "g04_onefold": _csv(_one_fold_with_positives),
    "g05_majority": _csv(_majority),
    "g06_rounded": _csv(lambda: two_contenders(200, seed=4).assign(score=lambda f: f.score.round(1))),
    "g07_pctsign": _base(lambda f: f.assign(score=(100 * f.score).round(1).astype(str) + "%")),
    "g08_markup": _csv(lambda: two_contenders(models=("[red]cnn", "vit"))),
    "g09": _parquet,
    "g10_hospital": _csv(lambda: two_contenders(1000, groups=np.arange(1000) % 5)),
    "i1_foldoffset": _csv(_fold_offset),
    "j1_leakfold": _csv(
        lambda: two_contenders(300, groups=np.arange(300) // 3, seed=4).assign(
            fold=np.tile(np.arange(300) % 5, 2)
        )
    ),
}
"""Name in the review -> how the file is written at a path."""


def write_all(folder: Path) -> list[Path]:
    """Write every file into a folder; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    return [write(folder / f"{name}.csv") for name, write in FILES.items()]


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
