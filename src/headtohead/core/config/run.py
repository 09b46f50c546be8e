"""What every kind of study is configured with, saved whole as `study.toml` with the defaults filled in."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ValidationError

from headtohead.core.config.data import DataConfig
from headtohead.core.config.places import kept, restored, without_home
from headtohead.core.config.settings import explain, flatten, parse_record, without_none
from headtohead.core.errors import UsageError
from headtohead.core.records import Record

__all__ = ["RunConfig", "StudyKind", "differences"]

StudyKind = Literal["compare", "best", "reproduce"]


class RunConfig(Record):
    """The settings that every kind of study has; what decides the digits of a run folder.

    Attributes:
        kind: which study the folder belongs to.
        data: folder, table, archive or `kaggle:owner/set`, as the user named it.
        seed: decides every random draw.
        similar: also put images that may be of one patient into one group.
        groups: a corrected `groups.csv` that replaces the groups found by the audit.
        ignore: audit checks set aside, code -> reason.
        data_options: how samples are found in the data.
    """

    # Settings that may differ between two calls on one folder, because finished work does not depend
    # on them: what matters of `data` is what the images are (the data's digest), not where they lie.
    MAY_CHANGE: ClassVar[frozenset[str]] = frozenset({"data"})
    NETWORKS: ClassVar[tuple[str, ...]] = ()  # settings that name contenders

    kind: StudyKind
    data: str
    seed: int = Field(default=0, ge=0, description="Random seed; results are bit-identical for equal seeds.")
    similar: bool = Field(
        default=False, description="Also group images that are possibly of one patient (other slices)."
    )
    groups: str | None = Field(
        default=None, description="Your corrected groups.csv, which replaces the search for copies."
    )
    ignore: dict[str, str] = Field(
        default_factory=dict,
        description="Set a check aside, with the reason kept in the run; may be repeated.",
    )
    data_options: DataConfig = Field(default_factory=DataConfig)

    def kept_in(self, run: Path) -> Self:
        """Return the configuration as a run folder keeps it: its paths tell no home (`core.config.places`)."""
        groups = None if self.groups is None else kept(self.groups, run)
        return self.model_copy(update={"data": kept(self.data, run), "groups": groups})

    def restored_from(self, run: Path) -> Self:
        """Return the configuration that a run folder keeps, with its paths as they are used."""
        groups = None if self.groups is None else restored(self.groups, run)
        return self.model_copy(update={"data": restored(self.data, run), "groups": groups})

    def to_toml(self) -> str:
        """Return the whole configuration as TOML; settings that are None are left out."""
        import tomli_w

        return tomli_w.dumps(without_none(self.model_dump(mode="json")))

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """Return the configuration of a new study from setting -> value; what is left out has its default.

        Contenders from the user's files are named from the home on, `path:~/net.pth`: the name is in every file.

        Raises:
            UsageError: names each setting that does not fit.
        """
        config = parse_record(cls, settings)
        return config.model_copy(update={name: _homeless(getattr(config, name)) for name in cls.NETWORKS})

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Parse a configuration.

        Raises:
            UsageError: names each setting that does not fit.
        """
        try:
            return cls.model_validate(tomllib.loads(text))
        except (tomllib.TOMLDecodeError, ValidationError) as error:
            raise UsageError(f"This is not a study configuration: {explain(error)}") from error


def differences(old: RunConfig, new: RunConfig) -> list[str]:
    """Return one line for each setting that differs, "folds: 5 there, 4 asked for".

    Settings that may change (`RunConfig.MAY_CHANGE`) are left out.
    """
    if old.kind != new.kind:
        return [f"kind: {old.kind!r} there, {new.kind!r} asked for"]
    before, after = flatten(old.model_dump(mode="json")), flatten(new.model_dump(mode="json"))
    keys = sorted((set(before) | set(after)) - new.MAY_CHANGE)
    return [
        f"{key}: {before.get(key)!r} there, {after.get(key)!r} asked for"
        for key in keys
        if before.get(key) != after.get(key)
    ]


def _homeless(names: str | tuple[str, ...]) -> str | tuple[str, ...]:
    return without_home(names) if isinstance(names, str) else tuple(map(without_home, names))
