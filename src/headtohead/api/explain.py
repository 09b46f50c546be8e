"""Explain a finished run from Python: the maps of its images, as frames, arrays and pictures."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.api.arguments import names_of, path_of, reporter_for

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.explain.image_map import ImageMap

__all__ = ["Explanation", "explain"]

COLUMNS = (
    "image", "contender", "label", "target", "log_odds", "offset", "localised", "not_localised", "sanity", "words",
)  # fmt: skip


class Explanation:
    """The maps of a run.

    Attributes:
        folder: where the files are: index.csv, grids.json, a folder per contender.
        maps: one per image and contender, each with `.pixels()`, `.words` and `.attribution`.
        left_out: contender -> why it has no map.
        findings: what the contenders read outside the subject, in sentences.
    """

    def __init__(
        self,
        folder: Path,
        maps: Iterable[ImageMap],
        left_out: dict[str, str],
        findings: Iterable[str] = (),
    ) -> None:
        self.folder = folder
        self.maps = tuple(maps)
        self.left_out = left_out
        self.findings = tuple(findings)

    def frame(self) -> pd.DataFrame:
        """Return one row per map.

        Columns: image, contender, label, target, log_odds, offset, localised, not_localised, sanity, words; the
        first three numbers after log_odds sum to it where the method is exact, and are missing otherwise.
        """
        import pandas as pd

        rows: list[tuple[Any, ...]] = []
        for one in self.maps:
            a = one.attribution
            parts = (a.offset, a.localised, a.not_localised) if a.is_sum else (None, None, None)
            rows.append(
                (one.sample, one.contender, one.label, one.target, a.log_odds, *parts, one.sanity, one.words)
            )
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def __repr__(self) -> str:
        n = len({one.contender for one in self.maps})
        images = len({one.sample for one in self.maps})
        return f"Explanation({images} images, {n} contenders, in {self.folder})"


def explain(
    run: str | os.PathLike[str],
    *,
    images: str | Iterable[str] = "errors",
    contenders: str | Iterable[str] = (),
    method: str = "contributions",
    target: str | None = None,
    masks: str | os.PathLike[str] | None = None,
    quiet: bool = False,
) -> Explanation:
    """Show where each contender of a finished run found its evidence; write the maps into the run's folder `maps`.

    Every image is explained by the head of the fold that did not see it. The report is made again, with the maps.

    Args:
        run: the folder that `compare` wrote.
        images: "errors" (wrong for a contender), "all", or sample ids as a list or with commas.
        contenders: names; by default all that can be explained.
        method: "contributions" is exact and fast, for linear heads on pooled features; "integrated-contributions" finds
            small things better and takes longer; also "gradcam", "layercam", "attention-gradient",
            "integrated-gradients", "occlusion", "rise".
        target: the class whose log-odds are explained; by default the positive one of two, of more than two the
            most probable.
        masks: folder of masks, called like their images (`x_mask.png`); how well exact maps find what they mark goes
            into `maps/faithfulness.json` and the report.
        quiet: show no progress.

    Returns:
        the maps, and where their files are.

    Raises:
        HeadToHeadError: no finished run, images that have changed, an unknown name, or nothing to explain.
    """
    from headtohead.explain.run.checklist_item import fill_explainability
    from headtohead.explain.run.explain_run import ExplainRequest, explain_run
    from headtohead.explain.run.head_maps import SUMS
    from headtohead.report.page import write_report

    wanted = images if isinstance(images, str) else names_of(images, "images")
    names = names_of(contenders, "contenders") if contenders else ()
    request = ExplainRequest(
        wanted, names, method, target, None if masks is None else path_of(masks, "masks")
    )
    folder = path_of(run, "run")
    found = explain_run(folder, request, reporter_for(quiet))
    if method in SUMS:  # the methods whose maps the report shows
        fill_explainability(folder)
        write_report(folder)
    return Explanation(found.folder, found.maps, found.left_out, found.findings)
