"""What a bundle may say of its training data: figures, never the name of a file, a folder or a patient."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headtohead.core.records import Sample

__all__ = ["finding_in_figures", "without_folders", "without_names"]

# Checks whose messages hold figures and class names alone; those of the others list files, folders or patients.
IN_FIGURES = frozenset(
    ("H2H209", "H2H301", "H2H302", "H2H303", "H2H304", "H2H305", "H2H401", "H2H404", "H2H501", "H2H502", "H2H505")
)  # fmt: skip
FOLDER = re.compile(r"path:[^,()@]*[/\\](?=[^/\\])")


def finding_in_figures(finding: Mapping[str, Any]) -> str:
    """Return one line on a finding of the audit, without the names of the images concerned.

    >>> finding_in_figures({"code": "H2H204", "title": "One image, two labels", "samples": ["a.png", "b.png"],
    ...                     "message": "1 images occur under more than one label: a.png / b.png"})
    'H2H204 One image, two labels (2 images)'
    """
    if finding["code"] in IN_FIGURES:
        return f"{finding['code']} {finding['message']}"
    n = len(finding["samples"])
    return f"{finding['code']} {finding['title']}" + (f" ({n} image{'s' * (n != 1)})" if n else "")


def without_names(text: str, samples: Iterable[Sample]) -> str:
    """Return a text in which each training image that it names, by id or path, is "an image"."""
    names = {name for sample in samples for name in (sample.id, sample.path, sample.path.rpartition("/")[2])}
    for name in sorted(names, key=len, reverse=True):  # a name may be part of a longer one
        if name in text:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "an image", text)
    return text


def without_folders(content: Any) -> Any:
    """Return JSON-able content in which the weights file of a `path:` contender has lost its folders.

    >>> without_folders({"contender": "ensemble(path:/home/a/net.pth?arch=resnet18@mlp,b)"})
    {'contender': 'ensemble(path:net.pth?arch=resnet18@mlp,b)'}
    """
    if isinstance(content, str):
        return FOLDER.sub("path:", content)
    if isinstance(content, Mapping):
        return {without_folders(name): without_folders(value) for name, value in content.items()}
    return [without_folders(value) for value in content] if isinstance(content, (list, tuple)) else content
