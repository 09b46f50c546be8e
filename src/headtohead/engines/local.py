"""The engine of one process: cell after cell, features when the first cell needs them."""

from __future__ import annotations

from headtohead.core.progress import Reporter
from headtohead.engines.tasks import Work, WorkPlan

__all__ = ["LocalEngine"]


class LocalEngine:
    """Computes everything in this process."""

    name = "local"

    def parts(self, n_images: int) -> int:
        """Return 1: features are not cut into parts."""
        del n_images
        return 1

    def run(self, plan: WorkPlan, work: Work, reporter: Reporter) -> None:
        """Compute all cells that are missing, contender by contender."""
        work.cells(plan.cells, reporter)
