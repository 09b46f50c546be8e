"""How features are looked at: the words of a mode, mirror images, and what a preset forbids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from headtohead.backbones.catalog import at_size, resolve
from headtohead.backbones.features.extract import extract
from headtohead.backbones.features.views import Look, Mirrored, looked_at
from headtohead.contenders.expression import parse_list
from headtohead.contenders.factory import Workshop, build_heads, check_specs
from headtohead.core.config import StudyConfig
from headtohead.core.errors import NoEffectError, UnknownNameError, UsageError
from headtohead.data.dataset import Dataset
from headtohead.data.load import load
from headtohead.preprocess.recipe import get_recipe

VIT = at_size(resolve("scratch:test_vit"), 160)
NONE = get_recipe("none")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Six pictures, the last of which mirrors the first."""
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
    assert Look.of("probe") == Look() and str(Look()) == "plain"
    assert str(Look.of("mlp:flip+layers")) == "layers+flip"
    assert Look.of("probe:layers").kind == "layers"
    assert Look.of("probe:symmetry").mirrors and not Look.of("probe:layers").mirrors
    with pytest.raises(NoEffectError):
        Look.of("probe:symmetry+flip")
    for wrong in ("probe:", "probe:layer", "mlp:layers+flop"):
        with pytest.raises(UnknownNameError):
            Look.of(wrong)


def test_mirror_images_are_other_pictures_of_the_same_samples(pictures: Dataset) -> None:
    mirrored = Mirrored.of(pictures)
    sample = pictures.samples[0]
    assert np.array_equal(mirrored.read(mirrored.samples[0]).pixels, pictures.read(sample).pixels[:, ::-1])
    assert {s.pixel_hash for s in mirrored.samples}.isdisjoint(s.pixel_hash for s in pictures.samples)
    assert [s.id for s in mirrored.samples] == [s.id for s in pictures.samples]


def test_flip_does_not_tell_left_from_right_and_plain_does(pictures: Dataset, tmp_path: Path) -> None:
    by_name = {Path(sample.path).name: index for index, sample in enumerate(pictures.samples)}
    first, turned = by_name["0.png"], by_name["turned.png"]
    plain = looked_at(pictures, VIT, NONE, Look(), cache=tmp_path)
    flip = looked_at(pictures, VIT, NONE, Look(flip=True), cache=tmp_path)
    assert np.array_equal(plain.rows, extract(pictures, VIT, NONE, cache=tmp_path).rows)
    np.testing.assert_allclose(flip.rows[first], flip.rows[turned], rtol=1e-4, atol=1e-5)
    assert np.abs(plain.rows[first] - plain.rows[turned]).max() > 1e-3
    assert flip.how["mirror images"]["kind"] == "last"
    assert (
        looked_at(pictures, VIT, NONE, Look(layers=True), cache=tmp_path).rows.shape[1] > plain.rows.shape[1]
    )


def test_symmetry_is_that_of_the_mirror_image_and_nothing_where_there_is_none_to_find() -> None:
    import torch

    from headtohead.backbones.features.asymmetry import differences, paired
    from headtohead.backbones.load import load_backbone

    for name in ("scratch:test_vit", "scratch:test_efficientnet"):
        network = load_backbone(resolve(name))
        x = torch.rand(2, 3, 160, 160, generator=torch.Generator().manual_seed(1))
        even = (x + x.flip(-1)) / 2
        with torch.inference_mode():
            rows, turned, nothing = (paired(network, given) for given in (x, x.flip(-1), even))
            map_ = network.middle(x)[1]
        torch.testing.assert_close(rows, turned, rtol=1e-4, atol=1e-4)
        gaps = slice(-6 * map_.shape[1], None)
        assert nothing[:, gaps].abs().max() < 1e-4 < rows[:, gaps].abs().mean()
    here, there = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    here[0, 0, 0, 0] = 4.0
    expected = [4 / 16, 4.0, (1.0 + 2 * 4 / 6 + 4 / 9) / 16, 1.0, 4 / 16, 4.0]
    torch.testing.assert_close(differences(here, there)[0], torch.tensor(expected))


def test_middle_of_a_transformers_network_is_the_block_at_three_quarters(
    tmp_path: Path, vit_files: tuple[bytes, bytes]
) -> None:
    import torch

    from headtohead.backbones.features.asymmetry import paired
    from headtohead.backbones.load import load_backbone
    from headtohead.backbones.network import lay_out

    (tmp_path / "config.json").write_bytes(vit_files[0])
    (tmp_path / "model.safetensors").write_bytes(vit_files[1])
    network: Any = load_backbone(resolve(f"path:{tmp_path}"))
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    seen: list[torch.Tensor] = []
    # five blocks: the fourth
    block = next(m for name, m in network.body.named_modules() if name.endswith(("layer.3", "layers.3")))
    block.register_forward_hook(lambda _m, _i, out: seen.append(out[0] if isinstance(out, tuple) else out))
    with torch.inference_mode():
        pooled, found = network.middle(x)
        expected = lay_out(network.body.layernorm(seen[0]), 1, (4, 4))
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(pooled[:, :64], network(x))
        assert paired(network, x).shape == (2, 64 + 3 * 32 + 6 * 32)


def workshop(pictures: Dataset, cache: Path, **train: str) -> Workshop:
    config: Any = StudyConfig.model_validate({"data": "x", "contenders": ("x",), "train": train})
    return Workshop(pictures, NONE, config, cache, lambda name, cell: None, lambda name, facts: None)  # type: ignore[arg-type,return-value]


def test_contenders_take_their_look_from_their_mode(pictures: Dataset, tmp_path: Path) -> None:
    name = "scratch:test_vit"
    specs = parse_list(f"{name}, {name}@probe:layers+flip, {name}@mlp:layers")
    check_specs(specs)
    heads: Any = build_heads(specs, workshop(pictures, tmp_path))
    plain, deep, mlp = (heads[spec.name]._features() for spec in specs)
    assert plain.shape[1] < deep.shape[1] == mlp.shape[1]
    assert not np.array_equal(deep, mlp)
    with pytest.raises(UnknownNameError, match="layers"):
        check_specs(parse_list(f"{name}@probe:layer"))


def test_flips_are_refused_where_the_preset_does_not_mirror(pictures: Dataset, tmp_path: Path) -> None:
    for look in ("flip", "symmetry"):
        specs = parse_list(f"scratch:test_vit@probe:{look}")
        with pytest.raises(UsageError, match="xray"):
            build_heads(specs, workshop(pictures, tmp_path, augment="xray"))
        build_heads(specs, workshop(pictures, tmp_path, augment="mri"))
