"""The engines by name."""

from __future__ import annotations

from typing import Protocol

from headtohead.core.errors import unknown_name
from headtohead.core.progress import Reporter
from headtohead.engines.tasks import Work, WorkPlan

__all__ = ["ENGINES", "Engine", "get_engine"]

ENGINES = ("local", "ray")


class Engine(Protocol):
    """Where the features and cells of a study are computed."""

    @property
    def name(self) -> str:
        """What the engine is called."""

    def parts(self, n_images: int) -> int:
        """Return into how many parts the features of so many images are cut."""

    def run(self, plan: WorkPlan, work: Work, reporter: Reporter) -> None:
        """Compute all features and cells that are missing; what is computed does not depend on the engine."""


def get_engine(name: str) -> Engine:
    """Return an engine.

    Args:
        name: "local" (this process), "ray" (the cluster named by `RAY_ADDRESS`, or the one that runs on this
            machine), or "ray://HOST:PORT" (a cluster elsewhere).

    Raises:
        UnknownNameError: no such engine.
        MissingExtraError: ray is not installed.

    >>> get_engine("local").name
    'local'
    """
    if name == "local":
        from headtohead.engines.local import LocalEngine

        return LocalEngine()
    if name == "ray" or name.startswith("ray://"):
        from headtohead.engines.ray_cluster import RayEngine

        return RayEngine(None if name == "ray" else name)
    raise unknown_name("engine", name, [*ENGINES, "ray://HOST:PORT"])
