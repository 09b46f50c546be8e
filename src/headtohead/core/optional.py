"""Optional dependencies: imported when asked for, told to report nothing to anyone, one clear error where missing."""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType

from headtohead.core.errors import MissingExtraError

__all__ = ["keep_private", "require"]


def require(module: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional module or say which extra brings it.

    Args:
        module: dotted module name.
        extra: name of the extra in `pyproject.toml`.
        purpose: what it is needed for, completing "… is needed to".

    Raises:
        MissingExtraError: the module is not installed.
    """
    keep_private(module.partition(".")[0])
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and not module.startswith(error.name):
            raise  # the module is there, and one that it needs is not
        raise MissingExtraError(
            f"{module} is not installed; it is needed to {purpose}. "
            f"Install it with: pip install 'headtohead[{extra}]'"
        ) from error
    if module.partition(".")[0] == "onnxruntime":
        # its Windows packages report use to the system's own telemetry; elsewhere this does nothing
        sys.modules["onnxruntime"].disable_telemetry_events()
    return found


def keep_private(package: str) -> None:
    """Switch off what a package would report to its makers; called before it is imported.

    Args:
        package: name of the top-level module.
    """
    if package == "openvino":
        _silence_openvino()
    elif package == "mlflow":
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("DO_NOT_TRACK", "true")
    elif package == "ray":
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")


def _silence_openvino() -> None:
    """Keep OpenVINO from reporting its import and each conversion to Google Analytics.

    It does so unasked, through the package openvino_telemetry, which also leaves an identifier in the home folder.
    Where that package cannot be imported, OpenVINO goes on with a stub of its own that does nothing. Where the caller
    imported OpenVINO before, its further reports are declined.
    """
    known = sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    if known is not None:
        from openvino_telemetry.main import Telemetry
        from openvino_telemetry.utils.opt_in_checker import ConsentCheckResult, OptInChecker

        OptInChecker.check = lambda *_: ConsentCheckResult.DECLINED
        Telemetry("headtohead", "0", None, "ga4", False).consent = False
