"""The networks: stock MobileNetV3-Small as teacher, its integer-friendly twin as student."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from inference.preprocess import PIXEL_MEAN, PIXEL_STD
from training.data import CLASSES, DataError
from training.vision import SqueezeExcitation, mobilenet_v3_small

IMAGENET_MEAN = torch.tensor([0.485, 0.456, 0.406]) * 255
IMAGENET_STD = torch.tensor([0.229, 0.224, 0.225]) * 255
BATCHNORM_MOMENTUM = 0.1  # torchvision's 0.01 is too slow for a few hundred steps


class LeafNet(nn.Module):
    """Pixels 0..255, (batch, 3, side, side), to logits over CLASSES; `features` are its map.

    All channels share one mean and deviation, because the padding of an INT8 convolution is the
    input's zero point: one number for all channels. So the exported graph pads as training did.
    """

    def __init__(self) -> None:
        super().__init__()
        self.net = mobilenet_v3_small(num_classes=len(CLASSES))
        self.net.classifier[2] = nn.Dropout(0.2)  # torchvision's is in place, which ReLU forbids
        for module in self.net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = BATCHNORM_MOMENTUM

    def features(self, pixels: Tensor) -> Tensor:
        """The last convolution's activations, (batch, 576, side / 32, side / 32)."""
        out: Tensor = self.net.features((pixels - PIXEL_MEAN) / PIXEL_STD)
        return out

    def head(self, features: Tensor) -> Tensor:
        """Logits from a feature map."""
        out: Tensor = self.net.classifier(features.mean((2, 3)))
        return out

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self.features(pixels))


def initialise(net: LeafNet, init: str) -> None:
    """Load starting weights: "imagenet" (downloaded), "none", or a safetensors file.

    Raises DataError when a file is missing or lacks weights of the convolutional part.
    The weights expect ImageNet's mean and deviation for each channel; the first convolution and
    its BatchNorm are adjusted so that our one mean and deviation give the same activations.
    """
    if init == "none":
        return
    if init == "imagenet":
        state = mobilenet_v3_small(weights="IMAGENET1K_V1").state_dict()
    else:
        state = _weights(Path(init))
    own = net.net.state_dict()
    kept = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
    kept = {k: v for k, v in kept.items() if k in own and v.shape == own[k].shape}
    lacking = [k for k in own if k.startswith("features.") and k not in kept]
    if lacking := [k for k in lacking if not k.endswith("num_batches_tracked")]:
        raise DataError(
            f"--init {init}: no weights of MobileNetV3-Small; {len(lacking)} are missing, first "
            f"{lacking[0]}"
        )
    net.net.load_state_dict(kept, strict=False)
    conv, norm = net.net.features[0][0], net.net.features[0][1]
    with torch.no_grad():
        shift = (PIXEL_MEAN - IMAGENET_MEAN) / IMAGENET_STD
        norm.running_mean -= (conv.weight.sum((2, 3)) * shift).sum(1)
        conv.weight *= (PIXEL_STD / IMAGENET_STD)[None, :, None, None]


def _weights(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise DataError(f"--init {path}: {error}") from error


class Gate(nn.Module):
    """A squeeze-and-excitation block frozen to its mean gate, (1, channels, 1, 1)."""

    def __init__(self, gate: Tensor) -> None:
        super().__init__()
        self.scale = nn.Parameter(gate)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


def integer_friendly(teacher: LeafNet, pixels: Tensor, excitation: bool = False) -> LeafNet:
    """A copy of the teacher with ReLU for Hardswish and without squeeze-and-excitation.

    Both survive INT8 badly or run slowly in it. Each excitation block is replaced by its mean
    gate over `pixels`, which export folds into the weights; `excitation` keeps the blocks.
    """
    student = copy.deepcopy(teacher).eval()
    if not excitation:
        gates: dict[str, Tensor] = {}
        hooks = [
            module.register_forward_hook(_mean_gate(name, gates))
            for name, module in student.named_modules()
            if isinstance(module, SqueezeExcitation)
        ]
        with torch.no_grad():
            student(pixels)
        for hook in hooks:
            hook.remove()
        _replace(student, SqueezeExcitation, lambda name, _: Gate(gates[name]))
    _replace(student, nn.Hardswish, lambda _name, _module: nn.ReLU())
    return student


def _mean_gate(name: str, gates: dict[str, Tensor]):  # type: ignore[no-untyped-def]
    def hook(module: SqueezeExcitation, inputs: tuple[Tensor], _output: Tensor) -> None:
        gates[name] = module._scale(inputs[0]).mean(0, keepdim=True)

    return hook


def _replace(root: nn.Module, kind: type[nn.Module], make) -> None:  # type: ignore[no-untyped-def]
    for name, module in list(root.named_modules()):
        if isinstance(module, kind):
            parent, _, last = name.rpartition(".")
            setattr(root.get_submodule(parent), last, make(name, module))


def fold(net: LeafNet) -> LeafNet:
    """A copy with every BatchNorm and gate folded into its convolution. In evaluation mode.

    The biases that come of BatchNorm do not learn any more: torch freezes them, and letting them
    learn changed nothing on validation photos.
    """
    net = copy.deepcopy(net).eval().cpu()
    for module in list(net.modules()):
        if isinstance(module, nn.Sequential):
            _fold_sequence(module)
    return net


def _fold_sequence(layers: nn.Sequential) -> None:
    for i, (first, second) in enumerate(zip(layers, list(layers)[1:], strict=False)):
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
            layers[i], layers[i + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
        elif isinstance(first, Gate):
            assert isinstance(second, nn.Sequential)  # the projection that follows each gate
            projection = second[0]
            assert isinstance(projection, nn.Conv2d)
            with torch.no_grad():
                projection.weight.mul_(first.scale)
            layers[i] = nn.Identity()
