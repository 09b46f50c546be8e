"""A finished search and a finished reproduction, read from their folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.api.results.study_folder import LINES, StudyFolder, wrapped

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BestRun", "ReproductionRun"]


class _Study(StudyFolder):
    """A finished study with one file that sums it up.

    Args:
        path: the run folder.

    Raises:
        RunFolderError: there is no run, or it is not finished.
    """

    content_name = ""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.content: dict[str, Any] = self.json(self.content_name)


class BestRun(_Study):
    """A search that is finished: the nested estimate, the ablation, and the model fitted on all images."""

    page_name, content_name = "best.html", "best.json"

    @property
    def sentence(self) -> str:
        """The estimate in one sentence."""
        return str(self.content["sentences"][0])

    @property
    def steps(self) -> pd.DataFrame:
        """The ablation, one row per step: name, over, accuracy, auroc and their intervals and gains."""
        import pandas as pd

        rows = []
        for step in self.content["ladder"]:
            row: dict[str, Any] = {"name": step["name"], "over": step["over"]}
            for metric in ("accuracy", "auroc"):
                score, gain = step[metric], step[f"gain_in_{metric}"] or {}
                row |= {
                    metric: score["value"],
                    f"{metric}_low": score["low"],
                    f"{metric}_high": score["high"],
                }
                row[f"{metric}_gain"] = gain.get("difference")
            rows.append(row)
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        lines = [f"BestRun at {self.path}", "", *wrapped(self.sentence)]
        return "\n".join(
            [*lines, *(line for text in self.content["caveats"][:2] for line in wrapped(f"! {text}"))][:LINES]
        )

    def _repr_html_(self) -> str:
        from headtohead.api.results.html import frame_html

        return frame_html(self.sentence, self.steps, self.content["caveats"])


class ReproductionRun(_Study):
    """The published study, one correction at a time."""

    page_name, content_name = "reproduce.html", "reproduce.json"

    @property
    def steps(self) -> pd.DataFrame:
        """One row per state of the protocol and quantity: name, what (cnn, vit, difference), value, low, high."""
        import pandas as pd

        rows = [
            (step["name"], what, step[what]["value"], step[what]["low"], step[what]["high"])
            for step in self.content["steps"]
            for what in ("cnn", "vit", "difference")
        ]
        return pd.DataFrame(rows, columns=["name", "what", "value", "low", "high"])

    def __repr__(self) -> str:
        texts = [self.content["title"], *self.content["sentences"]]
        return "\n".join(
            [f"ReproductionRun at {self.path}", "", *(line for text in texts for line in wrapped(text))][
                :LINES
            ]
        )

    def _repr_html_(self) -> str:
        from headtohead.api.results.html import frame_html

        return frame_html(self.content["title"], self.steps, self.content["sentences"])
