"""The engine that computes features and cells as tasks of an existing Ray cluster.

Workers write where one process would: rows into the shared cache, finished cells into the shared run folder, each
file whole or absent. So a task that is repeated after its worker died finds what was finished, goes on from the
checkpoint of what was not, and gives the same digits.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from headtohead.core.errors import HeadToHeadError, RunFolderError, UsageError
from headtohead.core.optional import require
from headtohead.core.progress import QUIET, Reporter
from headtohead.engines.tasks import CellTask, FeatureTask, Work, WorkPlan

__all__ = ["IMAGES_PER_TASK", "RETRIES", "RayEngine"]

IMAGES_PER_TASK = 2048  # about a minute of a large network on few cores; loading it takes seconds
RETRIES = 3  # of a task whose worker died; one that kills its worker each time must not go on for ever

_WORKS: dict[str, Work] = {}  # of a worker process: read once, with the features that its cells share


class RayEngine:
    """Computes on a Ray cluster that runs already; none is started.

    Args:
        address: "ray://HOST:PORT", or None for `RAY_ADDRESS`, or the cluster of this machine.

    Raises:
        MissingExtraError: ray is not installed.
    """

    name = "ray"

    def __init__(self, address: str | None = None) -> None:
        self._ray: Any = require("ray", "ray", "compute on a Ray cluster")
        self._address = address

    def parts(self, n_images: int) -> int:
        """Return into how many tasks the features of a backbone are cut."""
        return max(1, -(-n_images // IMAGES_PER_TASK))

    def run(self, plan: WorkPlan, work: Work, reporter: Reporter) -> None:
        """Compute everything that is missing; cells that rest on others wait for their wave.

        Raises:
            UsageError: no cluster is reached.
            RunFolderError: a worker does not see the run folder or is another kind of machine; a task's worker
                died again and again. What was finished is kept.
        """
        first = plan.waves[0] if plan.waves else ()
        # Trainings do not wait for the frozen features; the other cells of the first wave do.
        trained = tuple(task for task in first if task.trains)
        rest = tuple(task for task in first if not task.trains)
        waves: list[tuple[FeatureTask | CellTask, ...]] = [(*plan.features, *trained), rest, *plan.waves[1:]]
        with self._connected():
            shared = (uuid4().hex, [self._ray.put(work.elsewhere())], work.machine(), _threads())
            for label, wave in zip(["Features and trainings", *["Cells"] * len(waves)], waves, strict=False):
                self._run_wave(wave, shared, label, reporter)

    def _run_wave(
        self, tasks: Sequence[FeatureTask | CellTask], shared: tuple[Any, ...], label: str, reporter: Reporter
    ) -> None:
        function = self._ray.remote(_compute)
        cpus, gpus = self._resources()
        pending = {}
        for task in tasks:
            heavy = isinstance(task, FeatureTask) or task.trains
            options = {"num_cpus": cpus if heavy else 1, "num_gpus": gpus if heavy else 0}
            called = function.options(max_retries=RETRIES, **options, name=str(task))
            pending[called.remote(task, *shared)] = task
        try:
            for ref in reporter.progress(self._finished(list(pending)), label, total=len(pending)):
                task = pending.pop(ref)
                host = self._result(ref, task)
                reporter.info(f"{task}: done on {host}.")
        finally:
            # After a failure or Ctrl-C nothing goes on where nobody sees it.
            for ref in pending:
                self._ray.cancel(ref, force=True)

    def _finished(self, refs: list[Any]) -> Iterator[Any]:
        while refs:
            (ref, *_), refs = self._ray.wait(refs, num_returns=1)
            yield ref

    def _result(self, ref: Any, task: FeatureTask | CellTask) -> str:
        try:
            return str(self._ray.get(ref))
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, HeadToHeadError):  # explained; Ray's own would be a traceback
                raise error.cause from None
            raise
        except self._ray.exceptions.RayError as error:
            raise RunFolderError(
                f"{task}: its Ray worker died {RETRIES + 1} times ({type(error).__name__}). Finished work is kept; "
                "look at the cluster's memory and logs, and run the same command again."
            ) from error

    def _resources(self) -> tuple[float, float]:
        """Return the CPUs and GPUs of a task with a network: a whole one of the smallest nodes, one GPU if any."""
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        cpus = [resources["CPU"] for resources in nodes if resources.get("CPU")]
        gpus = any(resources.get("GPU") for resources in nodes)
        return (1 if gpus else min(cpus, default=1)), (1 if gpus else 0)

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Hold a connection; one that the calling program made is used and left open."""
        if self._ray.is_initialized():
            yield
            return
        address = self._address or os.environ.get("RAY_ADDRESS") or "auto"
        try:
            self._ray.init(address=address, log_to_driver=False, configure_logging=False)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise UsageError(
                f"No Ray cluster is reached at {address!r} ({_first_line(error)}). Start one (ray start --head), set "
                "RAY_ADDRESS, or give --engine ray://HOST:PORT."
            ) from error
        try:
            yield
        finally:
            self._ray.shutdown()


def _compute(task: FeatureTask | CellTask, key: str, work: list[Any], machine: str, threads: int) -> str:
    """Do one task in a worker process, and return the name of its machine.

    Args:
        key: of the work; a process reads it once.
        work: the reference to it, in a list so that it is not read for each task.
        machine: the kind of machine that the digits are of.
        threads: of torch in the process that began the study; sums may depend on them.
    """
    import ray
    import torch

    if key not in _WORKS:
        _WORKS.clear()  # features of an earlier study would stay in memory
        _WORKS[key] = ray.get(work[0])
    mine, host = _WORKS[key], platform.node()
    mine.check_folder(host)
    if mine.machine() != machine:
        raise RunFolderError(
            f"The Ray worker on {host} computes on {mine.machine()}, this process on {machine}; the digits could "
            "differ. Use nodes of one kind with the same versions, and start the command on one of them."
        )
    torch.set_num_threads(threads)
    if isinstance(task, FeatureTask):
        mine.features(task, QUIET)
    else:
        mine.cells([task], QUIET)
    return host


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
