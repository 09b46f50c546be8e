"""What a configuration of transformers says of size and scale, and which one counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headtohead.backbones.catalog_rows import HALF, IMAGENET_MEAN, IMAGENET_STD
from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.weights.config_limits import check_config, refuse_adapters
from headtohead.backbones.weights.model_config import CLIP_SCALE, read_json, record_from_config
from headtohead.core.errors import WeightsError

FACTS = {"name": "hf:a/b", "source": "transformers-hub", "model_id": "a/b", "revision": "0" * 40}


def record(kind: str = "vit", preprocessor: dict[str, Any] | None = None, **config: Any) -> BackboneRecord:
    return record_from_config({"model_type": kind, **config}, preprocessor or {}, **FACTS)


@pytest.mark.parametrize(
    ("preprocessor", "config", "side"),
    [
        (
            {"crop_size": {"height": 196, "width": 196}, "size": {"shortest_edge": 224}},
            {"image_size": 384},
            196,
        ),
        ({"size": {"shortest_edge": 240}}, {"image_size": 384}, 240),
        ({"size": {"height": 240, "width": 200}}, {}, 240),
        ({"size": 160}, {"image_size": 384}, 160),
        ({"crop_size": {}}, {"image_size": 384}, 384),
        ({}, {"image_size": 0}, 224),
        ({}, {}, 224),
    ],
)
def test_the_side_is_that_of_the_cut_else_of_the_image_else_of_the_network(
    preprocessor: dict[str, Any], config: dict[str, Any], side: int
) -> None:
    assert record("vit", preprocessor, **config).input_size == side


@pytest.mark.parametrize(
    ("kind", "mean", "std", "interpolation"),
    [
        ("vit", HALF, HALF, "bilinear"),
        ("siglip_vision_model", HALF, HALF, "bicubic"),
        ("clip", *CLIP_SCALE, "bicubic"),
        ("dinov2", IMAGENET_MEAN, IMAGENET_STD, "bicubic"),
        ("convnext", IMAGENET_MEAN, IMAGENET_STD, "bicubic"),
    ],
)
def test_without_a_preprocessor_the_familys_own_scale_counts(
    kind: str, mean: tuple[float, ...], std: tuple[float, ...], interpolation: str
) -> None:
    found = record(kind)
    assert (found.mean, found.std, found.interpolation) == (mean, std, interpolation)


def test_what_the_preprocessor_states_goes_before() -> None:
    stated = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6], "resample": 2}
    found = record("clip", stated)
    assert (found.mean, found.std, found.interpolation) == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6), "bilinear")
    assert record("vit", {"resample": 3}).interpolation == "bicubic"


def test_of_a_model_of_images_and_text_the_part_for_images_counts() -> None:
    found = record("clip", vision_config={"image_size": 336, "patch_size": 14}, image_size=99, patch_size=1)
    assert (found.input_size, found.architecture) == (336, "transformers clip (patch14)")
    assert (found.licence, found.paper, found.family) == ("not stated", "not stated", "transformer")


@pytest.mark.parametrize(
    ("kind", "preprocessor", "reason"),
    [
        ("bert", {}, "states model_type 'bert'; expected one of vit, deit"),
        ("", {}, "states model_type 'none'"),
        ("vit", {"image_mean": [0.5, 0.5]}, "configuration cannot be used .*mean"),
        ("vit", {"size": 10**6}, "input_size.*at most"),
        ("vit", {"image_mean": 3}, "cannot be used .TypeError"),
    ],
)
def test_what_cannot_be_used_says_why(kind: str, preprocessor: dict[str, Any], reason: str) -> None:
    with pytest.raises(WeightsError, match=rf"^hf:a/b: .*{reason}"):
        record(kind, preprocessor)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"num_hidden_layers": 512, "hidden_size": 65_536, "vocab_size": 10**9, "flag": True}, ""),
        ({"num_hidden_layers": 513}, "num_hidden_layers = 513; expected at most 512"),
        ({"hidden_size": 65_537}, "hidden_size = 65537; expected at most 65,536"),
        ({"a": {"b": [{"hidden_size": -65_537}]}}, "hidden_size = -65537"),
        ({"depths": [3, 70_000]}, "depths = 70000"),
        ({"rate": float("nan")}, "rate = nan"),
        ({"attn_implementation": "sdpa", "auto_map": {}}, ""),
        ({"attn_implementation": "flash"}, r"attention 'flash' \(attn_implementation\)"),
        ({"a": [{"auto_map": {"x": "y"}}]}, "names Python code of its own"),
        ({"id2label": {str(i): "x" for i in range(20_000)}}, ""),
        ({"id2label": {str(i): "x" for i in range(20_001)}}, ""),  # names of classes build nothing
        ({"names": ["x"] * 20_001}, "holds 20,001 values under names"),
    ],
)
def test_what_a_configuration_may_ask_for(config: dict[str, Any], reason: str) -> None:
    if not reason:
        check_config("net", config)
        return
    with pytest.raises(WeightsError, match=reason):
        check_config("net", config)


def test_nesting_is_bounded() -> None:
    deep: dict[str, Any] = {}
    for _ in range(20):
        deep = {"a": deep}
    check_config("net", deep)
    with pytest.raises(WeightsError, match="nested more than 20 deep"):
        check_config("net", {"a": deep})


def test_adapters_beside_the_weights_are_named(tmp_path: Path) -> None:
    (tmp_path / "my_adapter_config.json").touch()
    (tmp_path / "adapter_folder").mkdir()
    refuse_adapters("net", tmp_path)
    for name in ("adapter_model.bin", "adapter_config.json"):
        (tmp_path / name).touch()
    with pytest.raises(
        WeightsError, match=r"net: adapter_config\.json, adapter_model\.bin beside the weights"
    ):
        refuse_adapters("net", tmp_path)


@pytest.mark.parametrize(
    ("text", "reason"), [("[1]", "holds a list"), ("{", "cannot be read"), ("[" * 9999, "cannot be read")]
)
def test_a_configuration_that_is_no_table(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(WeightsError, match=reason):
        read_json(tmp_path / "config.json")
    with pytest.raises(WeightsError, match="cannot be read as JSON"):
        read_json(tmp_path / "none.json")
