"""A bundle's network in a faster runtime than torch, checked against torch whenever it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from headtohead._version import __version__
from headtohead.core.atomic_io import write_atomic
from headtohead.core.cache_home import cache_home
from headtohead.core.errors import RunFolderError
from headtohead.core.progress import QUIET, Reporter
from headtohead.deploy.export.graph import exportable, to_onnx
from headtohead.deploy.export.sealed import SealError, read_sealed, seal
from headtohead.deploy.model import DeployedModel
from headtohead.deploy.runtimes.choice import NetworkRuntime, RuntimeChoice, choose_runtime, sample_inputs

__all__ = ["with_fast_runtime"]


def with_fast_runtime(
    model: DeployedModel, wanted: str = "auto", *, threads: int = 0, reporter: Reporter = QUIET
) -> tuple[DeployedModel, RuntimeChoice]:
    """Return a bundle on the fastest runtime that agrees with torch in float32, and what was found of each.

    The graph is made once per bundle and kept in the cache; the agreement is checked at every call.

    Args:
        model: a bundle on torch; an exported model has its runtime already and comes back as it is.
        wanted: "auto", "torch", "openvino" or "onnxruntime".
        threads: of one pass; 0 lets the runtime choose.

    Raises:
        PrecisionError: the runtime asked for does not agree with torch.
        MissingExtraError: the runtime asked for is not installed.
    """
    from headtohead.deploy.runtimes.onnx_runtime import OnnxRuntime
    from headtohead.deploy.runtimes.openvino_runtime import OpenVinoRuntime

    if model.runtime.name != "torch" or not hasattr(model.runtime, "network"):
        return model, RuntimeChoice(name=model.runtime.name, checked=())
    others: dict[str, Callable[[], NetworkRuntime]] = {
        "openvino": lambda: OpenVinoRuntime(_graph(model), threads),
        "onnxruntime": lambda: OnnxRuntime(_graph(model), threads),
    }
    inputs = [sample_inputs(spec.input_size) for spec in model.preprocessing.inputs]
    runtime, choice = choose_runtime(model.runtime, others, inputs, wanted=wanted, reporter=reporter)
    return (model if runtime is model.runtime else model.with_runtime(runtime)), choice


def _graph(model: DeployedModel) -> bytes:
    """Return the ONNX graph of a bundle, from the cache where it is there and whole."""
    key = f"{model.digest}-{__version__}"  # another version may make the graph differently
    path = cache_home() / "graphs" / f"{key}.onnx"
    try:
        content = path.read_bytes()
        if read_sealed(content, path.name) == key:
            return content
    # A file that is cut short or was changed is made again.
    except (OSError, SealError):
        pass
    content = seal(to_onnx(exportable(model), [spec.input_size for spec in model.preprocessing.inputs]), key)
    # Where nothing may be written, as in a container with a read-only root, it is made at every start.
    with suppress(OSError, RunFolderError):
        write_atomic(path, content)
    return content
