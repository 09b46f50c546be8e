"""Optional dependencies: imported when asked for, with one clear error where they are missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from headtohead.core.errors import MissingExtraError

__all__ = ["require"]


def require(module: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional module or say which extra brings it.

    Args:
        module: dotted module name.
        extra: name of the extra in `pyproject.toml`.
        purpose: what it is needed for, completing "… is needed to".

    Raises:
        MissingExtraError: the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and not module.startswith(error.name):
            raise  # the module is there, and one that it needs is not
        raise MissingExtraError(
            f"{module} is not installed; it is needed to {purpose}. "
            f"Install it with: pip install 'headtohead[{extra}]'"
        ) from error
