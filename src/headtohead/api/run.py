"""A finished study, read from its folder: the verdict, tidy frames, errors, figures."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.api.html import run_html
from headtohead.core.errors import RunFolderError, unknown_name
from headtohead.core.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from headtohead.api.explain import Explanation
    from headtohead.api.plots import RunPlots

__all__ = ["BestRun", "ReproductionRun", "Run"]

SCORE_COLUMNS = (
    "contender", "metric", "value", "low", "high", "level", "n_samples", "n_groups", "method", "note",
)  # fmt: skip
COMPARISON_COLUMNS = (
    "a", "b", "metric", "difference", "low", "high", "p_adjusted", "verdict", "winner", "level", "n_samples",
    "n_groups", "sentence",
)  # fmt: skip
WIDTH = 80  # columns of a plain terminal, which `repr` keeps to
LINES = 15  # that `repr` keeps to
SHOWN = 6  # comparisons and contenders that `repr` lists, so that it stays within fifteen lines


class _StudyFolder:
    """What all studies have: a folder, its files, its page."""

    page_name = "report.html"

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise RunFolderError(f"There is no run at {path}; expected the folder that a study wrote.")
        self.path = path

    def json(self, name: str) -> Any:
        """Return the content of one of the folder's JSON files.

        Args:
            name: file name, such as "audit.json".

        Raises:
            RunFolderError: the run has no such file.
        """
        from headtohead.core.run_folder import RunFolder

        if not (self.path / name).is_file():
            raise RunFolderError(f"{self.path} has no {name}; the run is not finished, or of another kind.")
        return RunFolder(self.path).json(name)

    def report(self, *, show: bool = False) -> Path:
        """Return the path of the run's page.

        Args:
            show: also open it in the browser.

        Raises:
            RunFolderError: the page was not written.
        """
        page = self.path / self.page_name
        if not page.is_file():
            raise RunFolderError(f"{self.path} has no {self.page_name}; the run is not finished.")
        if show:
            import webbrowser

            webbrowser.open(page.resolve().as_uri())
        return page

    @property
    def audit(self) -> pd.DataFrame:
        """The audit's findings, worst first: code, title, severity, outcome, message, advice, n_samples."""
        from headtohead.api.data import findings_frame

        return findings_frame(self.json("audit.json")["findings"])


class Run(_StudyFolder):
    """A comparison that is finished.

    Frames are tidy pandas data frames, one row per thing; their columns are listed at each property.

    Args:
        path: the run folder.

    Raises:
        RunFolderError: there is no run, or it is not finished.

    Attributes:
        path: the run folder.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.json("verdict.json")

    @cached_property
    def verdict(self) -> Verdict:
        """The answer: `.sentence`, `.scores`, `.comparisons`, `.caveats`, `.rule`."""
        return Verdict.model_validate(self.json("verdict.json"))

    @property
    def contenders(self) -> list[str]:
        """Names of the contenders, baselines last, in the order of the verdict."""
        return list(dict.fromkeys(score.contender for score in self.verdict.scores))

    @property
    def scores(self) -> pd.DataFrame:
        """One row per contender and metric.

        Columns: contender, metric, value, low, high, level, n_samples, n_groups, method, note. `value` is NaN where
        a metric is not defined; `note` says why.
        """
        import pandas as pd

        rows = [[getattr(score, name) for name in SCORE_COLUMNS] for score in self.verdict.scores]
        frame = pd.DataFrame(rows, columns=list(SCORE_COLUMNS))
        return frame.astype({"value": float, "low": float, "high": float})

    @property
    def comparisons(self) -> pd.DataFrame:
        """One row per pair of contenders, the pair that answers the question first.

        Columns: a, b, metric, difference (a - b), low, high, p_adjusted (Holm), verdict, winner, level, n_samples,
        n_groups, sentence.
        """
        import pandas as pd

        rows = [
            [
                one.details.p_holm if name == "p_adjusted" else getattr(one, name)
                for name in COMPARISON_COLUMNS
            ]
            for one in self.verdict.comparisons
        ]
        frame = pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))
        return frame.astype({"difference": float, "low": float, "high": float, "p_adjusted": float})

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Out-of-fold predictions, one row per image, repeat and contender.

        Columns: sample, group, repeat, fold, contender, label, and prob_<class> for each class.
        """
        import pandas as pd

        return pd.read_parquet(self.path / "predictions.parquet")

    def errors(self, contender: str) -> pd.DataFrame:
        """Return the images that a contender gets wrong, most confidently wrong first.

        Probabilities are means over repeats; the predicted class is the most probable one.

        Args:
            contender: its name.

        Returns:
            columns image, group, truth, predicted, prob_<class> for each class.

        Raises:
            UnknownNameError: no such contender in this run.
        """
        table = self._mean_predictions(contender)
        wrong = table[table["predicted"] != table["truth"]].copy()
        given = [row[f"prob_{row['truth']}"] for row in wrong.to_dict("records")]
        return (
            wrong.assign(_given=given)
            .sort_values(["_given", "image"])
            .drop(columns="_given")
            .reset_index(drop=True)
        )

    def disagreements(self, a: str, b: str) -> pd.DataFrame:
        """Return the images for which two contenders predict different classes.

        Args:
            a, b: names of two contenders.

        Returns:
            columns image, group, truth, predicted_a, predicted_b, prob_a, prob_b: the last two are the probabilities
            that each gave to the true class; the largest gap first.

        Raises:
            UnknownNameError: no such contender in this run.
        """
        first, second = (self._mean_predictions(name).set_index("image") for name in (a, b))
        differ = first[first["predicted"] != second["predicted"]]
        import pandas as pd

        others = second.loc[differ.index].to_dict("records")
        rows = []
        for image, row, other in zip(differ.index, differ.to_dict("records"), others, strict=True):
            column = f"prob_{row['truth']}"
            classes = (row["truth"], row["predicted"], other["predicted"])
            rows.append((image, row["group"], *classes, row[column], other[column]))
        columns = ["image", "group", "truth", "predicted_a", "predicted_b", "prob_a", "prob_b"]
        frame = pd.DataFrame(rows, columns=columns)
        order = (frame["prob_a"] - frame["prob_b"]).abs().sort_values(ascending=False, kind="stable").index
        return frame.loc[order].reset_index(drop=True)

    def explain(
        self,
        *,
        images: str | Iterable[str] = "errors",
        contenders: str | Iterable[str] = (),
        method: str = "contributions",
        target: str | None = None,
        quiet: bool = False,
    ) -> Explanation:
        """Show where each contender found its evidence; arguments as for `headtohead.explain`."""
        from headtohead.api.explain import explain

        return explain(
            self.path, images=images, contenders=contenders, method=method, target=target, quiet=quiet
        )

    @property
    def plot(self) -> RunPlots:
        """Figures as matplotlib Axes: `.differences()`, `.roc()`, `.calibration()`."""
        from headtohead.api.plots import RunPlots

        return RunPlots(self.verdict, self.comparisons, self.scores)

    def _mean_predictions(self, contender: str) -> pd.DataFrame:
        """Return one row per image: mean probabilities over repeats, the truth and the most probable class."""
        if contender not in self.contenders:
            raise unknown_name("contender", contender, self.contenders)
        table = self.predictions
        columns = [str(name) for name in table.columns if str(name).startswith("prob_")]
        own = table[table["contender"] == contender]
        grouped = own.groupby("sample", sort=True)
        mean = grouped[columns].mean()
        mean.insert(
            0, "predicted", [str(name).removeprefix("prob_") for name in mean[columns].idxmax(axis=1)]
        )
        mean.insert(0, "truth", grouped["label"].first().astype(str))
        mean.insert(0, "group", grouped["group"].first())
        return mean.reset_index(names="image")

    def __repr__(self) -> str:
        return summary(self)

    def _repr_html_(self) -> str:
        return run_html(self.verdict, self.comparisons, self.path / self.page_name)


class BestRun(_StudyFolder):
    """A search that is finished: the nested estimate, the ablation, and the model fitted on all images.

    Args:
        path: the run folder.

    Raises:
        RunFolderError: there is no run, or it is not finished.
    """

    page_name = "best.html"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.content: dict[str, Any] = self.json("best.json")

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
                row[f"{metric}_gain"] = gain.get("value")
            rows.append(row)
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        lines = [f"BestRun at {self.path}", "", *wrapped(self.sentence)]
        return "\n".join(
            [*lines, *(line for text in self.content["caveats"][:2] for line in wrapped(f"! {text}"))][:15]
        )

    def _repr_html_(self) -> str:
        from headtohead.api.html import frame_html

        return frame_html(self.sentence, self.steps, self.content["caveats"])


class ReproductionRun(_StudyFolder):
    """The published study, one correction at a time.

    Args:
        path: the run folder.

    Raises:
        RunFolderError: there is no run, or it is not finished.
    """

    page_name = "reproduce.html"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.content: dict[str, Any] = self.json("reproduce.json")

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
            [f"ReproductionRun at {self.path}", "", *(line for text in texts for line in wrapped(text))][:15]
        )

    def _repr_html_(self) -> str:
        from headtohead.api.html import frame_html

        return frame_html(self.content["title"], self.steps, self.content["sentences"])


def wrapped(text: str) -> list[str]:
    """Return a text in lines of a plain terminal."""
    import textwrap

    return textwrap.wrap(text, WIDTH)


def summary(run: Run) -> str:
    """Return a run in at most fifteen lines of eighty columns, the answer first."""
    verdict = run.verdict
    answer = wrapped(verdict.sentence)
    if len(answer) > 5:
        answer = [*answer[:4], f"{answer[4][: WIDTH - 2]} …"]
    primary = [score for score in verdict.scores if score.metric == verdict.metric][:SHOWN]
    width = max((len(score.contender) for score in primary), default=0)
    width = min(width, WIDTH - 30)
    lines = [
        *answer,
        "",
        f"{verdict.metric.upper() if verdict.metric == 'auroc' else verdict.metric} (95% CI)"
        f"{'' if verdict.positive is None else f', positive class: {verdict.positive}'}",
    ]
    lines += [f"  {score.contender[:width]:<{width}}  {score}" for score in primary]
    lines.append(f"{len(verdict.caveats)} caveats; report: {run.path / run.page_name}")
    return "\n".join(lines[:LINES])
