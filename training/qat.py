"""Quantisation-aware training (QAT): INT8 rounding in the forward pass, none in the backward.

The network learns to live with the rounding that `training.export.write_int8` will do (Jacob et al.
2018, "Quantization and training of neural networks for efficient integer-arithmetic-only
inference"; gradients pass straight through). Torch's own fake quantisation does the arithmetic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from training.network import LeafNet
from training.vision import InvertedResidual

OUTLIERS = 1e-5  # share of an activation's values beyond its range, as `export.PERCENTILE` leaves


@contextmanager
def fake_quantised(net: LeafNet, pixels: Tensor) -> Iterator[None]:
    """Within the block a folded network rounds its weights and activations as INT8 will.

    pixels: (n, 3, side, side), 0..255, of typical photos; they give the activations' ranges. The
    head's activations are left alone: rounding them was seen to change nothing.
    """
    scales = _scales(net, pixels)
    hooks = [layer.register_forward_hook(_round(*scale)) for layer, scale in scales.items()]
    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    for layer in layers:
        parametrize.register_parametrization(layer, "weight", RoundedWeight())
    try:
        yield
    finally:
        for layer in layers:
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
        for hook in hooks:
            hook.remove()


class RoundedWeight(nn.Module):
    """A layer's weight as signed bytes, one scale for each output channel."""

    def forward(self, weight: Tensor) -> Tensor:
        scale = weight.detach().abs().flatten(1).amax(1).clamp(min=1e-12) / 127
        zero = torch.zeros_like(scale, dtype=torch.int32)
        return torch.fake_quantize_per_channel_affine(weight, scale, zero, 0, -127, 127)


def _rounded_layers(net: LeafNet) -> Iterator[nn.Module]:
    """Those after whose output ONNX Runtime's quantizer puts a rounding."""
    for module in net.net.features.modules():
        adds = isinstance(module, InvertedResidual) and module.use_res_connect
        projects = (
            isinstance(module, nn.Sequential)
            and isinstance(module[0], nn.Conv2d)
            and not isinstance(module[-1], nn.ReLU)
        )
        if adds or projects or isinstance(module, nn.ReLU):
            yield module


def _scales(net: LeafNet, pixels: Tensor) -> dict[nn.Module, tuple[float, int]]:
    """Scale and zero point of each rounded activation: unsigned bytes, percentile ranges."""
    ends: dict[nn.Module, list[tuple[float, float]]] = defaultdict(list)

    def look(layer: nn.Module, _inputs: tuple[Tensor], output: Tensor) -> None:
        values = output.flatten()
        count = max(1, round(values.numel() * OUTLIERS))
        high, low = values.topk(count).values[-1], values.topk(count, largest=False).values[-1]
        ends[layer].append((min(float(low), 0.0), max(float(high), 1e-6)))

    hooks = [layer.register_forward_hook(look) for layer in _rounded_layers(net)]
    with torch.no_grad():
        for start in range(0, len(pixels), 32):
            net.eval()(pixels[start : start + 32])
    for hook in hooks:
        hook.remove()
    scales = {}
    for layer, seen in ends.items():
        low, high = (sum(side) / len(seen) for side in zip(*seen, strict=True))
        scale = (high - low) / 255
        scales[layer] = (scale, round(-low / scale))
    return scales


def _round(scale: float, zero: int):  # type: ignore[no-untyped-def]
    def hook(_layer: nn.Module, _inputs: tuple[Tensor], output: Tensor) -> Tensor:
        return torch.fake_quantize_per_tensor_affine(output, scale, zero, 0, 255)

    return hook
