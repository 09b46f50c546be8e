"""Files of predictions as people have them: one comparison of two models, written in many ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["FAULTY", "READABLE", "two_models"]


def two_models(n: int = 60) -> pd.DataFrame:
    """Return n samples, labelled benign or malignant, scored by cnn and by vit with four decimals."""
    rng = np.random.default_rng(0)
    label = (np.arange(n) % 5 < 2).astype(int)
    shared = rng.normal(size=n)
    parts = []
    for model, lift in (("cnn", 1.4), ("vit", 1.1)):
        score = 1 / (1 + np.exp(-(lift * (label - 0.4) + 0.7 * shared + 0.7 * rng.normal(size=n))))
        parts.append(
            pd.DataFrame(
                {"sample": [f"s{i:05d}" for i in range(n)], "group": [f"g{i}" for i in range(n)], "model": model,
                 "label": np.array(["benign", "malignant"])[label], "score": score.round(4)}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


Change = Callable[[pd.DataFrame], pd.DataFrame]


def _csv(change: Change = lambda frame: frame, **options: object) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "p.csv"
        change(two_models()).to_csv(path, index=False, **options)  # type: ignore[call-overload]
        return path

    return write


def _text(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(score=[f"{value:.4f}" for value in frame["score"]])


def _comma(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(score=_text(frame)["score"].str.replace(".", ",", regex=False))


def _unquoted(folder: Path) -> Path:
    path = folder / "p.csv"
    rows = _comma(two_models()).itertuples(index=False, name=None)
    path.write_text("\n".join(",".join(map(str, row)) for row in [tuple(two_models().columns), *rows]))
    return path


def _excel_line(folder: Path) -> Path:
    path = folder / "p.csv"
    path.write_text("sep=;\n" + _comma(two_models()).to_csv(index=False, sep=";"))
    return path


def _json(name: str, **options: object) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        two_models().to_json(folder / name, orient="records", **options)  # type: ignore[call-overload]
        return folder / name

    return write


def _parquet(folder: Path) -> Path:
    two_models().assign(sample=np.tile(np.arange(60), 2)).to_parquet(folder / "p.parquet")
    return folder / "p.parquet"


def _wide(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.pivot(index=["sample", "group", "label"], columns="model", values="score").reset_index()


def _both(frame: pd.DataFrame, *, names: tuple[str, str] = ("prob_malignant", "prob_benign")) -> pd.DataFrame:
    return frame.assign(**{names[0]: frame.score, names[1]: 1 - frame.score}).drop(columns="score")


def _of(frame: pd.DataFrame, model: str) -> pd.Series:
    return frame["model"] == model


READABLE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "plain": (_csv(), ""),
    "semicolons": (_csv(sep=";"), "separated by semicolon"),
    "tabs": (_csv(sep="\t"), "separated by tab"),
    "semicolons and decimal comma": (_csv(sep=";", decimal=","), "decimal comma"),
    "quoted decimal comma": (_csv(_comma), "decimal comma"),
    "sep= of Excel": (_excel_line, "decimal comma"),
    "byte-order mark": (_csv(encoding="utf-8-sig"), ""),
    "carriage returns": (_csv(lineterminator="\r\n"), ""),
    "utf-16": (_csv(encoding="utf-16"), "read as UTF-16"),
    "utf-16 without a mark": (_csv(encoding="utf-16-le"), "read as UTF-16"),
    "latin-1": (_csv(lambda f: f.assign(site="Mälmö"), encoding="latin-1"), "Latin-1"),
    "other column order": (_csv(lambda f: f[["score", "label", "model", "group", "sample"]]), ""),
    "further columns": (_csv(lambda f: f.assign(age=50, site="A", notes="x")), ""),
    "capital headers": (_csv(lambda f: f.rename(columns=str.capitalize)), ""),
    "row numbers": (lambda folder: _numbered(folder), ""),
    "blanks around names": (_csv(lambda f: f.assign(model=" " + f["model"])), ""),
    "percent signs": (_csv(lambda f: f.assign(score=(100 * f.score).round(2).astype(str) + "%")), "in percent"),
    "names of scikit-learn": (
        _csv(lambda f: f.rename(columns={"label": "y_true", "score": "y_score"})), "label from 'y_true'",
    ),
    "one probability": (_csv(lambda f: f.rename(columns={"score": "prob_malignant"})), "1 - prob_malignant"),
    "both probabilities": (_csv(_both), ""),
    "columns named like classes": (
        _csv(lambda f: _both(f, names=("Malignant", "Benign"))), "'malignant' from 'Malignant'",
    ),
    "columns p_<class>": (_csv(lambda f: _both(f, names=("p_malignant", "p_benign"))), "from 'p_malignant'"),
    "probability columns of another case": (_csv(lambda f: _both(f, names=("Prob_Malignant", "PROB_BENIGN"))), ""),
    "labels of another case": (
        _csv(lambda f: f.assign(label=f["label"].where(_of(f, "cnn"), f["label"].str.capitalize()))),
        "differ in spelling",
    ),
    "wide": (_csv(_wide), "Wide table"),
    "wide with an age": (_csv(lambda f: _wide(f).assign(age=50)), "'age' hold no probabilities"),
    "wide with probability columns": (
        _csv(lambda f: _wide(f).rename(columns={"cnn": "prob_cnn", "vit": "prob_vit"})), "Wide table",
    ),
    "parquet with numbers for samples": (_parquet, ""),
    "json": (_json("p.json"), ""),
    "json lines": (_json("p.jsonl", lines=True), ""),
}  # fmt: skip
"""Ways of writing `two_models` -> how, and words of the note that says what was assumed."""


def _numbered(folder: Path) -> Path:
    two_models().to_csv(folder / "p.csv")
    return folder / "p.csv"


FAULTY: dict[str, tuple[Callable[[Path], Path], str]] = {
    "unquoted decimal comma": (_unquoted, "6 cells under 5 names.*semicolons"),
    "percentages": (_csv(lambda f: f.assign(score=(100 * f.score).round(1))), "divide them by 100"),
    "logits": (_csv(lambda f: f.assign(score=np.log(f.score / (1 - f.score)))), "give --score logit"),
    "a missing score": (_csv(lambda f: f.assign(score=f.score.where(f.index != 5))), "--complete-cases"),
    "a missing label": (_csv(lambda f: f.assign(label=f.label.where(f.index != 5))), "s00005.*--complete-cases"),
    "a missing line": (_csv(lambda f: f.drop(index=[65, 70])), "no prediction for 2 of 60.*--complete-cases"),
    "an empty group": (
        _csv(lambda f: f.assign(group=f.group.where(f["sample"] != "s00003"))), "the sample's own name",
    ),
    "model names of another case": (
        _csv(lambda f: f.assign(model=f["model"].where(f.index > 20, "CNN"))), "letter case only",
    ),
    "other images": (
        _csv(lambda f: f.assign(sample=f["sample"].where(_of(f, "cnn"), "x" + f["sample"]))), "same images",
    ),
    "no label": (_csv(lambda f: f.rename(columns={"label": "what"})), "--columns label='what'"),
    "columns of one name": (lambda folder: _repeated(folder), "same name"),
}  # fmt: skip
"""Files that are refused -> how they are written, and words of the refusal that say what to do."""


def _repeated(folder: Path) -> Path:
    text = two_models().to_csv(index=False)
    (folder / "p.csv").write_text(text.replace("sample,group", "sample, sample", 1))
    return folder / "p.csv"
