"""Where a result comes from: versions, hardware, command. No user name, no host name, no path."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from headtohead._version import __version__

__all__ = ["collect", "package_versions", "processor"]

PACKAGES = (
    "torch",
    "torchvision",
    "timm",
    "transformers",
    "safetensors",
    "scikit-learn",
    "scipy",
    "statsmodels",
    "numpy",
    "pandas",
    "pyarrow",
    "opencv-python-headless",
    "pillow",
    "pydicom",
    "nibabel",
)


def collect(command: Sequence[str] | None = None) -> dict[str, Any]:
    """Return what a reviewer needs to repeat a run, free of personal data.

    Args:
        command: the words of the command; absolute paths are shortened to their last part.
    """
    return {
        "headtohead": __version__,
        "python": platform.python_version(),
        "packages": package_versions(PACKAGES),
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "command": [_shorten(word) for word in (command if command is not None else _own_command())],
    }


def package_versions(names: Sequence[str]) -> dict[str, str | None]:
    """Return name -> version of installed packages, None of those that are not."""
    return {name: _version(name) for name in names}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def processor() -> str:
    """Return the name of this machine's processor."""
    try:
        # On Linux `platform.processor` gives the architecture, or nothing.
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        return platform.processor()
    return platform.processor()


# From the root, the home or a drive; "//" belongs to an address, not to a path.
_ABSOLUTE = re.compile(r"(?P<before>^|[=,]|path:)(?:~|[A-Za-z]:)?[\\/](?![\\/])(?:[^,()?]*[\\/])?")


def _own_command() -> list[str]:
    """Return the words of this process's command; of `python -m headtohead`, too, the first is the program's name."""
    program, *words = sys.argv or [""]
    return ["headtohead" if Path(program).name == "__main__.py" else program, *words]


def _shorten(word: str) -> str:
    """Return a word with each absolute path in it cut to its last part, also behind `--out=` and `path:`.

    >>> [_shorten(word) for word in ("/home/ann/scans", "--out=/home/ann/run", "lite0,path:/home/ann/m.pth?arch=x")]
    ['scans', '--out=run', 'lite0,path:m.pth?arch=x']
    >>> [_shorten(word) for word in ("hf:org/name", "scans/a", "s3://bucket/scans", "--label-from", "~/x/scans")]
    ['hf:org/name', 'scans/a', 's3://bucket/scans', '--label-from', 'scans']
    """
    return _ABSOLUTE.sub(lambda found: found["before"], word.rstrip("/") or word)
