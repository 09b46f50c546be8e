"""A finished run of `compare` as the source of a model: recipe, settings, groups, predictions, verdict."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.core.config import StudyConfig
from headtohead.core.errors import ChangedDataError, MissingDataError, RunFolderError, UsageError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Verdict
from headtohead.core.run_folder import RunFolder

if TYPE_CHECKING:
    from headtohead.contenders.plan import ContenderPlan
    from headtohead.data.dataset import Dataset
    from headtohead.preprocess.recipe import Recipe

__all__ = ["RunSource"]


@dataclass(frozen=True)
class RunSource:
    """A finished run.

    Attributes:
        folder: of the run.
        config: its settings.
        verdict: what it found.
    """

    folder: RunFolder
    config: StudyConfig
    verdict: Verdict

    @classmethod
    def open(cls, path: Path) -> RunSource:
        """Open a finished run of `compare`.

        Raises:
            RunFolderError: no run, not finished, or of another command.
        """
        folder = RunFolder(path)
        config = folder.config()
        if not isinstance(config, StudyConfig):
            raise RunFolderError(
                f"{path} is a run of `headtohead {config.kind}`; a model is trained from a run of `compare`."
            )
        if folder.finished_digest is None:
            raise RunFolderError(f"{path} is not finished. Run the same command again, then train.")
        return cls(folder, config, folder.verdict())

    @cached_property
    def plan(self) -> ContenderPlan:
        """The contenders of the run."""
        from headtohead.contenders.plan import ContenderPlan

        return ContenderPlan.parse(self.config.contenders, self.config.mode)

    def contender(self, wanted: str | None) -> str:
        """Return the name of a contender of the run; without a wish the one that is better than all others.

        Raises:
            UsageError: the run has no such contender, or its verdict names none.
        """
        from headtohead.contenders.expression import parse

        named = [spec.name for spec in self.plan.named]
        if wanted is None:
            best = [name for name in named if self._beats(name, named)]
            if len(named) == 1:
                return named[0]
            if not best:
                raise UsageError(
                    f"The run's verdict names no winner ({self.verdict.sentence}) Say which with --contender: "
                    f"{', '.join(named)}."
                )
            return best[0]
        key = parse(wanted, self.config.mode).key
        for contender in self.plan.contenders:
            if contender.spec.key == key:
                return contender.name
        raise UsageError(
            f"The run {self.folder.path} has no contender {wanted!r}; it has {', '.join(named)}."
        )

    def _beats(self, name: str, named: list[str]) -> bool:
        others = {c.a if c.b == name else c.b for c in self.verdict.comparisons if c.winner == name}
        return set(named) - {name} <= others

    def refusal(self, contender: str) -> str:
        """Return why the verdict on a contender was refused, or ""."""
        for found in self.verdict.comparisons:
            if contender in (found.a, found.b) and found.verdict == "refused":
                return found.details.refusal or found.sentence
        return ""

    def recipe(self) -> Recipe:
        """Return the run's recipe.

        Raises:
            RunFolderError: this version's recipe of that name has other steps.
        """
        from headtohead.preprocess.recipe import get_recipe

        stated = self.folder.json("recipe.json")
        recipe = get_recipe(stated["name"])
        if recipe.digest() != stated["digest"]:
            raise RunFolderError(
                f"The recipe {recipe.name!r} has changed since {self.folder.path} was made; run compare again."
            )
        return recipe

    def dataset(self, data: str | None, reporter: Reporter = QUIET) -> Dataset:
        """Return the run's images with the groups that it found.

        Args:
            data: where they are now; as in the run if None.

        Raises:
            ChangedDataError: they are not the images of the run.
        """
        from headtohead.data.load import load
        from headtohead.data.options import LoadOptions

        options = LoadOptions.from_config(self.config.data_options, self.config.by)
        try:
            dataset = load(data or self.config.data, options, reporter)
        except MissingDataError as error:
            if data is not None:
                raise
            raise self.folder.missing_data(self.config.data) from error
        if dataset.digest() != self.folder.finished_digest:
            raise ChangedDataError(
                f"The images in {data or self.config.data} are not those of {self.folder.path}. Give the same images, "
                "or train without --from."
            )
        table = self.folder.table("samples.parquet")
        groups = {str(sample): str(group) for sample, group in zip(table["id"], table["group"], strict=True)}
        return dataset.with_groups(groups)
