"""The published study, taken apart: as it was done, then with one correction after the other.

Published on these images: a frozen InceptionResNetV2 with a trained head, 43 of 50 validation
images right (0.86), and a fine-tuned ViT-B/16, 35 of 36 other images right (0.97), its best
epoch chosen on those 36. Here both networks, or stand-ins that need no hub, go through the same
protocol, and then each of its flaws is mended in turn, so that what each is worth can be seen.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.core.atomic_io import write_atomic, write_json
from headtohead.core.config import ReproductionConfig
from headtohead.core.errors import UsageError, WeightsError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.run_folder import RunFolder
from headtohead.studies.reproduction.protocol import ARMS, CORRECTIONS, Arm, NetworkPair, ReproductionPlan

if TYPE_CHECKING:
    from headtohead.data.dataset import Dataset
    from headtohead.data.options import LoadOptions

__all__ = ["ReproductionPlan", "choose_networks", "reproduce", "reproduce_study"]

FLAGSHIPS: dict[Arm, str] = {"cnn": "inception-resnet-v2", "vit": "vit-b16"}
STAND_INS: dict[Arm, str] = {"cnn": "efficientnet-lite0", "vit": "dinov2-small"}


def reproduce_study(config: ReproductionConfig, out: Path, reporter: Reporter = QUIET) -> RunFolder:
    """Run `reproduce` in the folder `out`, or go on with it, and return the finished run folder.

    Args:
        config: everything that decides the digits.
        out: the run folder.
        reporter: hears what is being done.

    Raises:
        UsageError: the data do not have two classes.
        ChangedConfigError, ChangedDataError: the folder belongs to other settings or images.
    """
    from headtohead.data.options import LoadOptions

    plan = ReproductionPlan(
        seed=config.seed,
        splits=config.splits,
        many_splits=config.many_splits,
        head_epochs=config.head_epochs,
        epochs=config.epochs or (20 if config.full else 6),
        short=not config.full,
        n_boot=config.n_boot,
    )
    options = LoadOptions.from_config(config.data_options)
    reproduce(config.data, out, options=options, cnn=config.cnn, vit=config.vit, plan=plan, reporter=reporter)
    return RunFolder(out)


def reproduce(
    source: str,
    out: Path,
    *,
    options: LoadOptions | None = None,
    cnn: str = "auto",
    vit: str = "auto",
    plan: ReproductionPlan | None = None,
    reporter: Reporter = QUIET,
) -> dict[str, Any]:
    """Run the study as published and corrected step by step; write the figures, a waterfall and a page.

    Args:
        source: the images, as `headtohead.data.load` takes them; two classes.
        out: folder for `reproduce.json`, `waterfall.svg`, `reproduce.html`; finished trainings are
            kept in it, so that a stopped call goes on.
        cnn, vit: contenders, or "auto": those of the study where their weights can be had, otherwise
            both stand-ins.

    Returns:
        The content of `reproduce.json`.

    Raises:
        UsageError: the data do not have two classes.
    """
    from headtohead.report.reproduction_page import page, waterfall
    from headtohead.studies.reproduction.runner import ProtocolRunner
    from headtohead.studies.reproduction.summary import summarise

    plan = plan or ReproductionPlan()
    dataset = _grouped(source, options, reporter)
    networks = choose_networks(cnn, vit, reporter)
    reporter.info(f"Networks: {networks.title}.")
    bench = ProtocolRunner(dataset, networks, plan, out, reporter)
    lines = {
        (step.name, side): bench.predictions(step, side)
        for step in reporter.progress(CORRECTIONS, "states of the study", len(CORRECTIONS))
        for side in ARMS
    }
    leaks = {(step.name, side): bench.leaks(step, side) for step in CORRECTIONS for side in ARMS}
    told = summarise(dataset, networks, lines, leaks, plan)
    write_json(out / "reproduce.json", told)
    write_atomic(out / "waterfall.svg", waterfall(told, alone=True))
    write_atomic(out / "reproduce.html", page(told))
    return told


def choose_networks(cnn: str, vit: str, reporter: Reporter = QUIET) -> NetworkPair:
    """Return the study's two networks where both can be had, the stand-ins otherwise, or what was named."""
    from headtohead.backbones.catalog import resolve
    from headtohead.backbones.weights.fetch import ensure_weights

    named: dict[Arm, str] = {"cnn": cnn, "vit": vit}
    wanted = {side: FLAGSHIPS[side] if name == "auto" else name for side, name in named.items()}
    try:
        for side in wanted:
            ensure_weights(resolve(wanted[side]), reporter=reporter)
    except WeightsError as error:
        if "auto" not in named.values():
            raise
        reason = str(error).split(". ")[0].rstrip(".")
        reporter.warning(f"Weights of the study's networks cannot be had here ({reason}); stand-ins run.")
        wanted = {side: STAND_INS[side] if name == "auto" else name for side, name in named.items()}
        for side in wanted:
            ensure_weights(resolve(wanted[side]), reporter=reporter)
    stand_in = any(wanted[side] != FLAGSHIPS[side] for side in wanted)
    return NetworkPair(resolve(wanted["cnn"]), resolve(wanted["vit"]), stand_in)


def _grouped(source: str, options: LoadOptions | None, reporter: Reporter) -> Dataset:
    from headtohead.audit.image_index import ImageIndex
    from headtohead.audit.summary_store import open_summaries
    from headtohead.data.load import load
    from headtohead.data.options import LoadOptions

    dataset = load(source, options or LoadOptions(), reporter)
    if len(dataset.classes) != 2:
        raise UsageError(
            f"The study had two classes; got {len(dataset.classes)}: {', '.join(dataset.classes)}."
        )
    return dataset.with_groups(ImageIndex(dataset, store=open_summaries(), reporter=reporter).groups().groups)
