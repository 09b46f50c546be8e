"""Whether a training may use bf16: only where the machine has it, and only after a look at the gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headtohead.core.errors import PrecisionError, UsageError
from headtohead.core.progress import Reporter

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from headtohead.training.network.classifier import Classifier

__all__ = ["checked_bf16", "pick_device"]

LEAST_COSINE = 0.95  # between gradients of both arithmetics: below, steps go elsewhere
# Wider than for frozen features: here the same arithmetic learns and predicts, so a small bias is learned away.
MOST_ERROR = 0.10


def pick_device(asked: str) -> torch.device:
    """Return the device: as asked, or for "auto" CUDA, then MPS, then the CPU."""
    import torch

    if asked != "auto":
        return torch.device(asked)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def has_bf16(device: torch.device) -> bool:
    """Return whether the device multiplies bf16 matrices in hardware."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))  # emulated, it saves no time
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False


def checked_bf16(net: Classifier, inputs: Tensor, targets: Tensor, asked: str, reporter: Reporter) -> bool:
    """Return whether to train under bf16 autocast.

    The features and the gradient of one batch are computed both ways. They must agree: relative
    error of the features at most 0.1, cosine of the gradients at least 0.95.

    Args:
        asked: "auto" goes back to fp32 where they disagree and says so, "bf16" makes that an error,
            "fp32" asks nothing.

    Raises:
        PrecisionError: bf16 was demanded and disagrees.
    """
    if asked not in ("auto", "fp32", "bf16"):
        raise UsageError(f"Got precision {asked!r}; expected auto, fp32 or bf16.")
    if asked == "fp32" or (asked == "auto" and not has_bf16(inputs.device)):
        return False
    error, cosine = _disagreement(net, inputs, targets)
    if error <= MOST_ERROR and cosine >= LEAST_COSINE:
        reporter.info(
            f"Trains in bf16: features differ by {error:.4f}, gradients have cosine {cosine:.4f} to fp32."
        )
        return True
    found = f"bf16 disagrees with fp32: features differ by {error:.3g}, gradients have cosine {cosine:.3f}"
    if asked == "bf16":
        raise PrecisionError(f"{found}. Use precision fp32 or auto for this backbone.")
    reporter.warning(f"{found}; trains in fp32.")
    return False


def _disagreement(net: Classifier, inputs: Tensor, targets: Tensor) -> tuple[float, float]:
    import torch

    was_training = net.training
    net.eval()  # dropout would draw otherwise in the second pass
    found = []
    for half in (False, True):
        with torch.autocast(inputs.device.type, dtype=torch.bfloat16, enabled=half):
            rows = net.backbone(inputs).float()
        loss = torch.nn.functional.cross_entropy(net.linear((rows - net.mean) / net.scale), targets)
        learning = [p for p in net.parameters() if p.requires_grad]
        parts = torch.autograd.grad(loss, learning, allow_unused=True)
        flat = torch.cat([g.flatten().float() for g in parts if g is not None])
        found.append((rows.detach().cpu().double(), flat.cpu().double()))  # MPS has no float64
    net.train(was_training)
    (rows, gradient), (half_rows, half_gradient) = found
    error = float((half_rows - rows).norm() / rows.norm().clamp_min(1e-12))
    cosine = float(torch.nn.functional.cosine_similarity(gradient, half_gradient, dim=0))
    return error, cosine
