"""What the page of a comparison reads from the files of its run, before any of it is put into a view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headtohead.core.records import Verdict
from headtohead.core.run_folder import RunFolder
from headtohead.core.tables.stored_files import read_settings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RunContents", "optional_json", "read_contents"]


@dataclass(frozen=True, slots=True)
class RunContents:
    """The files of a finished comparison.

    Attributes:
        config_text: `study.toml` for people. config: its settings.
        images: the content of `images.json`. thumbs: sample -> data address of its thumbnail.
        samples: the content of `samples.parquet`, None where there is none.
        backbones: the content of `contenders/*.json`, by file name.
        features: contender -> neighbours. spent: contender -> what its cells took. growth: the learning curve.
        checklist: the items of `checklist.json`.
    """

    run: RunFolder
    verdict: Verdict
    audit: dict[str, Any]
    predictions: pd.DataFrame
    learning: pd.DataFrame
    config_text: str
    config: dict[str, Any]
    images: dict[str, Any]
    thumbs: dict[str, str]
    samples: pd.DataFrame | None
    backbones: list[dict[str, Any]]
    features: dict[str, Any]
    spent: dict[str, Any]
    growth: dict[str, Any]
    checklist: list[dict[str, str]]

    @property
    def order(self) -> list[str]:
        """Return the contenders in the order of the predictions."""
        return list(dict.fromkeys(self.predictions["contender"]))

    @property
    def classes(self) -> list[str]:
        """Return the classes in the order of the columns of probabilities."""
        return [name.removeprefix("prob_") for name in self.predictions.columns if name.startswith("prob_")]

    @property
    def shared_name(self) -> str:
        """Return the path of the run as a page may show it, without the folders of this machine."""
        path = self.run.path
        return path.name if path.is_absolute() or ".." in path.parts else str(path)


def read_contents(run: RunFolder) -> RunContents:
    """Read the files of a finished comparison.

    Raises:
        RunFolderError: a file is missing because the run is not finished.
    """
    verdict, audit = run.verdict(), run.json("audit.json")
    predictions, learning = run.table("predictions.parquet"), run.table("learning.parquet")
    thumbs, images = run.json("thumbs.json"), run.json("images.json")
    config_text, config = read_settings(run.require("study.toml"))
    return RunContents(
        run=run,
        verdict=verdict,
        audit=audit,
        predictions=predictions,
        learning=learning,
        config_text=config_text,
        config=config,
        images=images,
        thumbs=thumbs,
        samples=run.table("samples.parquet") if (run / "samples.parquet").is_file() else None,
        backbones=[
            run.json(f"contenders/{path.name}") for path in sorted((run / "contenders").glob("*.json"))
        ],
        features=optional_json(run, "features.json").get("backbones", {}),
        spent=optional_json(run, "spent.json").get("spent", {}),
        growth=optional_json(run, "learning_curve.json"),
        checklist=optional_json(run, "checklist.json").get("items", []),
    )


def optional_json(run: RunFolder, name: str) -> dict[str, Any]:
    """Return the content of a file that not every run has, {} where it is missing."""
    return dict(run.json(name)) if (run / name).is_file() else {}
