"""Even out the ranges of a network's channels before INT8, without changing what it computes.

All channels of an activation share one INT8 scale, so a channel that stays small is coarse. Between
two layers with ReLU between them, dividing a channel by s in the first and multiplying its weights
by s in the second changes nothing in floats (Nagel et al. 2019, "Data-free quantization through
weight equalization and bias correction"; Xiao et al. 2023 balance the two sides with an exponent).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from training.network import LeafNet
from training.vision import SqueezeExcitation

BALANCE = 0.5  # 1 evens the activations alone, 0 leaves them; depthwise layers can always take 1
LOWEST = 0.02  # of the widest channel: a nearly dead one is not blown up beyond this

Layer = nn.Conv2d | nn.Linear


def equalise(net: LeafNet, pixels: Tensor) -> None:
    """Equalise a folded network in place. pixels: (n, 3, side, side) of typical photos, 0..255."""
    chain = list(pairs(net))
    ranges: dict[nn.Module, Tensor] = {}
    hooks = [first.register_forward_hook(_keep_range(ranges)) for first, _ in chain]
    with torch.no_grad():
        net(pixels)
        for hook in hooks:
            hook.remove()
        for first, readers in chain:
            spread = ranges[first] / ranges[first].max()
            depthwise = any(isinstance(r, nn.Conv2d) and r.groups > 1 for r in readers)
            scale = spread.clamp(min=LOWEST) ** (1.0 if depthwise else BALANCE)
            first.weight.div_(scale.view(-1, *[1] * (first.weight.dim() - 1)))
            assert first.bias is not None
            first.bias.div_(scale)
            for reader in readers:
                along = (-1, 1, 1, 1) if depthwise else (1, -1, *[1] * (reader.weight.dim() - 2))
                reader.weight.mul_(scale.view(*along))


def pairs(net: LeafNet) -> Iterator[tuple[Layer, tuple[Layer, ...]]]:
    """Each layer with those that read it through nothing but ReLU and pooling.

    What a squeeze-and-excitation block is put on is read twice, by its first layer and, times the
    gate, by the projection; the gate itself stays as it was.
    """
    blocks = list(net.net.features)
    layers = [_convolutions(block) for block in blocks]
    yield layers[0][0], (layers[1][0],)  # the stem feeds the first block alone
    for block, own in zip(blocks[1:-1], layers[1:-1], strict=True):
        gates = [m for m in block.modules() if isinstance(m, SqueezeExcitation)]
        for first, second in pairwise(own):
            reads_too = [gate.fc1 for gate in gates if second is own[-1]]
            yield first, (second, *reads_too)
        for gate in gates:
            yield gate.fc1, (gate.fc2,)
    hidden, last = (layer for layer in net.net.classifier if isinstance(layer, nn.Linear))
    yield layers[-1][0], (hidden,)
    yield hidden, (last,)


def _convolutions(block: nn.Module) -> list[nn.Conv2d]:
    """Those of a block in their order, without the ones inside squeeze-and-excitation."""
    inside = {
        layer for m in block.modules() if isinstance(m, SqueezeExcitation) for layer in m.modules()
    }
    return [m for m in block.modules() if isinstance(m, nn.Conv2d) and m not in inside]


def _keep_range(ranges: dict[nn.Module, Tensor]):  # type: ignore[no-untyped-def]
    def hook(layer: nn.Module, _inputs: tuple[Tensor], output: Tensor) -> None:
        positive = output.relu()
        per_photo = positive.amax((2, 3)) if positive.dim() == 4 else positive
        ranges[layer] = per_photo.quantile(0.98, dim=0).clamp(min=1e-6)

    return hook
