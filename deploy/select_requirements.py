"""Print the entries of a lock file, hashes included, for the packages that a list names.

python deploy/select_requirements.py requirements/lock.txt deploy/onnx-packages.txt > requirements.txt
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

__all__ = ["select"]


def select(lock: str, names: str) -> str:
    """Return the entries of `lock` whose packages stand in `names`, one name a line.

    Raises:
        SystemExit: a name is not in the lock.
    """
    wanted = {line.strip() for line in names.splitlines() if line.strip() and not line.startswith("#")}
    entries: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", lock):
        name = re.match(r"[A-Za-z0-9._-]+", entry)
        if name is not None:
            key = re.sub(r"[-_.]+", "-", name.group()).lower()
            entries[key] = entries.get(key, "") + entry.rstrip() + "\n"
    missing = sorted(wanted - entries.keys())
    if missing:
        raise SystemExit(f"Not in the lock: {', '.join(missing)}. Run `make lock`, or correct the list.")
    return "".join(entries[name] for name in sorted(wanted))


if __name__ == "__main__":
    sys.stdout.write(select(*(Path(name).read_text(encoding="utf-8") for name in sys.argv[1:3])))
