"""Networks with their weights: exact, silent, and without a trace on the caller's randomness."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save_file

from headtohead.backbones.catalog import resolve, with_input_size
from headtohead.backbones.load import load_backbone, read_tensors
from headtohead.core.errors import WeightsError


def _same(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    return all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


def test_random_weights_follow_from_the_seed_alone() -> None:
    record = resolve("scratch:test_vit")
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = load_backbone(record, seed=3)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(10)
    assert _same(first, load_backbone(record, seed=3))
    assert not _same(first, load_backbone(record, seed=4))
    assert first.weights.pretraining == "none (random weights, seed 3)"
    assert first.weights.path is None


def test_loaded_in_evaluation_mode_and_in_the_arithmetic_asked_for() -> None:
    network = load_backbone(resolve("scratch:test_resnet"), dtype=torch.bfloat16)
    assert not network.training
    assert {parameter.dtype for parameter in network.parameters()} == {torch.bfloat16}
    assert network(torch.zeros(1, 3, 160, 160, dtype=torch.bfloat16)).dtype == torch.float32


def test_nothing_is_printed_or_logged(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    load_backbone(resolve("scratch:test_vit"))
    out, err = capfd.readouterr()
    assert (out, err, caplog.records) == ("", "", [])


class TestFile:
    def _write(self, folder: Path, content: bytes, name: str = "model.safetensors") -> str:
        (folder / name).write_bytes(content)
        return f"path:{folder / name}?arch=test_vit"

    def test_safetensors_with_architecture(self, tmp_path: Path, timm_file: bytes) -> None:
        network = load_backbone(resolve(self._write(tmp_path, timm_file)))
        expected = {name: tensor for name, tensor in load(timm_file).items() if not name.startswith("head.")}
        got = network.body.state_dict()
        assert got.keys() == expected.keys()
        assert all(torch.equal(got[name], expected[name]) for name in expected)
        assert network.weights.pretraining.startswith("not known")

    def test_checkpoint_of_a_training_loop(self, tmp_path: Path, timm_file: bytes) -> None:
        wrapped = {"state_dict": {f"module.{name}": tensor for name, tensor in load(timm_file).items()}}
        torch.save(wrapped, tmp_path / "last.pth")
        one = load_backbone(resolve(f"path:{tmp_path / 'last.pth'}?arch=test_vit"))
        assert _same(one, load_backbone(resolve(self._write(tmp_path, timm_file))))

    def test_folder_of_timm(self, tmp_path: Path, timm_file: bytes) -> None:
        (tmp_path / "model.safetensors").write_bytes(timm_file)
        (tmp_path / "config.json").write_text(
            '{"architecture": "test_vit", "pretrained_cfg": {"mean": [0, 0, 0]}}'
        )
        record = resolve(f"path:{tmp_path}")
        assert record.mean == (0, 0, 0)
        assert load_backbone(record).n_features == 128

    def test_folder_of_transformers(self, tmp_path: Path, vit_files: tuple[bytes, bytes]) -> None:
        (tmp_path / "config.json").write_bytes(vit_files[0])
        (tmp_path / "model.safetensors").write_bytes(vit_files[1])
        network = load_backbone(resolve(f"path:{tmp_path}"))
        assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 64)

    def test_transformers_at_another_size(self, tmp_path: Path, vit_files: tuple[bytes, bytes]) -> None:
        (tmp_path / "config.json").write_bytes(vit_files[0])
        (tmp_path / "model.safetensors").write_bytes(vit_files[1])
        network = load_backbone(with_input_size(resolve(f"path:{tmp_path}"), 96))
        assert network.feature_map(torch.zeros(1, 3, 96, 96)).shape == (1, 32, 6, 6)

    def test_weights_of_another_network_are_refused(self, tmp_path: Path, timm_file: bytes) -> None:
        self._write(tmp_path, timm_file)
        with pytest.raises(WeightsError, match="test_resnet"):
            load_backbone(resolve(f"path:{tmp_path / 'model.safetensors'}?arch=test_resnet"))

    def test_another_shape_is_named(self, tmp_path: Path, timm_file: bytes) -> None:
        tensors = load(timm_file)
        tensors["norm.weight"] = torch.ones(65)
        save_file(tensors, tmp_path / "model.safetensors")
        with pytest.raises(WeightsError, match=r"norm\.weight is \(65,\), expected \(64,\)"):
            load_backbone(resolve(f"path:{tmp_path / 'model.safetensors'}?arch=test_vit"))

    def test_left_over_tensor_is_named(self, tmp_path: Path, timm_file: bytes) -> None:
        save_file(load(timm_file) | {"extra.weight": torch.ones(1)}, tmp_path / "model.safetensors")
        with pytest.raises(WeightsError, match=r"1 are unknown to it \(first: \['extra\.weight'\]"):
            load_backbone(resolve(f"path:{tmp_path / 'model.safetensors'}?arch=test_vit"))

    @pytest.mark.parametrize("name", ["model.safetensors", "model.pth"])
    def test_truncated_file(self, tmp_path: Path, timm_file: bytes, name: str) -> None:
        name_of = self._write(tmp_path, timm_file[: len(timm_file) // 2], name)
        with pytest.raises(WeightsError, match="cannot be read as weights"):
            load_backbone(resolve(name_of))

    @pytest.mark.parametrize("content", [[1, 2], {}, {"a": "text"}])
    def test_something_else_than_tensors(self, tmp_path: Path, content: Any) -> None:
        torch.save(content, tmp_path / "x.pth")
        with pytest.raises(WeightsError, match="no table of tensors"):
            read_tensors(tmp_path / "x.pth")

    def test_configuration_that_is_not_json(self, tmp_path: Path, timm_file: bytes) -> None:
        (tmp_path / "model.safetensors").write_bytes(timm_file)
        (tmp_path / "config.json").write_text("{")
        with pytest.raises(WeightsError, match="JSON"):
            resolve(f"path:{tmp_path}")
        (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
        with pytest.raises(WeightsError, match="gpt2"):
            resolve(f"path:{tmp_path}")


def test_positions_are_resampled_to_the_size_asked_for(tmp_path: Path, timm_file: bytes) -> None:
    (tmp_path / "model.safetensors").write_bytes(timm_file)
    record = with_input_size(resolve(f"path:{tmp_path / 'model.safetensors'}?arch=test_vit"), 96)
    assert load_backbone(record)(torch.zeros(1, 3, 96, 96)).shape == (1, 128)
