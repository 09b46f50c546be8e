"""How many repeats of the cross-validation `compare` runs where that is left to it.

Three, and more while the decision on the first pair hangs on the seed of the folds: while other seeds would decide
otherwise in more than 5 % of runs (`headtohead.stats.hypothesis.seed_stability`), the number that would bring that
down is run, rounded up to a step. The folds of a repeat depend on the seed and its number alone, so that the digits are
those of the same number stated with --repeats, and a run that was stopped goes on to the same. Whether to stop depends
on how near the difference is to the edge of the rule, not on who wins; what that does to false winners, to power and to
verdicts that change with the seed is shown by `benchmarks/verdict_stability.py` (docs/statistics.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Verdict
from headtohead.core.tables.details import RepeatsRun, SeedStability
from headtohead.stats.hypothesis.seed_stability import STABLE

if TYPE_CHECKING:
    from headtohead.contenders.plan import ContenderPlan
    from headtohead.core.config import StudyConfig
    from headtohead.data.splits.folds import Fold

__all__ = ["FIRST", "RepeatCount"]

FIRST = 3
"""The fewest repeats whose spread says how far the decision hangs on the seed."""
# With at most 20 repeats 2 to 6 % of close verdicts changed with the seed, with at most 40 2 to 5 %
# (docs/statistics.md).
STEPS = (5, 10, 20, 40)
# Test predictions of one contender beyond which another step would take long: 40 repeats of 1,000 images, 5 of 8,000.
MOST_LINES = 40_000
_LIMIT = f"{100 * STABLE:.0f} %"


class RepeatCount:
    """The number of repeats of one study, which grows where it was left open.

    Args:
        config: of the study. plan: its contenders. n_samples: images.

    Attributes:
        now: repeats that are run at present.
    """

    def __init__(self, config: StudyConfig, plan: ContenderPlan, n_samples: int) -> None:
        self.is_open = config.repeats == "auto"
        self.now = FIRST if config.repeats == "auto" else config.repeats
        self._tuned = [one.name for one in plan.tuned]
        drawn_again = config.split == "kfold" and not self._tuned
        self._steps = [n for n in STEPS if n <= MOST_LINES // max(1, n_samples)] if drawn_again else []
        self._seen: list[tuple[int, float]] = []

    def grow(self, verdict: Verdict, reporter: Reporter = QUIET) -> bool:
        """Raise the number where the first pair's decision hangs on the seed and more may be run, and say so.

        Args:
            verdict: on the present repeats.
        """
        seeds = _first_seeds(verdict)
        if not self.is_open or seeds is None:
            return False
        self._seen.append((self.now, seeds.changes))
        more = [n for n in self._steps if n > self.now]
        if seeds.changes <= STABLE:
            return False
        share = f"{100 * seeds.changes:.0f} %"
        found = f"With {self.now} repeats, other seeds of the folds would change the decision in about {share} of runs"
        if not more:
            reporter.info(f"{found}; {self._why_no_more()}.")
            return False
        before, wanted = self.now, more[-1] if seeds.repeats is None else seeds.repeats
        self.now = next((n for n in more if n >= wanted), more[-1])
        reporter.info(f"{found} (wanted: at most {_LIMIT}): running {self.now - before} more repeats.")
        return True

    def first(self, folds: Sequence[Fold]) -> list[Fold]:
        """Return the folds without those of repeats that were added."""
        return [fold for fold in folds if not self.is_open or fold.repeat < FIRST]

    def noted(self, verdict: Verdict) -> Verdict:
        """Return the verdict with how the number came about, where it was left open."""
        if not self.is_open:
            return verdict
        run = RepeatsRun(
            foretold=tuple(self._seen), most=max((FIRST, *self._steps)), sentence=self._sentence()
        )
        return verdict.model_copy(update={"details": verdict.details.model_copy(update={"repeats": run})})

    def _why_no_more(self) -> str:
        if self._tuned:
            return f"no more are run, since each trains {', '.join(self._tuned)} again"
        return f"no more than {self.now} are run"

    def _sentence(self) -> str:
        """Return how the number came about, in words for the paragraph on methods."""
        if not self._seen:
            return f"The number of repeats was left open; no more than {self.now} were needed, as seeds decide nothing."
        looks = ", ".join(f"{100 * changes:.1f} % with {n}" for n, changes in self._seen)
        end = "" if self._seen[-1][1] <= STABLE else f"; {self._why_no_more()}"
        return (
            f"Repeats are added to the first {FIRST} while other seeds of the folds are expected to change the "
            f"decision on the first pair in more than {_LIMIT} of runs (here {looks}{end})."
        )


def _first_seeds(verdict: Verdict) -> SeedStability | None:
    """Return what is foretold of other seeds for the pair that stands first, None where they play no part."""
    return next((one.details.seeds for one in verdict.comparisons if one.primary), None)
