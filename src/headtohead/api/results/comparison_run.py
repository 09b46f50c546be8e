"""A finished comparison, read from its folder: the verdict, tidy frames, errors, figures."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.api.results.html import run_html
from headtohead.api.results.study_folder import LINES, WIDTH, StudyFolder, wrapped
from headtohead.core.errors import RunFolderError, unknown_name
from headtohead.core.formatting import pluralize
from headtohead.core.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from headtohead.api.explain import Explanation
    from headtohead.api.results.plots import RunPlots

__all__ = ["Run"]

SCORE_COLUMNS = (
    "contender", "metric", "value", "low", "high", "level", "n_samples", "n_groups", "method", "note",
)  # fmt: skip
COMPARISON_COLUMNS = (
    "a", "b", "metric", "difference", "low", "high", "p_adjusted", "verdict", "winner", "level", "n_samples",
    "n_groups", "sentence",
)  # fmt: skip
DIFFERENCE_COLUMNS = (
    "a", "b", "metric", "role", "better", "difference", "low", "high", "level", "method", "note",
)  # fmt: skip
CURVE_COLUMNS = (
    "contender", "share", "groups", "value", "low", "high", "extrapolated", "gain", "gain_low", "gain_high",
)  # fmt: skip
SHOWN = 6  # comparisons and contenders that `repr` lists, so that it stays within fifteen lines


class Run(StudyFolder):
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
        self.json("verdict.json")  # a run that is not finished is refused at once

    @cached_property
    def verdict(self) -> Verdict:
        """The answer: `.sentence`, `.scores`, `.comparisons`, `.caveats`, `.rule`."""
        from headtohead.core.tables.stored_files import read_as

        return read_as(Verdict, self.json("verdict.json"), self.path / "verdict.json")

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
        return frame.astype({"value": float, "low": float, "high": float})  # None becomes NaN

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

    @property
    def differences(self) -> pd.DataFrame:
        """One row per pair and metric: the paired difference in every metric, the primary metric of each pair first.

        Columns: a, b, metric, role ("primary", or "secondary": not adjusted for the number of metrics), better ("high",
        "low", or the ideal: "one", "zero"), difference (a - b), low, high, level, method, note. `difference` is NaN
        where a metric is not defined; `note` says why. Empty for a run of an earlier version.
        """
        import pandas as pd

        found = self.verdict.details.differences or ()
        rows = [[getattr(one, name) for name in DIFFERENCE_COLUMNS] for one in found]
        frame = pd.DataFrame(rows, columns=list(DIFFERENCE_COLUMNS))
        return frame.astype({"difference": float, "low": float, "high": float})

    @property
    def learning_curve(self) -> pd.DataFrame:
        """Scores of the probes over the size of the training part, and what the fitted power law leads to.

        Columns: contender, share (of the training groups; 2.0 is extrapolated), groups (in training, mean over folds),
        value, low, high, extrapolated. Of an extrapolated row also gain, gain_low and gain_high over all groups.

        Raises:
            RunFolderError: the run has no learning curve.
        """
        import pandas as pd

        if not (self.path / "learning_curve.json").is_file():
            raise RunFolderError(
                f"{self.path} has no learning curve. The same compare command with --learning-curve makes it."
            )
        content = self.json("learning_curve.json")
        ahead = [{**row, "share": row["factor"], "extrapolated": True} for row in content["extrapolation"]]
        rows = [*({**row, "extrapolated": False} for row in content["points"]), *ahead]
        frame = pd.DataFrame(rows, columns=list(CURVE_COLUMNS))
        numbers = [name for name in CURVE_COLUMNS if name not in ("contender", "groups", "extrapolated")]
        return frame.astype(dict.fromkeys(numbers, float))

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Out-of-fold predictions, one row per image, repeat and contender.

        Columns: sample, group, repeat, fold, contender, label, and prob_<class> for each class.
        """
        from headtohead.core.run_folder import RunFolder

        return RunFolder(self.path).table("predictions.parquet")

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
        masks: str | os.PathLike[str] | None = None,
        quiet: bool = False,
    ) -> Explanation:
        """Show where each contender found its evidence; arguments as for `headtohead.explain`."""
        from headtohead.api.explain import explain

        return explain(
            self.path,
            images=images,
            contenders=contenders,
            method=method,
            target=target,
            masks=masks,
            quiet=quiet,
        )

    @property
    def plot(self) -> RunPlots:
        """Figures as matplotlib Axes: `.differences()`, `.roc()`, `.calibration()`."""
        from headtohead.api.results.plots import RunPlots

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


def summary(run: Run) -> str:
    """Return a run in at most fifteen lines of eighty columns, the answer first."""
    from headtohead.stats.metrics.lookup import get_metric

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
        f"{get_metric(verdict.metric).title} "
        f"({100 * verdict.scores[0].level:g}% CI)"
        f"{'' if verdict.positive is None else f', positive class: {verdict.positive}'}",
    ]
    lines += [f"  {score.contender[:width]:<{width}}  {score}" for score in primary]
    lines.append(f"{pluralize(len(verdict.caveats), 'caveat')}; report: {run.path / run.page_name}")
    return "\n".join(lines[:LINES])
