"""What the configuration of a model from elsewhere may ask for: no code, and a network of a bounded size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from headtohead.backbones.record import MAX_SIDE
from headtohead.core.errors import WeightsError

__all__ = ["check_config", "refuse_adapters"]

MAX_LAYERS = 512  # the deepest published vision transformers have below 100 blocks; each is built as objects
MAX_WIDTH = 65_536  # four times the widest hidden layer of a published vision transformer (ViT-22B: 24,576 in its MLP)
MAX_ITEMS = 20_000  # names of ImageNet-21k classes are the longest list that honest configurations carry
MAX_DEPTH = 20  # of tables in tables

RUNS_CODE = {
    "auto_map": "names Python code of its own",
    "custom_pipelines": "names Python code of its own",
    "trust_remote_code": "asks for code of its own",
    "quantization_config": "asks for quantised weights, which other packages unpack",
    "adapters": "asks for adapters, which change the network",
    "peft_config": "asks for adapters, which change the network",
}
ATTENTION = ("attn_implementation", "_attn_implementation", "_attn_implementation_internal")
OWN_ATTENTION = (
    None,
    "eager",
    "sdpa",
)  # parts of torch; any other name is looked up in other packages or on the hub
LAYERS = ("num_hidden_layers", "depth", "num_layers")
# names and versions, or the words of a text tower, which is not built
NOT_SIZES = ("id2label", "label2id", "vocab_size", "transformers_version", "torch_dtype", "dtype")


def check_config(name: str, config: Mapping[str, Any]) -> None:
    """Refuse a configuration that brings code in, or describes a network beyond all that are published.

    Args:
        name: of the contender, for the message.
        config: the content of `config.json`, or the settings of a bundle.

    Raises:
        WeightsError: names the key and its value.
    """
    for key, value in _walk(name, config, 0):
        if key in RUNS_CODE and value:
            raise WeightsError(
                f"{name}: its configuration {RUNS_CODE[key]} ({key}), which is never loaded. Save the plain weights "
                "as safetensors, with a configuration without that key."
            )
        if key in ATTENTION and value not in OWN_ATTENTION:
            raise WeightsError(
                f"{name}: its configuration asks for the attention {str(value)[:60]!r} ({key}), which would be "
                "loaded from another package or from the hub; expected eager or sdpa. Remove the key."
            )
        _check_number(name, key, value)


def _check_number(name: str, key: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or key in NOT_SIZES:
        return
    most = MAX_LAYERS if key in LAYERS else MAX_SIDE if key == "image_size" else MAX_WIDTH
    if not math.isfinite(value) or abs(value) > most:
        raise WeightsError(
            f"{name}: its configuration states {key} = {str(value)[:30]}; expected at most {most:,}. No published "
            "network is that large; the configuration is damaged."
        )


def _walk(name: str, value: Any, depth: int, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every key with its value; the items of a list under the key of the list."""
    if depth > MAX_DEPTH:
        raise WeightsError(f"{name}: its configuration is nested more than {MAX_DEPTH} deep; it is damaged.")
    if isinstance(value, Mapping | list | tuple) and len(value) > MAX_ITEMS:
        raise WeightsError(
            f"{name}: its configuration holds {len(value):,} values under {key or 'its top'}; expected at most "
            f"{MAX_ITEMS:,}."
        )
    if isinstance(value, Mapping):
        for inner, item in value.items():
            yield str(inner), item
            if str(inner) not in NOT_SIZES:
                yield from _walk(name, item, depth + 1, str(inner))
    elif isinstance(value, list | tuple):
        for item in value:
            yield key, item
            yield from _walk(name, item, depth + 1, key)


def refuse_adapters(name: str, folder: Path) -> None:
    """Refuse a folder with adapters beside the weights: a loader would apply them, whatever the weights' sha256 says.

    Raises:
        WeightsError: names the files.
    """
    found = sorted(path.name for path in folder.glob("adapter_*") if path.is_file())
    if found:
        raise WeightsError(
            f"{name}: {', '.join(found)} beside the weights would change the network. Merge the adapter into the "
            "weights and save them, or move these files away."
        )
