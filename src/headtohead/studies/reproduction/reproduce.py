"""The study of `reproduce`: the published study as it was done, then with one correction after the other.

Published on these images: a frozen InceptionResNetV2 with a trained head, 43 of 50 validation
images right (0.86), and a fine-tuned ViT-B/16, 35 of 36 other images right (0.97), its best
epoch chosen on those 36. Here both networks, or stand-ins that need no hub, go through the same
protocol, and then each of its flaws is corrected in turn, so that the effect of each can be seen.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.core.atomic_io import write_atomic, write_table
from headtohead.core.config import ReproductionConfig
from headtohead.core.errors import UsageError, WeightsError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Verdict
from headtohead.core.run_folder import RunFolder
from headtohead.studies.base import Study
from headtohead.studies.reproduction.protocol import ARMS, CORRECTIONS, Arm, NetworkPair
from headtohead.studies.run_files import fetch_weights, write_folds, write_verdict

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.studies.reproduction.runner import ProtocolRunner, ScoredImages

__all__ = ["ReproductionStudy", "choose_networks", "reproduce_study"]

FLAGSHIPS: dict[Arm, str] = {"cnn": "inception-resnet-v2", "vit": "vit-b16"}
STAND_INS: dict[Arm, str] = {"cnn": "efficientnet-lite0", "vit": "dinov2-small"}


def reproduce_study(
    config: ReproductionConfig, out: Path, reporter: Reporter = QUIET, *, cache: Path | None = None
) -> RunFolder:
    """Run `reproduce` in the folder `out`, or go on with it, and return the finished run folder.

    Args:
        config: everything that decides the digits.
        out: the run folder.
        reporter: hears what is being done.
        cache: where features are kept between runs; by default below the weights' cache.

    Raises:
        UsageError: the data do not have two classes.
        ChangedConfigError, ChangedDataError: the folder belongs to other settings or images.
    """
    return ReproductionStudy(config, out, reporter, cache=cache).run()


class ReproductionStudy(Study[ReproductionConfig]):
    """The published study and its corrections in one run folder."""

    page_name = "reproduce.html"

    def validate_config(self) -> None:
        """Refuse networks that do not exist.

        Raises:
            UnknownNameError: no such network.
        """
        from headtohead.backbones.catalog import resolve

        for name in (self.config.cnn, self.config.vit):
            if name != "auto":
                resolve(name)

    def validate_contenders(self) -> None:
        """Choose the two networks and fetch their weights, before any long work."""
        self.validate_config()
        networks = (self.networks.cnn, self.networks.vit)
        fetch_weights(self.run_folder, networks, self.config.seed, self.reporter)

    def validate_against_data(self) -> None:
        """Refuse data that the published study could not have used.

        Raises:
            UsageError: the data do not have two classes.
        """
        classes = self.dataset.classes
        if len(classes) != 2:
            raise UsageError(f"The study had two classes; got {len(classes)}: {', '.join(classes)}.")

    def split(self) -> None:
        """Write the splits of every state, with the leaks of those that the published study allowed."""
        from headtohead.studies.reproduction.splits import split_tables

        tables = split_tables(self._runner)
        write_folds(self.run_folder, tables.frame, tables.proof, tables.leaks)

    def fit(self) -> pd.DataFrame:
        """Train both networks in every state; return and write the predictions of the scored images."""
        from headtohead.studies.reproduction.summary import predictions_frame

        predictions = predictions_frame(self.grouped, self.networks, self._scored)
        write_table(self.run_folder / "predictions.parquet", predictions)
        return predictions

    def judge(self) -> Verdict:
        """Return and write the accuracy of every state and the difference of the networks in it."""
        from headtohead.studies.reproduction.summary import reproduction_verdict

        verdict = reproduction_verdict(self._summary, self.networks, self.dataset.positive)
        write_verdict(self.run_folder, verdict)
        return verdict

    def write_page(self) -> Path:
        """Write `reproduce.json`, `waterfall.svg` and `reproduce.html`, and return the page's path."""
        from headtohead.report.reproduction_page import page, waterfall

        self.run_folder.write("reproduce.json", self._summary)
        write_atomic(self.run_folder / "waterfall.svg", waterfall(self._summary, alone=True))
        path = self.run_folder / self.page_name
        write_atomic(path, page(self._summary))
        return path

    @cached_property
    def networks(self) -> NetworkPair:
        """The networks of the published study where their weights are available, or their stand-ins."""
        networks = choose_networks(self.config.cnn, self.config.vit, self.reporter)
        self.reporter.info(f"Networks: {networks.title}.")
        return networks

    @cached_property
    def _runner(self) -> ProtocolRunner:
        from headtohead.studies.reproduction.runner import ProtocolRunner

        return ProtocolRunner(self.grouped, self.networks, self.config, self.run_folder, self.reporter)

    @cached_property
    def _scored(self) -> dict[tuple[str, Arm], ScoredImages]:
        """(state's name, arm) -> the predictions of its scored images."""
        states = self.reporter.progress(CORRECTIONS, "states of the study", len(CORRECTIONS))
        return {(step.name, arm): self._runner.score(step, arm) for step in states for arm in ARMS}

    @cached_property
    def _summary(self) -> dict[str, Any]:
        """The content of `reproduce.json`."""
        from headtohead.studies.reproduction.summary import summarise

        leaks = {(step.name, arm): self._runner.leaks(step, arm) for step in CORRECTIONS for arm in ARMS}
        return summarise(self.grouped, self.networks, self._scored, leaks, self.config)


def choose_networks(cnn: str, vit: str, reporter: Reporter = QUIET) -> NetworkPair:
    """Return the two networks: those that were named, those of the study, or the stand-ins.

    Args:
        cnn, vit: names, or "auto" for the study's network where its weights are available, otherwise for
            the stand-in.
        reporter: hears that stand-ins run.

    Raises:
        WeightsError: a named network whose weights are not available.
    """
    from headtohead.backbones.catalog import resolve
    from headtohead.backbones.weights.fetch import ensure_weights

    given: dict[Arm, str] = {"cnn": cnn, "vit": vit}
    names = {arm: FLAGSHIPS[arm] if name == "auto" else name for arm, name in given.items()}
    try:
        for arm in names:
            ensure_weights(resolve(names[arm]), reporter=reporter)
    except WeightsError as error:
        if "auto" not in given.values():
            raise
        reason = str(error).split(". ")[0].rstrip(".")
        reporter.warning(f"Weights of the study's networks are not available here ({reason}); stand-ins run.")
        # A network that was named is never replaced.
        names = {arm: STAND_INS[arm] if name == "auto" else name for arm, name in given.items()}
        for arm in names:
            ensure_weights(resolve(names[arm]), reporter=reporter)
    stand_in = any(names[arm] != FLAGSHIPS[arm] for arm in names)
    return NetworkPair(resolve(names["cnn"]), resolve(names["vit"]), stand_in)
