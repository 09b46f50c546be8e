"""How features are looked at: the words of a mode, mirror images, and what a preset forbids."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from headtohead.backbones.catalog import resolve, with_input_size
from headtohead.backbones.features.extract import extract
from headtohead.backbones.features.options import ExtractionOptions
from headtohead.backbones.features.views import FeatureView, FlippedDataset, extract_view
from headtohead.contenders.factory import build_heads
from headtohead.contenders.mode import BuildContext, FeatureSource
from headtohead.contenders.plan import ContenderPlan
from headtohead.core.config import StudyConfig
from headtohead.core.errors import NoEffectError, UnknownNameError, UsageError
from headtohead.data.dataset import Dataset
from headtohead.data.load import load
from headtohead.preprocess.recipe import get_recipe

VIT = with_input_size(resolve("scratch:test_vit"), 160)
NONE = get_recipe("none")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Six images, the last of which mirrors the first."""
    root = tmp_path_factory.mktemp("looks")
    rng = np.random.default_rng(3)
    for number in range(5):
        folder = root / ("sick" if number % 2 else "well")
        folder.mkdir(exist_ok=True)
        pixels = rng.integers(0, 256, (40, 40), dtype=np.uint8)
        Pillow.fromarray(pixels).save(folder / f"{number}.png")
        if number == 0:
            Pillow.fromarray(pixels[:, ::-1].copy()).save(folder / "turned.png")
    return load(str(root))


def test_words_after_the_colon() -> None:
    assert FeatureView.parse("probe") == FeatureView() and str(FeatureView()) == "plain"
    assert str(FeatureView.parse("mlp:flip+layers")) == "layers+flip"
    assert FeatureView.parse("probe:layers").kind == "layers"
    assert FeatureView.parse("probe:symmetry").flips and not FeatureView.parse("probe:layers").flips
    with pytest.raises(NoEffectError):
        FeatureView.parse("probe:symmetry+flip")
    for wrong in ("probe:", "probe:layer", "mlp:layers+flop"):
        with pytest.raises(UnknownNameError):
            FeatureView.parse(wrong)


def test_mirror_images_are_other_images_of_the_same_samples(images: Dataset) -> None:
    mirrored = FlippedDataset.of(images)
    sample = images.samples[0]
    assert np.array_equal(mirrored.read(mirrored.samples[0]).pixels, images.read(sample).pixels[:, ::-1])
    assert {s.pixel_hash for s in mirrored.samples}.isdisjoint(s.pixel_hash for s in images.samples)
    assert [s.id for s in mirrored.samples] == [s.id for s in images.samples]


def test_flip_does_not_tell_left_from_right_and_plain_does(images: Dataset, tmp_path: Path) -> None:
    by_name = {Path(sample.path).name: index for index, sample in enumerate(images.samples)}
    first, turned = by_name["0.png"], by_name["turned.png"]
    plain = extract_view(images, VIT, NONE, FeatureView(), ExtractionOptions(), cache=tmp_path)
    flip = extract_view(images, VIT, NONE, FeatureView(flip=True), ExtractionOptions(), cache=tmp_path)
    assert np.array_equal(plain.rows, extract(images, VIT, NONE, cache=tmp_path).rows)
    np.testing.assert_allclose(flip.rows[first], flip.rows[turned], rtol=1e-4, atol=1e-5)
    assert np.abs(plain.rows[first] - plain.rows[turned]).max() > 1e-3
    assert flip.how["mirror images"]["kind"] == "last"
    assert (
        extract_view(
            images, VIT, NONE, FeatureView(layers=True), ExtractionOptions(), cache=tmp_path
        ).rows.shape[1]
        > plain.rows.shape[1]
    )


def test_symmetry_is_that_of_the_mirror_image_and_nothing_where_there_is_none_to_find() -> None:
    import torch

    from headtohead.backbones.features.asymmetry import asymmetry_features, bilateral_features
    from headtohead.backbones.load import load_backbone

    for name in ("scratch:test_vit", "scratch:test_efficientnet"):
        network = load_backbone(resolve(name))
        x = torch.rand(2, 3, 160, 160, generator=torch.Generator().manual_seed(1))
        even = (x + x.flip(-1)) / 2
        with torch.inference_mode():
            rows, turned, nothing = (bilateral_features(network, given) for given in (x, x.flip(-1), even))
            map_ = network.intermediate_features(x)[1]
        torch.testing.assert_close(rows, turned, rtol=1e-4, atol=1e-4)
        gaps = slice(-6 * map_.shape[1], None)
        assert nothing[:, gaps].abs().max() < 1e-4 < rows[:, gaps].abs().mean()
    here, there = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    here[0, 0, 0, 0] = 4.0
    expected = [4 / 16, 4.0, (1.0 + 2 * 4 / 6 + 4 / 9) / 16, 1.0, 4 / 16, 4.0]
    torch.testing.assert_close(asymmetry_features(here, there)[0], torch.tensor(expected))


def test_middle_of_a_transformers_network_is_the_block_at_three_quarters(
    tmp_path: Path, vit_files: tuple[bytes, bytes]
) -> None:
    import torch

    from headtohead.backbones.features.asymmetry import bilateral_features
    from headtohead.backbones.load import load_backbone
    from headtohead.backbones.network import tokens_to_map

    (tmp_path / "config.json").write_bytes(vit_files[0])
    (tmp_path / "model.safetensors").write_bytes(vit_files[1])
    network: Any = load_backbone(resolve(f"path:{tmp_path}"))
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    seen: list[torch.Tensor] = []
    # five blocks: the fourth
    block = next(m for name, m in network.body.named_modules() if name.endswith(("layer.3", "layers.3")))
    block.register_forward_hook(lambda _m, _i, out: seen.append(out[0] if isinstance(out, tuple) else out))
    with torch.inference_mode():
        pooled, found = network.intermediate_features(x)
        expected = tokens_to_map(network.body.layernorm(seen[0]), 1, (4, 4))
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(pooled[:, :64], network(x))
        assert bilateral_features(network, x).shape == (2, 64 + 3 * 32 + 6 * 32)


def workshop(images: Dataset, cache: Path, **train: str) -> BuildContext:
    config: Any = StudyConfig.model_validate({"data": "x", "contenders": ("x",), "train": train})
    features = FeatureSource(images, NONE, config, cache, lambda name, facts: None)
    return BuildContext(features, lambda name, job: None)  # type: ignore[arg-type,return-value]


def test_contenders_take_their_look_from_their_mode(images: Dataset, tmp_path: Path) -> None:
    name = "scratch:test_vit"
    plan = ContenderPlan.parse(f"{name}, {name}@probe:layers+flip, {name}@mlp:layers")
    heads: Any = build_heads(plan, workshop(images, tmp_path))
    plain, deep, mlp = (heads[spec.name]._features() for spec in plan.named)
    assert plain.shape[1] < deep.shape[1] == mlp.shape[1]
    assert not np.array_equal(deep, mlp)
    with pytest.raises(UnknownNameError, match="layers"):
        ContenderPlan.parse(f"{name}@probe:layer")


def test_flips_are_refused_where_the_preset_does_not_mirror(images: Dataset, tmp_path: Path) -> None:
    for look in ("flip", "symmetry"):
        plan = ContenderPlan.parse(f"scratch:test_vit@probe:{look}")
        with pytest.raises(UsageError, match="xray"):
            build_heads(plan, workshop(images, tmp_path, augment="xray"))
        build_heads(plan, workshop(images, tmp_path, augment="mri"))


def test_a_hybrid_with_random_weights_is_trained_as_random_whatever_the_order(
    images: Dataset, tmp_path: Path
) -> None:
    """Frozen statistics of weights that were never trained would be none at all."""
    plan = ContenderPlan.parse("hybrid(scratch:test_efficientnet,scratch:test_resnet)@finetune")
    (both,) = plan.contenders
    mixed = (both.records[0].model_copy(update={"source": "timm-hub"}), both.records[1])
    for records in (mixed, mixed[::-1]):
        contender = replace(both, records=records)
        head: Any = build_heads(replace(plan, contenders=(contender,)), workshop(images, tmp_path))[both.name]
        assert (head.settings.batch_norm, head.settings.head_start) == ("train", "random")


def test_trained_contenders_share_their_images_within_one_limit_of_memory(
    images: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six networks once kept six copies; those of another size get what is left, or go to disk."""
    cnn, other, vit = (
        resolve(f"scratch:{name}") for name in ("test_efficientnet", "test_byobnet", "test_vit")
    )
    other = other.model_copy(update={"input_size": 96})
    room = len(images.samples) * 6 * cnn.input_size**2
    monkeypatch.setattr("headtohead.training.data_loader.MEMORY_LIMIT", room + 1)
    context = workshop(images, tmp_path)
    first = context.images_for(cnn)
    assert context.images_for(vit.model_copy(update={"mean": cnn.mean, "std": cnn.std})) is first
    assert first.bytes_in_memory == room
    assert context.images_for(other) is not first and context.images_for(other).bytes_in_memory == 0
    plan = ContenderPlan.parse("scratch:test_efficientnet@finetune,scratch:test_efficientnet@partial:1")
    heads: Any = build_heads(plan, context)
    assert len({id(head.networks.images) for head in heads.values()} | {id(first)}) == 1
