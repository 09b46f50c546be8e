"""Load a model: a bundle or an exported file, on its own runtime or on another one."""

from __future__ import annotations

import os
from pathlib import Path

from headtohead.core.errors import BundleError
from headtohead.core.progress import QUIET, Reporter
from headtohead.deploy.bundle.files import check_bundle
from headtohead.deploy.bundle.records import (
    BundleCalibration,
    BundleConfig,
    BundleEstimate,
    GuardReference,
    PreprocessorConfig,
)
from headtohead.deploy.export.exported_files import is_exported, open_exported
from headtohead.deploy.model import DeployedModel
from headtohead.deploy.runtimes.choice import NetworkRuntime

__all__ = ["load_model"]


def load_model(
    path: str | os.PathLike[str],
    *,
    strict: bool = False,
    runtime: str | None = None,
    reporter: Reporter = QUIET,
) -> DeployedModel:
    """Load a bundle, or a file that `export` wrote, after its content was compared with its checksums.

    Args:
        path: the folder that `train` wrote, or an exported .onnx, .xml or .pt2 file.
        strict: refuse to predict an image that the guard flags.
        runtime: "torch", "openvino", "onnxruntime", or "auto" for the fastest that agrees with torch; None: torch
            for a bundle, and for an exported file its own.
        reporter: gets the runtime chosen, and why others are not used.

    Raises:
        BundleError: no bundle, a file is missing or was changed, or its format is newer.
        UsageError: an exported file does not run in that runtime.
        PrecisionError: the runtime asked for does not agree with torch.
        MissingExtraError: the runtime asked for is not installed.
    """
    folder = Path(path)
    if is_exported(folder):
        return _from_export(folder, runtime or "auto", strict=strict)
    model = _from_bundle(folder, strict=strict)
    if runtime in (None, "torch"):
        return model
    from headtohead.deploy.export.fast_runtime import with_fast_runtime

    return with_fast_runtime(model, runtime, reporter=reporter)[0]


def _from_bundle(folder: Path, *, strict: bool) -> DeployedModel:
    """Return the model of a bundle; its network is loaded when it is first needed."""
    if not folder.is_dir():
        raise BundleError(f"There is no model at {folder}; expected a folder that `headtohead train` wrote.")
    files = check_bundle(folder)
    config: BundleConfig = files.record("config.json", BundleConfig)
    preprocessing: PreprocessorConfig = files.record("preprocessor_config.json", PreprocessorConfig)

    def torch_runtime() -> NetworkRuntime:
        from headtohead.deploy.network.load import load_network
        from headtohead.deploy.network.runtime import TorchRuntime

        network = load_network(folder, config, preprocessing)
        files.check_weights()
        return TorchRuntime(network)

    from headtohead.deploy.guard.guard import read_guard_tensors

    return DeployedModel(
        config=config,
        preprocessing=preprocessing,
        calibration=files.record("calibration.json", BundleCalibration),
        reference=files.record("reference.json", GuardReference),
        estimate_record=files.record("estimate.json", BundleEstimate),
        digest=files.digest,
        load_runtime=torch_runtime,
        files=files.checksums,
        path=folder,
        strict=strict,
        guard_tensors=read_guard_tensors(folder / "model.safetensors"),
    )


def _from_export(path: Path, runtime: str, *, strict: bool) -> DeployedModel:
    """Return the model inside an exported file; its runtime needs no torch, unless the file is a torch program."""
    document, opened, files = open_exported(path, runtime=runtime)
    return DeployedModel(
        config=document.config,
        preprocessing=document.preprocessing,
        calibration=document.calibration,
        reference=document.reference,
        estimate_record=document.estimate,
        digest=document.digest,
        load_runtime=lambda: opened,
        files=files,
        path=path,
        strict=strict,
        guard_tensors=document.guard_tensors(),
    )
