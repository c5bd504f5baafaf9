"""Teach an installed model more by its head alone: minutes of two cores instead of hours.

The convolutions stay as they are, so each picture goes through the graph once, and the head learns
from what came out of it. On photos that the convolutions never saw it buys most of what is to be
had: they tell more apart than the old head was asked to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from inference.card import GRAPH, ModelError, read_card
from inference.labels import LABELS
from training.data import CLASSES, DataError
from training.evaluate import open_graph
from training.network import LeafNet, fold, integer_friendly
from training.sampling import Epoch, draw_epoch

if TYPE_CHECKING:
    from training.train import Recipe, Workshop

KEPT_EVERY = 2048  # pictures; whoever is stopped goes on from there
BATCH = 256
TEMPERATURE = 2.0
OLD_WORD = 0.5  # weight of what the old head said of the five, beside that of the right answer


def is_model(init: str) -> bool:
    """Whether starting weights are an installed model."""
    return (Path(init) / GRAPH).is_file()


def read_model(folder: Path) -> dict[str, Any]:
    """Its card. Raises: DataError."""
    try:
        return read_card(folder)
    except ModelError as error:
        raise DataError(f"--init {folder}: {error}") from error


def teach_head(recipe: Recipe, shop: Workshop) -> LeafNet:
    """The model in the folder `recipe.init` as a folded student, its head taught on.

    Raises DataError when the model is damaged or its network is another.
    """
    folder = Path(recipe.init)
    card = read_model(folder)
    net = blank(recipe)
    read_back(net, folder / GRAPH)
    widen(net, card["outputs"])
    features, targets, said = _pictures(recipe, shop, folder, card)
    torch.manual_seed(recipe.seed)
    head = net.net.classifier
    optimiser = torch.optim.AdamW(
        head.parameters(), recipe.head_rate, weight_decay=recipe.weight_decay
    )
    steps = recipe.head_epochs * math.ceil(len(features) / BATCH)
    step = 0
    head.train()
    for epoch in range(recipe.head_epochs):
        losses = []
        for rows in torch.split(torch.randperm(len(features)), BATCH):
            for group in optimiser.param_groups:
                group["lr"] = recipe.head_rate * _rate(step, steps)
            loss = _loss(head(features[rows]), targets[rows], said[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(loss.item())
            step += 1
        click.echo(f"head {epoch + 1}/{recipe.head_epochs}  loss {np.mean(losses):.3f}")
    return net.eval()


def _rate(step: int, steps: int) -> float:
    """Linear warm-up over the first twenty steps, then a cosine to almost nothing."""
    cosine = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps))
    return min(1.0, (1 + step) / 20) * cosine


def _loss(logits: Tensor, targets: Tensor, said: Tensor) -> Tensor:
    """What is right, and for photos of the five what the old head said of them: without it the
    new one is less sure of known leaves."""
    loss = functional.cross_entropy(logits, targets)
    known = targets < len(LABELS)
    if not known.any():
        return loss
    old = functional.kl_div(
        (logits[known, : len(LABELS)] / TEMPERATURE).log_softmax(1),
        (said[known] / TEMPERATURE).log_softmax(1),
        log_target=True,
        reduction="batchmean",
    )
    return loss + OLD_WORD * TEMPERATURE**2 * old


def _pictures(
    recipe: Recipe, shop: Workshop, folder: Path, card: dict[str, Any]
) -> tuple[Tensor, Tensor, Tensor]:
    """Pooled features, classes and the old logits of the five, of all training pictures."""
    key = f"{recipe} {card['sha256']} {shop.learnt}"
    path = shop.folder / "head.checkpoint.pt"
    saved = torch.load(path, weights_only=True) if path.is_file() else {}
    if saved.get("key") != key:
        saved = {"key": key, "features": torch.empty(0, 0), "targets": [], "said": []}
    parts = [saved["features"]] if len(saved["targets"]) else []
    targets, said = list(saved["targets"]), list(saved["said"])
    items = draw_epoch(shop.photos, recipe.head_pictures, np.random.default_rng(recipe.seed))
    data = Epoch(
        items, shop.pixels, card["side"], (recipe.seed, 3000), noise=not recipe.without_noise
    )
    order = [card["labels"].index(label) for label in LABELS]
    session = open_graph(folder / GRAPH)
    with click.progressbar(length=len(items), label="pictures") as bar:
        bar.update(len(targets))
        while len(targets) < len(items):
            some = range(len(targets), min(len(targets) + KEPT_EVERY, len(items)))
            rows = []
            for picture, target in _loaded(data, some):
                pooled, logits = _run(session, picture)
                rows.append(pooled)
                targets.append(target)
                said.append([float(logits[i]) for i in order])
                bar.update(1)
            parts.append(torch.stack(rows))
            saved = {"key": key, "features": torch.cat(parts), "targets": targets, "said": said}
            shop.keep(saved, path)
    return saved["features"], torch.tensor(saved["targets"]), torch.tensor(saved["said"])


def _loaded(data: Epoch, some: Sequence[int]) -> Any:
    part = torch.utils.data.Subset(data, some)
    return iter(DataLoader(part, batch_size=None, num_workers=1, prefetch_factor=16))


def _run(session: ort.InferenceSession, picture: Tensor) -> tuple[Tensor, Any]:
    """Pooled features and logits of a picture (3, side, side)."""
    square = functional.pad(picture.permute(1, 2, 0), (0, 1)).contiguous().numpy()
    features, logits = session.run(["features", "logits"], {"pixels": square[None]})
    return torch.from_numpy(features[0].mean((1, 2))), logits[0]


def blank(recipe: Recipe) -> LeafNet:
    """A folded student that has learnt nothing yet."""
    picture = torch.zeros(1, 3, recipe.side, recipe.side)
    return fold(integer_friendly(LeafNet(), picture, recipe.excitation))


def read_back(net: LeafNet, graph: Path) -> None:
    """Load the weights of an exported INT8 graph into a folded student; its outputs become those
    of the graph.

    Raises DataError when the graph is not of this network.
    """
    stored = {t.name: numpy_helper.to_array(t) for t in onnx.load(graph).graph.initializer}
    for number, layer in (("1", "classifier.0"), ("2", "classifier.3")):
        for part in ("quantized", "scale"):
            stored[f"layers.net.{layer}.weight_{part}"] = stored.pop(f"head_w{number}_{part}")
    last = net.net.classifier[3]
    outputs = len(stored["layers.net.classifier.3.weight_quantized"])
    net.net.classifier[3] = nn.Linear(last.in_features, outputs)
    state = {}
    for name, value in net.state_dict().items():
        whole = stored.get(f"layers.{name}_quantized")
        scale = stored.get(f"layers.{name}_scale", stored.get(f"layers.{name}_quantized_scale"))
        if whole is None and name.endswith(".bias"):
            state[name] = torch.zeros_like(value)  # what is all zero is not exported
            continue
        if whole is None or scale is None:
            raise DataError(f"{graph}: no weights of {name}; it was made for another network")
        read = whole.astype(np.float32) * scale.reshape(-1, *[1] * (whole.ndim - 1))
        state[name] = torch.from_numpy(read[:, : value.shape[1]] if value.ndim == 4 else read)
    net.load_state_dict(state)


def widen(net: LeafNet, outputs: Sequence[str]) -> None:
    """One output for each of CLASSES: those that the model has as they are, new ones as parts of
    its `none`, which comes last."""
    old = net.net.classifier[3]
    new = nn.Linear(old.in_features, len(CLASSES))
    shared = 1 + sum(name not in outputs for name in CLASSES)
    with torch.no_grad():
        for row, name in enumerate(CLASSES):
            known = outputs.index(name) if name in outputs else len(outputs) - 1
            new.weight[row], new.bias[row] = old.weight[known], old.bias[known]
            if known == len(outputs) - 1:
                new.bias[row] -= math.log(shared)
    net.net.classifier[3] = new
