"""Hub weights over the loopback: download, pin, cache, offline, and each way in which it can fail."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headtohead.backbones.catalog import resolve
from headtohead.backbones.load import load_backbone
from headtohead.backbones.weights.fetch import ensure_weights, listing, where
from headtohead.core.errors import WeightsError

TINY = "timm:test_vit.r160_in1k"
REPOSITORY = "timm/test_vit.r160_in1k"
WAYS_ON = ("path:", "PyPI", "scratch:")


def _features(name: str) -> Any:
    network = load_backbone(resolve(name))
    side = network.record.input_size
    x = torch.linspace(-1, 1, 3 * side * side).reshape(1, 3, side, side)
    with torch.inference_mode():
        return network(x).numpy()


def _fails(name: str) -> str:
    with pytest.raises(WeightsError) as caught:
        ensure_weights(resolve(name))
    message = str(caught.value)
    assert all(way in message for way in WAYS_ON)
    return message


def test_downloaded_pinned_recorded_and_offline_after(hub: Any, timm_file: bytes, monkeypatch: Any) -> None:
    hub.add(REPOSITORY, model=timm_file)
    assert where(TINY) is None
    first = _features(TINY)
    weights = ensure_weights(resolve(TINY))
    assert weights.revision == hub.commit
    assert weights.source == f"hub repository {REPOSITORY}"
    assert len(weights.sha256) == 64
    pin = json.loads(next((Path(weights.path or "").parents[4] / "home" / "hub").glob("*.json")).read_text())
    assert (pin["revision"], pin["sha256"], pin["checked_against"]) == (
        hub.commit,
        weights.sha256,
        "the hub's ETag",
    )
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub.asked.clear()
    np.testing.assert_array_equal(_features(TINY), first)
    assert hub.asked == []
    assert where(TINY) is not None


def test_a_pinned_commit_is_kept_when_the_repository_moves_on(hub: Any, timm_file: bytes) -> None:
    hub.add(REPOSITORY, model=timm_file)
    before = ensure_weights(resolve(TINY))
    hub.commit = "f" * 40
    hub.add(REPOSITORY, model=timm_file[:-4] + b"\0\0\0\0")
    hub.asked.clear()
    assert ensure_weights(resolve(TINY)) == before
    assert hub.asked == []


def test_transformers_repository_with_its_own_configuration(hub: Any, vit_files: tuple[bytes, bytes]) -> None:
    config, model = vit_files
    hub.add(
        "acme/tiny",
        config=config,
        model=model,
        preprocessor=b'{"image_mean": [0.4, 0.4, 0.4], "resample": 3}',
    )
    record = resolve("hf:acme/tiny")
    assert (record.input_size, record.mean, record.interpolation) == (64, (0.4, 0.4, 0.4), "bicubic")
    assert record.revision == hub.commit
    network = load_backbone(record)
    assert network.n_features == 64
    from transformers import ViTModel

    folder = Path(network.weights.path or "").parent
    plain: Any = ViTModel.from_pretrained(folder, add_pooling_layer=False)
    plain.eval()
    x = torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)
    with torch.inference_mode():
        tokens = plain(pixel_values=x).last_hidden_state
        expected = torch.cat([tokens[:, 0], tokens[:, 1:].mean(1)], dim=1)
        torch.testing.assert_close(network(x), expected)


def test_timm_repository_by_hf_name(hub: Any, timm_file: bytes) -> None:
    config = {
        "architecture": "test_vit",
        "pretrained_cfg": {"input_size": [3, 160, 160], "mean": [0.1, 0.2, 0.3]},
    }
    hub.add("acme/mine", config=json.dumps(config).encode(), model=timm_file)
    record = resolve("hf:acme/mine")
    assert (record.source, record.architecture, record.mean) == ("timm-hub", "test_vit", (0.1, 0.2, 0.3))
    assert load_backbone(record).n_features == 128


def _uni_like(init_values: float | None = 1e-5) -> tuple[bytes, dict[str, Any]]:
    """Return weights and configuration of a ViT with layer scale, as pathology repositories state theirs."""
    import timm
    from safetensors.torch import save

    args: dict[str, Any] = {"init_values": init_values, "dynamic_img_size": True, "num_classes": 0}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        body = timm.create_model("test_vit", **args)
    return save({k: v.contiguous() for k, v in body.state_dict().items()}), {
        "architecture": "test_vit",
        "model_args": args,
        "pretrained_cfg": {"input_size": [3, 160, 160]},
    }


def test_options_of_the_configuration_build_the_network(hub: Any) -> None:
    weights, config = _uni_like()
    hub.add("acme/uni", config=json.dumps(config).encode(), model=weights)
    record = resolve("hf:acme/uni")
    assert record.model_args == {"init_values": 1e-5, "dynamic_img_size": True}
    network = load_backbone(record)
    scales = [p for name, p in network.named_parameters() if name.endswith("ls1.gamma")]
    assert len(scales) == 6 and all(torch.equal(p, torch.full_like(p, 1e-5)) for p in scales)
    assert record.n_parameters == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(("key", "value"), [("weird_option", 3), ("mlp_layer", ["a", "list"])])
def test_an_option_that_cannot_be_kept_is_refused(hub: Any, key: str, value: Any) -> None:
    weights, config = _uni_like()
    config["model_args"] = {**config["model_args"], key: value}
    hub.add("acme/uni", config=json.dumps(config).encode(), model=weights)
    with pytest.raises(WeightsError, match=key):
        resolve("hf:acme/uni")


def _as_checkpoint(weights: bytes) -> bytes:
    from safetensors.torch import load

    buffer = io.BytesIO()
    torch.save(load(weights), buffer)
    return buffer.getvalue()


def test_a_checkpoint_of_tensors_is_read_where_there_is_no_safetensors(
    hub: Any, vit_files: tuple[bytes, bytes]
) -> None:
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    rows = []
    for repository, name, content in (
        ("acme/safe", "model.safetensors", vit_files[1]),
        ("acme/bin", "pytorch_model.bin", _as_checkpoint(vit_files[1])),
    ):
        hub.add(repository, **{"config": vit_files[0], name: content})
        with torch.inference_mode():
            rows.append(load_backbone(resolve(f"hf:{repository}"))(x))
    assert torch.equal(*rows)


def test_a_checkpoint_that_runs_code_is_refused(hub: Any, tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "ran",))

    weights, config = _uni_like()
    buffer = io.BytesIO()
    torch.save({**torch.load(io.BytesIO(_as_checkpoint(weights))), "x": Payload()}, buffer)
    hub.add("acme/evil", **{"config": json.dumps(config).encode(), "pytorch_model.bin": buffer.getvalue()})
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        load_backbone(resolve("hf:acme/evil"))
    assert not (tmp_path / "ran").exists()


def test_wrong_id(hub: Any) -> None:
    message = _fails(TINY)
    assert REPOSITORY in message
    assert "no such repository" in message
    assert hub.endpoint in message


def test_wrong_revision(hub: Any, vit_files: tuple[bytes, bytes]) -> None:
    hub.add("acme/tiny", config=vit_files[0], model=vit_files[1])
    assert "no such revision" in _fails("hf:acme/tiny@no-such-branch")


def test_no_weights_file_in_the_repository(hub: Any) -> None:
    hub.add(REPOSITORY, config=b"{}")
    assert "no such file" in _fails(TINY)


def test_truncated_download_leaves_nothing_that_is_used(hub: Any, timm_file: bytes) -> None:
    hub.add(REPOSITORY, model=timm_file)
    hub.fault = "truncate"
    message = _fails(TINY)
    assert REPOSITORY in message
    assert where(TINY) is None
    hub.fault = ""
    assert ensure_weights(resolve(TINY)).revision == hub.commit


def test_checksum_mismatch(hub: Any, timm_file: bytes) -> None:
    hub.add(REPOSITORY, model=timm_file)
    hub.fault = "corrupt"
    message = _fails(TINY)
    assert "sha256" in message
    assert "the hub's ETag" in message
    assert "delete" in message


def test_cached_file_changed_later_is_refused(hub: Any, timm_file: bytes) -> None:
    hub.add(REPOSITORY, model=timm_file)
    path = Path(ensure_weights(resolve(TINY)).path or "").resolve()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert "damaged or was changed" in _fails(TINY)


def test_catalogue_sha256_is_held_against_the_download(hub: Any, vit_files: tuple[bytes, bytes]) -> None:
    record = resolve("vit-b16")
    hub.commit = record.revision
    hub.add(record.model_id, config=vit_files[0], model=vit_files[1])
    assert "the catalogue says fd4e1169" in _fails("vit-b16")


def test_offline_without_a_cache(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "offline: not asked" in _fails(TINY)
    assert hub.asked == []


def test_no_server_fails_in_seconds(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    began = time.monotonic()
    assert "127.0.0.1:9" in _fails(TINY)
    assert time.monotonic() - began < 20


def test_tensor_missing_from_a_good_download_is_named(hub: Any, timm_file: bytes) -> None:
    from safetensors.torch import load, save

    tensors = load(timm_file)
    del tensors["blocks.1.attn.qkv.weight"]
    hub.add(REPOSITORY, model=save(tensors))
    with pytest.raises(
        WeightsError, match=r"1 of \d+ tensors are missing \(first: \['blocks.1.attn.qkv.weight'\]"
    ):
        load_backbone(resolve(TINY))


def test_tensor_missing_for_transformers_is_named(hub: Any, vit_files: tuple[bytes, bytes]) -> None:
    from safetensors.torch import load, save

    tensors = load(vit_files[1])
    lost = next(name for name in tensors if "layer.1" in name or "layers.1" in name)
    del tensors[lost]
    hub.add("acme/tiny", config=vit_files[0], model=save(tensors))
    with pytest.raises(WeightsError, match="tensors are missing"):
        load_backbone(resolve("hf:acme/tiny"))


def test_unknown_kind_of_network(hub: Any) -> None:
    hub.add("acme/bert", config=b'{"model_type": "bert"}', model=b"")
    with pytest.raises(WeightsError, match="model_type 'bert'"):
        resolve("hf:acme/bert")


def test_listing_knows_what_is_here(hub: Any) -> None:
    lines = {line["name"]: line for line in listing()}
    assert not lines["vit-b16"]["here"]
    assert lines["vit-b16"]["source"] == "transformers-hub"
    assert hub.asked == []


def _open_clip(**vision: Any) -> dict[str, Any]:
    """Return a repository as BiomedCLIP's: two towers in one file, and no config.json."""
    from safetensors.torch import load

    weights, _ = _uni_like(init_values=None)
    trunk = {f"visual.trunk.{name}": value for name, value in load(weights).items()}
    rest = {
        "visual.head.proj.weight": torch.ones(8, 128),
        "text.embed": torch.ones(3),
        "logit_scale": torch.ones(()),
    }
    buffer = io.BytesIO()
    torch.save(trunk | rest, buffer)
    cfg = {"timm_model_name": "test_vit", "timm_pool": "", "timm_proj": "linear", "image_size": 160} | vision
    config = {
        "model_cfg": {"embed_dim": 8, "vision_cfg": cfg, "text_cfg": {}},
        "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2]},
    }
    return {
        "open_clip_config.json": json.dumps(config).encode(),
        "open_clip_pytorch_model.bin": buffer.getvalue(),
    }


def test_the_vision_tower_of_open_clip_is_timms_network_with_its_weights(hub: Any) -> None:
    hub.add("acme/biomed", **_open_clip())
    record = resolve("hf:acme/biomed")
    assert (record.architecture, record.input_size, record.mean) == ("test_vit", 160, (0.5, 0.4, 0.3))
    weights, config = _uni_like(init_values=None)
    config["model_args"] = {}
    hub.add("acme/plain", config=json.dumps(config).encode(), model=weights)
    x = torch.rand(1, 3, 160, 160, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        tower, plain = (load_backbone(resolve(f"hf:acme/{name}"))(x) for name in ("biomed", "plain"))
    assert torch.equal(tower, plain)
    assert record.n_parameters == sum(p.numel() for p in load_backbone(record).parameters())


def test_towers_of_open_clips_own_are_refused_by_name(hub: Any) -> None:
    hub.add("acme/own", **_open_clip(timm_model_name=None))
    with pytest.raises(WeightsError, match="open_clip's own network"):
        resolve("hf:acme/own")
    hub.add("acme/pooled", **_open_clip(timm_pool="abs_attn"))
    with pytest.raises(WeightsError, match="'abs_attn' outside the network"):
        resolve("hf:acme/pooled")
    hub.add("acme/none", other=b"")
    with pytest.raises(WeightsError, match=r"config\.json"):
        resolve("hf:acme/none")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inception-resnet-v2", "vit-b16"])
def test_flagship_at_full_size(name: str, hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    record = resolve(name)
    config, model = _full_size(name)
    hub.commit = record.revision or hub.commit
    hub.add(record.model_id, config=config, model=model)
    assert len(model) > 200e6
    generated = record.model_copy(update={"file_sha256": None})
    first = load_backbone(generated)
    assert first.weights.revision == hub.commit
    assert sum(p.numel() for p in first.parameters()) == record.n_parameters
    side = record.input_size
    with torch.inference_mode():
        assert first(torch.zeros(1, 3, side, side)).shape == (1, first.n_features)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub.asked.clear()
    assert load_backbone(generated).weights == first.weights
    assert hub.asked == []


def _full_size(name: str) -> tuple[bytes, bytes]:
    import timm
    from safetensors.torch import save

    if name == "vit-b16":
        from transformers import ViTConfig, ViTModel

        config = ViTConfig()
        with torch.device("meta"):
            shapes = {key: value.shape for key, value in ViTModel(config).state_dict().items()}
        return json.dumps(config.to_dict()).encode(), save({key: torch.zeros(s) for key, s in shapes.items()})
    model = timm.create_model("inception_resnet_v2")
    return b"{}", save({key: value.contiguous() for key, value in model.state_dict().items()})
