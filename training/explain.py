"""Is the numpy Grad-CAM of `inference` what autograd gives, and what does it cost?"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch

from inference.attention import Array, Head
from inference.labels import LABELS
from inference.picture import Pixels
from training.network import LeafNet


def float_head(net: LeafNet) -> Head:
    """The trained head in numpy, before quantisation."""
    first, last = net.net.classifier[0], net.net.classifier[3]
    return Head(*(layer.weight.detach().cpu().numpy() for layer in (first, last)))


def autograd_cam(net: LeafNet, features: torch.Tensor, target: int) -> Array:
    """Grad-CAM of a logit by autograd, (rows, columns). features: (1, channels, rows, columns)."""
    features = features.detach().requires_grad_()
    net.head(features)[0, target].backward()  # type: ignore[no-untyped-call]
    assert features.grad is not None
    alpha = features.grad.mean((2, 3), keepdim=True)
    cam: Array = (alpha * features).sum(1).relu()[0].detach().numpy()
    return cam


def compare(net: LeafNet, squares: Sequence[Pixels]) -> dict[str, float]:
    """Largest difference to autograd over pictures and classes, relative to each map's peak, and
    the median milliseconds of the numpy map."""
    net = net.eval()
    head, differences, times = float_head(net), [], []
    for square in squares:
        pixels = torch.from_numpy(square[..., :3].copy()).permute(2, 0, 1)[None].float()
        with torch.no_grad():
            features = net.features(pixels)
            hidden = net.net.classifier[:2](features.mean((2, 3)))[0].numpy()
        stored = features[0].numpy()
        for target in range(len(LABELS)):
            wanted = autograd_cam(net, features, target)
            started = time.process_time()
            cam = head.grad_cam(stored, hidden, target)
            times.append(time.process_time() - started)
            differences.append(float(np.abs(cam - wanted).max()) / max(float(wanted.max()), 1e-6))
    return {"difference": max(differences), "ms": float(np.median(times)) * 1000}
