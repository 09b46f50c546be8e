"""The catalogue of contenders as a data frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["list_contenders"]

COLUMNS = ["name", "family", "input_size", "n_parameters", "pretraining", "licence", "source", "available"]


def list_contenders() -> pd.DataFrame:
    """List the catalogue of pretrained networks.

    Any `timm:NAME`, `hf:ID`, `path:FILE_OR_FOLDER` and `scratch:NAME` is a contender too.

    Returns:
        one row per network: name, family, input_size (pixels), n_parameters, pretraining, licence, source (where its
        weights come from), available (whether they are on this machine already).
    """
    import pandas as pd

    from headtohead.backbones.weights.fetch import listing

    rows = [{**facts, "available": facts["here"]} for facts in listing()]
    return pd.DataFrame(rows)[COLUMNS]
