"""The table's facts against timm's own configuration, and the way from a name to a record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headtohead.backbones.catalog import catalogue, is_scratch, resolve, with_input_size
from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.weights.convert import expected_tensors
from headtohead.backbones.weights.timm_config import count_parameters, family_of
from headtohead.core.errors import UnknownNameError, UsageError, WeightsError

FROM_TIMM = [
    r for r in catalogue() if not r.architecture.startswith("transformers") and r.source != "scratch"
]
FLAGSHIPS = {"inception-resnet-v2": 299, "vit-b16": 224}


def test_names_are_unique_and_the_issue_s_contenders_are_there() -> None:
    names = [record.name for record in catalogue()]
    assert len(set(names)) == len(names)
    assert set(names) >= {
        *FLAGSHIPS, "efficientnet-lite0", "efficientnet-lite2", "dinov2-small", "efficientnet-b0", "vit-small-r26",
        "coatnet-0", "resnetv2-50-in21k", "convnext-b-in22k", "vit-b16-in1k", "dinov2-base", "dinov2-small-hub",
    }  # fmt: skip


@pytest.mark.parametrize("record", FROM_TIMM, ids=lambda record: record.name)
def test_facts_are_timm_s(record: BackboneRecord) -> None:
    from timm.models import get_pretrained_cfg

    tag = {"wheel": f"{record.architecture}.in1k"}.get(record.source, record.model_id.removeprefix("timm/"))
    config = get_pretrained_cfg(f"{record.architecture}.lvd142m" if "dinov2" in record.architecture else tag)
    assert config is not None
    told: Any = config
    facts = told.to_dict()
    if record.source == "timm-hub":
        assert facts["hf_hub_id"] == record.model_id
        assert record.licence.lower() == facts["license"]
    if "dinov2" not in record.architecture:
        assert record.input_size == facts["input_size"][-1]
    assert (record.mean, record.std) == (tuple(facts["mean"]), tuple(facts["std"]))
    assert record.interpolation == facts["interpolation"]
    assert record.crop_pct == facts["crop_pct"]
    assert record.n_parameters == count_parameters(record.architecture)
    assert record.family == family_of(record.architecture)


def test_vit_b16_counts_the_parameters_of_transformers() -> None:
    import torch
    from transformers import ViTConfig, ViTModel

    with torch.device("meta"):
        model = ViTModel(ViTConfig(), add_pooling_layer=False)
    assert resolve("vit-b16").n_parameters == sum(p.numel() for p in model.parameters())


def test_flagships_have_their_input_sizes() -> None:
    assert {name: resolve(name).input_size for name in FLAGSHIPS} == FLAGSHIPS


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("efficientnet-lit0", "efficientnet-lite0"),
        ("vit_b16", "vit-b16"),
        ("timm:resnet5", "resnet50"),
        ("scratch:inception_resnet", "inception_resnet_v2"),
        ("timm:resnet50.a1_in2k", "resnet50.a1_in1k"),
    ],
)
def test_did_you_mean(wrong: str, meant: str) -> None:
    with pytest.raises(UnknownNameError, match=meant):
        resolve(wrong)


def test_a_scheme_without_a_name_shows_an_example() -> None:
    with pytest.raises(UsageError, match=r"timm:resnet50\.a1_in1k"):
        resolve("timm:")


def test_timm_name_carries_its_preprocessing() -> None:
    record = resolve("timm:resnetv2_50x1_bit.goog_in21k")
    assert (record.interpolation, record.mean) == ("bilinear", (0.5, 0.5, 0.5))
    assert record.model_id == "timm/resnetv2_50x1_bit.goog_in21k"


def test_scratch_is_marked() -> None:
    record = resolve("scratch:vit_base_patch16_224")
    assert is_scratch(record)
    assert "random" in record.pretraining
    assert (record.family, record.input_size) == ("transformer", 224)
    assert not is_scratch(resolve("vit-b16"))


def test_scratch_of_named_weights_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="scratch:resnet50"):
        resolve("scratch:resnet50.a1_in1k")


def test_timm_model_without_weights_names_the_ways_on() -> None:
    with pytest.raises(WeightsError, match="scratch:"):
        resolve("timm:vit_base_patch16_18x2_224")


@pytest.mark.parametrize("side", [225, 16])
def test_a_side_that_does_not_fit_is_refused(side: int) -> None:
    with pytest.raises(UsageError, match="multiple of 14"):
        with_input_size(resolve("dinov2-small"), side)


class TestPath:
    def test_bare_file_needs_its_architecture(self, tmp_path: Path) -> None:
        file = tmp_path / "mine.safetensors"
        file.touch()
        with pytest.raises(UsageError, match=r"\?arch="):
            resolve(f"path:{file}")
        assert resolve(f"path:{file}?arch=test_vit").architecture == "test_vit"

    def test_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(WeightsError, match="no such file"):
            resolve(f"path:{tmp_path / 'gone.safetensors'}?arch=test_vit")

    def test_other_suffix(self, tmp_path: Path) -> None:
        (tmp_path / "weights.zip").touch()
        with pytest.raises(UsageError, match="safetensors"):
            resolve(f"path:{tmp_path / 'weights.zip'}?arch=test_vit")

    def test_folder_without_configuration(self, tmp_path: Path) -> None:
        with pytest.raises(WeightsError, match=r"config\.json"):
            resolve(f"path:{tmp_path}")


@pytest.mark.parametrize(
    ("name", "side"), [("vit-b16", 240), ("vit-small-r26", 256), ("efficientnet-lite0", 301)]
)
def test_sides_that_fit(name: str, side: int) -> None:
    assert with_input_size(resolve(name), side).input_size == side


def test_a_hybrid_s_stride_counts() -> None:
    with pytest.raises(UsageError, match="multiple of 32"):
        with_input_size(resolve("vit-small-r26"), 240)


def test_expected_tensors_makes_no_weights() -> None:
    assert expected_tensors("tf_efficientnet_lite0")["classifier.weight"] == (1000, 1280)


@pytest.mark.parametrize("name", ["scratch:mobileone_s0", "scratch:caformer_s18"])
def test_a_size_in_a_name_is_no_stride(name: str) -> None:
    assert with_input_size(resolve(name), 260).input_size == 260
