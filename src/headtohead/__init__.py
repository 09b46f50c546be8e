"""headtohead: a pretrained CNN or a Vision Transformer on my own medical images, and is the difference real?

    >>> import headtohead as h2h
    >>> h2h.claim(35, 36, versus=(43, 50)).verdict
    'no_evidence'

The names in `__all__` are public. Each is loaded when it is first used (SPEC 1 of scientific-python), so the
import itself is fast and loads no torch. Research use only; not a medical device.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from headtohead._version import __version__

if TYPE_CHECKING:
    from headtohead.api.catalog import list_contenders
    from headtohead.api.data import audit, clean, preprocess
    from headtohead.api.explain import Explanation, explain
    from headtohead.api.export import export
    from headtohead.api.models import evaluate, load_model, train
    from headtohead.api.predictions import claim, verdict
    from headtohead.api.results.comparison_run import Run
    from headtohead.api.results.data_results import AuditReport, CleanResult, PreprocessResult
    from headtohead.api.results.study_runs import BestRun, ReproductionRun
    from headtohead.api.serving import serve
    from headtohead.api.studies import best, compare, load_run, reproduce
    from headtohead.core.errors import HeadToHeadError
    from headtohead.core.records import Comparison, Finding, Score, Verdict
    from headtohead.evaluate.published_claim import Claim

__all__ = [
    "AuditReport",
    "BestRun",
    "Claim",
    "CleanResult",
    "Comparison",
    "Explanation",
    "Finding",
    "HeadToHeadError",
    "PreprocessResult",
    "ReproductionRun",
    "Run",
    "Score",
    "Verdict",
    "__version__",
    "audit",
    "best",
    "claim",
    "clean",
    "compare",
    "evaluate",
    "explain",
    "export",
    "list_contenders",
    "load_model",
    "load_run",
    "preprocess",
    "reproduce",
    "serve",
    "train",
    "verdict",
]

_HOME = {
    "headtohead.api.catalog": ("list_contenders",),
    "headtohead.api.data": ("audit", "clean", "preprocess"),
    "headtohead.api.models": ("evaluate", "load_model", "train"),
    "headtohead.api.explain": ("Explanation", "explain"),
    "headtohead.api.export": ("export",),
    "headtohead.api.predictions": ("claim", "verdict"),
    "headtohead.api.serving": ("serve",),
    "headtohead.api.results.comparison_run": ("Run",),
    "headtohead.api.results.data_results": ("AuditReport", "CleanResult", "PreprocessResult"),
    "headtohead.api.results.study_runs": ("BestRun", "ReproductionRun"),
    "headtohead.api.studies": ("best", "compare", "load_run", "reproduce"),
    "headtohead.core.errors": ("HeadToHeadError",),
    "headtohead.core.records": ("Comparison", "Finding", "Score", "Verdict"),
    "headtohead.evaluate.published_claim": ("Claim",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'headtohead' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Name what is public."""
    return sorted(__all__)


class _PublicModule(ModuleType):
    """Keep `headtohead.audit`, `headtohead.explain` and `headtohead.preprocess` the public functions of these names.

    Python sets a submodule as an attribute of its package when it is imported; without this, the first
    import of the folder `headtohead/audit` would hide the function `headtohead.audit`.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _MODULE_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _PublicModule
