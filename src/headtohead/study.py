"""A study, stage by stage: audit, split, run, judge, report; each stage leaves its files and can be repeated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.core.config import StudyConfig
from headtohead.core.files import write_json, write_whole
from headtohead.core.records import Verdict
from headtohead.core.reporter import QUIET, Reporter
from headtohead.core.runs import RunFolder, slug
from headtohead.heads.spec import ContenderSpec, parse_list

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.audit.audit import AuditResult
    from headtohead.data.dataset import Dataset
    from headtohead.data.folds import FoldPlan
    from headtohead.heads.base import CellData
    from headtohead.heads.build import Workshop

__all__ = ["Study"]


class Study:
    """One study in one run folder.

    Every stage can be called on its own; it calls the stages before it as needed. Finished work is
    kept: the same study on the same folder goes on where it stopped.

    Args:
        config: everything that decides the digits.
        out: the run folder.
        cache: where features are kept between runs; by default below the weights' cache.

    Example:
        >>> study = Study(StudyConfig(data="scans", contenders=("vit-b16",)), Path("runs/mine"))
        >>> study.specs[0].mode
        'probe'
    """

    def __init__(
        self, config: StudyConfig, out: Path, *, cache: Path | None = None, reporter: Reporter = QUIET
    ) -> None:
        self.config = config
        self.run_folder = RunFolder(out)
        self.reporter = reporter
        self.specs: tuple[ContenderSpec, ...] = parse_list(config.contenders, config.mode)
        self._cache = cache

    # ---- stages -------------------------------------------------------------------------------

    def compare(self) -> Verdict:
        """Do the whole study, or return its verdict if it is finished already.

        Raises:
            ChangedConfigError, ChangedDataError: the folder belongs to other settings or pictures.
            LeakageError: the data's own split leaks and `allow_leaks` is off.
        """
        with self.run_folder.held():
            self.run_folder.claim_config(self.config)
            finished = self._finished()
            if finished is not None:
                self.reporter.say(f"{self.run_folder.path} is finished; nothing was computed anew.")
                return finished
            self.check_contenders()
            self.audit()
            self.split()
            self.predictions()
            verdict = self.judge()
            self.report()
            self._mark_finished()
            return verdict

    def check_contenders(self) -> None:
        """Resolve every contender and fetch its weights, before any long work."""
        from headtohead.backbones.weights import ensure
        from headtohead.heads.build import build_heads, records_of, with_members

        records = records_of(with_members(self.specs))
        build_heads(self.specs, self._workshop)
        for record in {r.name: r for group in records.values() for r in group}.values():
            ensure(record, reporter=self.reporter)
            write_json(self.run_folder / f"contenders/{slug(record.name)}.json", {"record": record.model_dump(mode="json")})

    @cached_property
    def dataset(self) -> Dataset:
        """The samples, as found; groups as the data itself states them."""
        from headtohead.data.load import LoadOptions, load

        found = load(self.config.data, LoadOptions.from_config(self.config.data_options), reporter=self.reporter)
        self.run_folder.claim_data(found.digest(), found.fingerprints())
        return found

    def audit(self) -> AuditResult:
        """Look for what would ruin a comparison, and find the groups that must stay together."""
        return self._audited

    @cached_property
    def _audited(self) -> AuditResult:
        from headtohead.audit.audit import audit

        result = audit(
            self.dataset,
            ignore=self.config.ignore,
            similar=self.config.similar,
            groups=self.config.groups,
            seed=self.config.seed,
            reporter=self.reporter,
        )
        result.write(self.run_folder.path)
        return result

    @cached_property
    def grouped(self) -> Dataset:
        """The samples with the groups that the audit found."""
        grouped = self.dataset.with_groups(self._audited.grouping.groups)
        _write_parquet(self.run_folder / "samples.parquet", grouped.frame())
        return grouped

    def split(self) -> FoldPlan:
        """Return who is in which part, with the proof that nothing is in both."""
        return self._plan

    @cached_property
    def _plan(self) -> FoldPlan:
        from headtohead.data.folds import make_folds

        plan = make_folds(
            self.grouped,
            split=self.config.split,
            folds=self.config.folds,
            repeats=self.config.repeats,
            seed=self.config.seed,
            allow_leaks=self.config.allow_leaks,
        )
        _write_parquet(self.run_folder / "folds.parquet", plan.frame())
        write_json(self.run_folder / "leak_proof.json", {"proof": plan.proof, "leaks": list(plan.leaks)})
        return plan

    def predictions(self) -> pd.DataFrame:
        """Fit every contender on every fold and return the out-of-fold lines."""
        from headtohead.evaluate.crossval import gather, learning_table, predictions_table, run_cells

        heads = self._heads()
        run_cells(
            heads, self._plan.folds, self.cell_data, self.run_folder, seed=self.config.seed, reporter=self.reporter
        )
        k = len(self.grouped.classes)
        cells = list(gather(list(heads), self._plan.folds, self.run_folder, seed=self.config.seed, k=k))
        ids = [sample.id for sample in self.grouped.samples]
        table = predictions_table(cells, self.cell_data, ids)
        _write_parquet(self.run_folder / "inner.parquet", predictions_table(cells, self.cell_data, ids, inner=True))
        _write_parquet(self.run_folder / "learning.parquet", learning_table(cells, self.cell_data))
        _write_parquet(self.run_folder / "predictions.parquet", table)
        return table

    def judge(self) -> Verdict:
        """Return what the out-of-fold lines say, and write it."""
        import pandas as pd

        from headtohead.evaluate.battery import judge
        from headtohead.heads.baselines import FILE_FACTS, MAJORITY

        verdict = judge(
            pd.read_parquet(self.run_folder / "predictions.parquet"),
            classes=self.grouped.classes,
            positive=self.grouped.positive,
            metric=self.config.metric,
            baselines=(MAJORITY, FILE_FACTS),
            inner=pd.read_parquet(self.run_folder / "inner.parquet"),
            seed=self.config.seed,
            n_boot=self.config.n_boot,
            rope=self.config.rope,
            prevalence=self.config.prevalence,
            by=self._subgroups(),
            leaks=tuple(str(leak) for leak in self._plan.leaks),
            level=self.config.level,
            reporter=self.reporter,
        )
        self._write_verdict(verdict)
        return verdict

    def report(self) -> Path:
        """Write `report.html` from the run folder's files and return its path."""
        from headtohead.core.provenance import collect
        from headtohead.report.page import write_report

        if not (self.run_folder / "provenance.json").is_file():
            write_json(self.run_folder / "provenance.json", collect())
        return write_report(self.run_folder.path)

    # ---- what the stages share ----------------------------------------------------------------

    @cached_property
    def cell_data(self) -> CellData:
        """What every head knows of all samples."""
        from headtohead.heads.base import CellData

        return CellData(self.grouped.labels(), self.grouped.groups(), self.grouped.classes)

    @property
    def _workshop(self) -> Workshop:
        from headtohead.heads.build import Workshop

        return Workshop(self, self.config, self._cache_folder(), self._tell, self.reporter)
