"""The network of a bundle with its weights."""

from __future__ import annotations

from pathlib import Path

from headtohead.core.errors import BundleError
from headtohead.deploy.bundle.records import BundleConfig, PreprocessorConfig
from headtohead.deploy.network.graph import BundleNetwork, build_network

__all__ = ["NETWORK", "load_network"]

NETWORK = "network."
"""Prefix of the network's tensors in model.safetensors; the guard's are there under their own."""


def load_network(folder: Path, config: BundleConfig, preprocessing: PreprocessorConfig) -> BundleNetwork:
    """Return the network of a bundle in evaluation mode, on the CPU, in float32.

    Raises:
        BundleError: a tensor is missing, unknown, or has another shape.
    """
    from safetensors.torch import load_file

    network = build_network(config, [spec.input_size for spec in preprocessing.inputs])
    stored = {
        name.removeprefix(NETWORK): tensor
        for name, tensor in load_file(folder / "model.safetensors").items()
        if name.startswith(NETWORK)
    }
    try:
        # Not strict, since frozen bodies may be left out; whatever else is missing is refused below.
        missing, unknown = network.load_state_dict(stored, strict=False)
    except RuntimeError as error:
        raise BundleError(f"model.safetensors does not fit: {' '.join(str(error).split())[:200]}") from error
    outside = tuple(f"bodies.{i}." for i, body in enumerate(config.bodies) if not body.stored)
    missing = [name for name in missing if not (outside and name.startswith(outside))]
    if missing or unknown:
        raise BundleError(
            f"model.safetensors lacks {len(missing)} tensors of the network and holds {len(unknown)} others "
            f"(first: {[*missing, *unknown][:2]}). Train the model again with this version."
        )
    return network
