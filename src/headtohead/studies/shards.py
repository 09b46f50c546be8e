"""One shard of a comparison: for arrays of batch jobs that share a run folder and know nothing of each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from headtohead.core.config import StudyConfig
from headtohead.core.progress import QUIET, Reporter
from headtohead.engines.shard import Shard, preparing, run_shard
from headtohead.studies.comparison import ComparisonStudy

__all__ = ["compare_shard"]

# Small enough that shards end together, large enough that loading the network for each part costs little.
PARTS_PER_SHARD, FEWEST_IN_PART = 8, 64


def compare_shard(
    config: StudyConfig, out: Path, shard: str, reporter: Reporter = QUIET, *, cache: Path | None = None
) -> int:
    """Compute one shard of `compare` in the folder `out`, and return how many cells were its share.

    The same call without a shard gathers: it computes what is missing, and writes verdict and report.

    Args:
        config: everything that decides the digits, the same for all shards.
        out: the run folder, shared by all shards.
        shard: "2/8" for the second of eight.
        reporter: hears what is being done.
        cache: where features are kept; shared by all shards.

    Raises:
        UsageError: `shard` is not of that form.
        RunFolderError: the folder, or this shard of it, is at work in another process.
        ChangedConfigError, ChangedDataError: the folder belongs to other settings or images.
    """
    return _ShardStudy(config, out, reporter, cache=cache).run_shard(Shard.parse(shard))


class _ShardStudy(ComparisonStudy):
    """A comparison of which one shard is computed."""

    def run_shard(self, shard: Shard) -> int:
        """Prepare the folder if no other shard has done so, and compute the shard's share."""
        run = self.run_folder
        with shard.lock(run):
            with preparing(run):
                self._claim()
                if self._is_finished():
                    self.reporter.info(f"{run.path} is finished; nothing was recomputed.")
                    return 0
                self.validate_contenders()
                self.validate_against_data()
                work = self._work
            # Rounded up, so that few images still make one part.
            parts = min(PARTS_PER_SHARD * shard.count, -(-len(self.grouped) // FEWEST_IN_PART))
            return run_shard(shard, self._work_plan(parts), work, run, self.reporter)

    def _groups(self) -> Mapping[str, str]:
        """Return the groups that another shard's audit found, else those of this one's."""
        if not (self.run_folder / "samples.parquet").is_file():
            return super()._groups()
        table = self.run_folder.table("samples.parquet")
        return dict(zip(table["id"], table["group"], strict=True))
