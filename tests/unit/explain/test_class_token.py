"""The class token's split against the same sum written out with the attention matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from tests.unit.explain.conftest import images_for, random_network

from headtohead.explain.decomposition.decompose import decompose
from headtohead.explain.decomposition.split import Weighting


def written_out(network: Any, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """Return (B, n) contributions of patch tokens by hand: gain, centring, head by head."""
    body = network.body
    block = body.blocks[-1]
    caught: dict[str, torch.Tensor] = {}
    hooks = [
        block.register_forward_pre_hook(lambda m, a: caught.update(x=a[0])),
        block.register_forward_hook(lambda m, a, o: caught.update(out=o)),
    ]
    with torch.no_grad():
        body.forward_features(x)
    for hook in hooks:
        hook.remove()
    attn, tokens = block.attn, caught["x"].double()
    block = block.double()
    with torch.no_grad():
        qkv = attn.qkv(block.norm1(tokens))
    b, n, c = tokens.shape
    q, k, v = qkv.reshape(b, n, 3, attn.num_heads, -1).permute(2, 0, 3, 1, 4)
    weights = torch.softmax(q[:, :, :1] @ k.transpose(-1, -2) * attn.scale, dim=-1)[:, :, 0]
    own = caught["out"][:, 0].double()
    gain = body.norm.weight.detach().double() * w
    u = (gain - gain.mean()) / (own.var(dim=-1, unbiased=False) + body.norm.eps).sqrt()[:, None]
    projection = attn.proj.weight.detach().double()
    found = torch.zeros(b, n, dtype=torch.float64)
    size = c // attn.num_heads
    for head in range(attn.num_heads):
        through = projection[:, head * size : (head + 1) * size]
        found += weights[:, head] * torch.einsum("bc,cd,bnd->bn", u, through, v[:, head])
    return found[:, 1:]


def test_the_split_is_the_sum_over_attention_values_and_projection() -> None:
    network = random_network("scratch-vit")
    x = images_for(network, 2)
    generator = torch.Generator().manual_seed(0)
    w = torch.randn(192, generator=generator, dtype=torch.float64)
    weights = torch.cat([w, torch.zeros(192, dtype=torch.float64)]).expand(2, 1, -1)
    found = decompose(network, x, Weighting(weights, torch.zeros_like(weights)))
    expected = written_out(network, x, w)
    assert np.allclose(found.maps[0].flatten(2)[:, 0], expected, atol=1e-4 * float(expected.abs().max()))
    assert found.elsewhere.keys() == {
        "class token before the last block",
        "MLP of the last block",
        "class token's own value",
    }


def test_a_planted_high_norm_token_is_seen() -> None:
    network = random_network("scratch-vit")
    x = images_for(network, 1)
    body: Any = network.body

    def planted(module: Any, args: Any, output: torch.Tensor) -> torch.Tensor:
        changed = output.clone()
        changed[:, 1 + 17] *= 20
        return changed

    hook = body.blocks[-2].register_forward_hook(planted)
    weights = torch.ones(1, 1, 384, dtype=torch.float64)
    found = decompose(network, x, Weighting(weights, torch.zeros_like(weights)))
    hook.remove()
    assert found.high_norm is not None
    assert found.high_norm[0].nonzero().tolist() == [[1, 3]]
