"""The flagship pair, fine-tuned at full size from a hub on the loopback: fetched, paired, at the rates as stated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from tests.journeys.test_compare import make_images

from headtohead.backbones import catalog
from headtohead.backbones.catalog import resolve
from headtohead.backbones.catalog_rows import ROWS
from headtohead.backbones.load import load_backbone
from headtohead.cli.app import main
from headtohead.training.network.classifier import freeze
from headtohead.training.settings import FinetuneSettings

CNN, VIT = "inception-resnet-v2", "vit-b16"
RATE = 1e-4


def random_files(name: str) -> tuple[bytes, bytes]:
    """Return configuration and generated weights as the hub stores them."""
    import timm
    from safetensors.torch import save
    from transformers import ViTConfig, ViTModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        config = ViTConfig()
        model: Any = ViTModel(config) if name == VIT else timm.create_model("inception_resnet_v2")
    told = json.dumps(config.to_dict()).encode() if name == VIT else b"{}"
    return told, save({key: value.contiguous() for key, value in model.state_dict().items()})


@pytest.mark.slow
def test_the_pair_is_fine_tuned_at_full_size(
    hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tuple({**row, "file_sha256": None} if row["name"] == VIT else row for row in ROWS)
    monkeypatch.setattr(catalog, "ROWS", rows)  # the catalogue's sum is that of the real file
    hub.commit = resolve(VIT).revision
    for name in (CNN, VIT):
        config, model = random_files(name)
        hub.add(resolve(name).model_id, config=config, model=model)
    out = tmp_path / "run"
    status = main(
        [
            "compare", str(make_images(tmp_path / "images", per_class=8)), "-c", f"{CNN}@finetune,{VIT}@finetune",
            "--out", str(out), "--split", "holdout:0.25", "--repeats", "1", "--epochs", "1", "--policy", "fixed",
            "--recipe", "none", "--set", "finetune.batch=6", "--set", f"finetune.learning_rate={RATE}",
            "--n-boot", "100",
        ]
    )  # fmt: skip
    assert status == 0, capsys.readouterr().err
    table = pd.read_parquet(out / "learning.parquet").set_index("contender")["chosen"]
    cnn, vit = (json.loads(table[f"{name}@finetune"])["layers"] for name in (CNN, VIT))
    assert (vit["blocks"], vit["trained"]) == (13, 13), (
        "embeddings and twelve blocks, the last with the final norm"
    )
    assert cnn["blocks"] == cnn["trained"] > 40
    assert (cnn["head_rate"], vit["head_rate"]) == pytest.approx((5 * RATE, RATE))
    for layers in (cnn, vit):
        assert layers["highest_rate"] / layers["head_rate"] == pytest.approx(0.75)
        assert layers["lowest_rate"] / layers["head_rate"] == pytest.approx(0.75**12)
    assert "13 of 13 blocks of the network trained, at 0.032 to 0.75 of that rate" in (
        out / "checklist.json"
    ).read_text(encoding="utf-8")
    predictions = pd.read_parquet(out / "predictions.parquet")
    assert {f"{CNN}@finetune", f"{VIT}@finetune"} <= set(predictions["contender"])
    last = load_backbone(resolve(VIT))
    freeze(last, FinetuneSettings(depth="partial:1"))
    learning = sum(p.numel() for p in last.parameters() if p.requires_grad)
    assert learning == 7_087_872 + 2 * 768, "one block of ViT-B and the final norm"
