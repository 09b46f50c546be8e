"""Heads in torch say what the fitted heads say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from headtohead.deploy.network.heads import LinearScores, mean_log_probabilities
from headtohead.deploy.training.parts import _mlp, lora_merged
from headtohead.heads.mlp import MlpSettings, fit_networks
from headtohead.training.logistic import fit_probe

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 9)).astype(np.float32) * np.arange(1, 10)


@pytest.mark.parametrize("k", [2, 3])
def test_a_linear_head_is_the_probe(k: int) -> None:
    probe = fit_probe(ROWS, np.arange(60) % k, 0.1)
    head = LinearScores(9, k)
    head.fill(probe.mean, probe.scale, probe.weights, probe.bias)
    with torch.inference_mode():
        found = head(torch.from_numpy(ROWS.astype(np.float32))).exp().numpy()
    np.testing.assert_allclose(found, probe.predict_proba(ROWS), atol=1e-6)


def test_an_mlp_head_is_the_fitted_networks() -> None:
    rows = ROWS.astype(np.float32)
    fitted = fit_networks(rows, np.arange(60) % 3, 3, 0.1, MlpSettings(hidden=8, epochs=3, members=2), 4)
    head, facts = _mlp(fitted, 3)
    assert facts == {"head": "mlp", "hidden": 8, "networks": 2}
    with torch.inference_mode():
        found = head.eval()(torch.from_numpy(rows)).exp().numpy()
    np.testing.assert_allclose(found, fitted.predict_proba(rows), atol=1e-6)


def test_the_mean_is_of_probabilities() -> None:
    a, b = torch.tensor([[0.9, 0.1]]), torch.tensor([[0.2, 0.8]])
    told = mean_log_probabilities([a.log(), b.log()], (0.25, 0.75)).exp()
    torch.testing.assert_close(told, 0.25 * a + 0.75 * b)
    without = mean_log_probabilities([a.log(), b.log()], (1.0, 0.0)).exp()
    torch.testing.assert_close(without, a)


def test_adapters_are_added_to_the_weights() -> None:
    peft = pytest.importorskip("peft")
    torch.manual_seed(0)
    net = nn.ModuleDict({"backbone": nn.Sequential(nn.Linear(6, 5), nn.Conv2d(1, 1, 1))})
    plain = nn.Linear(6, 5)
    peft.inject_adapter_in_model(peft.LoraConfig(r=2, lora_alpha=4, target_modules=["0"]), net["backbone"])
    nn.init.normal_(net["backbone"][0].lora_B["default"].weight)  # type: ignore[index]
    state = {n.removeprefix("backbone."): t for n, t in net.state_dict().items()}
    merged = lora_merged(state, net)
    plain.load_state_dict({n.removeprefix("0."): t for n, t in merged.items() if n.startswith("0.")})
    x = torch.randn(3, 6)
    torch.testing.assert_close(plain(x), net["backbone"][0](x))  # type: ignore[index]
