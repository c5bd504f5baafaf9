"""Fine-tune teachers, distil the student from them, then teach it to live with INT8.

Every epoch can be resumed.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import click
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from inference.labels import LABELS
from inference.picture import Pixels, square
from training import further
from training.data import CLASSES, Photo, select
from training.equalise import equalise
from training.network import LeafNet, fold, initialise, integer_friendly
from training.qat import fake_quantised
from training.sampling import Epoch, draw_epoch, load_pixels

TEMPERATURE = 2.0  # of the distillation; softer targets tell which mistakes are near


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run; saved with its result."""

    init: str = "imagenet"
    seed: int = 0
    teachers: int = 2
    teacher_epochs: int = 16  # of each
    student_epochs: int = 20
    qat_epochs: int = 3
    pictures: int = 2560  # an epoch
    batch: int = 64
    side: int = 192  # that is trained at
    small_side: int = 160  # the first half of the teacher's epochs: quicker, and a regulariser
    served_side: int = 224  # of the graph: training's crops enlarge leaves, so the whole photo has
    # to be larger for them to look the same (Touvron et al. 2019, "Fixing the train-test
    # resolution discrepancy")
    rate: float = 1.5e-3
    qat_rate: float = 1e-4
    weight_decay: float = 0.02
    excitation: bool = False
    without_field: bool = False
    without_noise: bool = False
    head_pictures: int = 12_000  # where it goes on from an installed model (`training.further`)
    head_epochs: int = 6
    head_rate: float = 1e-3

    def photos(self, photos: list[Photo]) -> list[Photo]:
        """The photos that this run may learn from."""
        chosen = select(photos, "train")
        return [p for p in chosen if not (self.without_field and p.pool == "field")]


@dataclass(frozen=True)
class Workshop:
    """What all stages work with."""

    photos: list[Photo]
    pixels: list[Pixels]
    watch: Watch
    folder: Path
    device: str
    learnt: str  # digest of the photos; other photos make another training

    def keep(self, state: dict[str, Any], path: Path) -> None:
        _save(state, path)


def photos_digest(photos: Sequence[Photo]) -> str:
    """Tells one set of photos and labels from another, wherever the folder lies."""
    rows = [f"{p.group} {p.path.name} {p.target}" for p in photos]
    return hashlib.sha256("\n".join((*CLASSES, *rows)).encode()).hexdigest()


def train(recipe: Recipe, photos: list[Photo], folder: Path, device: str = "cpu") -> LeafNet:
    """Teachers, student, quantisation-aware student; checkpoints and the log go to `folder`.

    Returns the student, folded and with its channels evened out (`training.equalise`). Without
    teacher epochs it learns from the labels alone. Where `init` is an installed model, that one's
    head learns on instead (`training.further`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    learning = recipe.photos(photos)
    pixels = load_pixels(learning)
    watch = Watch(list(select(photos, "validation")), recipe.served_side, device)
    shop = Workshop(learning, pixels, watch, folder, device, photos_digest(learning))
    if further.is_model(recipe.init):
        student = further.teach_head(recipe, shop)
        recipe = replace(
            recipe,
            init=f"leaf model {further.read_model(Path(recipe.init))['version']}",
            teachers=0, student_epochs=0, qat_epochs=0,
        )  # fmt: skip
    else:
        student = _from_the_start(recipe, shop)
        recipe = replace(recipe, head_pictures=0, head_epochs=0)
    torch.save(student.state_dict(), folder / "student.pt")
    (folder / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1))
    return student


def _from_the_start(recipe: Recipe, shop: Workshop) -> LeafNet:
    pixels, device = shop.pixels, shop.device
    teachers = [_teacher(number, recipe, shop) for number in range(recipe.teachers)]
    student = integer_friendly(teachers[0], _sample(pixels, recipe.side, device), recipe.excitation)
    guide = Teachers(teachers).eval() if recipe.teacher_epochs else None
    _run(Stage("student", recipe, recipe.student_epochs), student, guide, shop)

    student = fold(student).to(device)
    typical = _sample(pixels, recipe.served_side, device)
    equalise(student, typical)
    with fake_quantised(student, typical):
        _run(Stage("qat", recipe, recipe.qat_epochs), student, guide, shop)
    return student


class Teachers(nn.Module):
    """Networks that are asked together: the mean of their logits."""

    def __init__(self, nets: list[LeafNet]) -> None:
        super().__init__()
        self.nets = nn.ModuleList(nets)

    def forward(self, pixels: Tensor) -> Tensor:
        return torch.stack([net(pixels) for net in self.nets]).mean(0)


def _teacher(number: int, recipe: Recipe, shop: Workshop) -> LeafNet:
    """One of the teachers, with a seed that no run of another seed uses."""
    own = replace(recipe, seed=recipe.seed * recipe.teachers + number)
    torch.manual_seed(own.seed)
    teacher = LeafNet()
    initialise(teacher, recipe.init)
    _run(Stage("teacher", own, recipe.teacher_epochs, number), teacher, None, shop)
    return teacher


def load_student(recipe: Recipe, folder: Path) -> LeafNet:
    """The folded student that `train` left in `folder`."""
    student = further.blank(recipe)
    student.load_state_dict(
        torch.load(folder / "student.pt", weights_only=True, map_location="cpu")
    )
    return student.eval()


@dataclass(frozen=True)
class Stage:
    """One of the trainings and its schedule."""

    name: Literal["teacher", "student", "qat"]
    recipe: Recipe
    epochs: int
    number: int = 0  # of several teachers

    @property
    def title(self) -> str:
        """Names its checkpoint and its lines in the log."""
        return f"teacher-{self.number + 1}" if self.name == "teacher" else self.name

    @property
    def key(self) -> str:
        """What a checkpoint must agree with to be gone on from: all that its stage depends on."""
        recipe = self.recipe
        if self.name != "qat":
            recipe = replace(recipe, qat_epochs=0, qat_rate=0)
        if self.name == "teacher":
            recipe = replace(recipe, teachers=0, student_epochs=0, excitation=False, served_side=0)
        return repr(recipe)

    @property
    def salt(self) -> int:
        """Keeps the stages' random pictures apart."""
        return {"teacher": 0, "student": 1000, "qat": 2000}[self.name]

    def side(self, epoch: int) -> int:
        """Small pictures first, the served size last."""
        progress = epoch / self.epochs
        if self.name == "teacher":
            return self.recipe.small_side if progress < 0.5 else self.recipe.side
        late = self.name == "qat" or progress >= 0.7
        return self.recipe.served_side if late else self.recipe.side

    def rate_at(self, progress: float) -> float:
        """Linear warm-up over the first twentieth, then a cosine to almost nothing."""
        peak = self.recipe.qat_rate if self.name == "qat" else self.recipe.rate
        warm = min(1.0, progress / 0.05)
        return peak * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


class Watch:
    """Validation during training: a glance, not the evaluation."""

    def __init__(self, photos: list[Photo], side: int, device: str) -> None:
        squares = [square(p, side)[..., :3] for p in load_pixels(photos)]
        self.pixels = torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2)
        self.targets = np.array([p.target for p in photos])
        self.pools = np.array([p.pool for p in photos])
        self.device = device

    def look(self, net: nn.Module) -> dict[str, float]:
        """Accuracy among the five on leaves and field; how far `none` lies apart (AUROC)."""
        net.eval()
        logits = predict(net, self.pixels, self.device)
        best = logits[:, : len(LABELS)].argmax(1)
        none = logits.softmax(1)[:, len(LABELS) :].sum(1).numpy()
        known = self.targets < len(LABELS)
        pairs = none[~known][:, None] > none[known][None]
        right = best.numpy() == self.targets
        seen = {
            f"{pool}": float(right[self.pools == pool].mean())
            for pool in ("leaves", "field")
            if (self.pools == pool).any()
        }
        return {**seen, "auroc": float(pairs.mean()) if pairs.size else math.nan}


def predict(net: nn.Module, pixels: Tensor, device: str = "cpu") -> Tensor:
    """Logits for uint8 pictures (n, 3, side, side), in batches."""
    with torch.inference_mode():
        return torch.cat([net(part.to(device).float()).cpu() for part in _parts(pixels)])


def _parts(pixels: Tensor) -> Iterator[Tensor]:
    return (pixels[start : start + 64] for start in range(0, len(pixels), 64))


def _sample(pixels: list[Pixels], side: int, device: str) -> Tensor:
    """Some of the photos as they are, evenly from all kinds: (about 128, 3, side, side)."""
    some = [square(p, side)[..., :3] for p in pixels[:: max(1, len(pixels) // 128)]]
    return torch.from_numpy(np.stack(some)).permute(0, 3, 1, 2).float().to(device)


def _run(stage: Stage, net: LeafNet, teacher: Teachers | None, shop: Workshop) -> None:
    """Train `net` in place; it ends with the moving average of its weights."""
    recipe, checkpoint = stage.recipe, shop.folder / f"{stage.title}.checkpoint.pt"
    key = f"{stage.key} {shop.learnt}"
    net.to(shop.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), recipe.rate, weight_decay=recipe.weight_decay)
    first = _resume(checkpoint, key, net, average, optimiser)
    steps = math.ceil(recipe.pictures / recipe.batch)
    for epoch in range(first, stage.epochs):
        started = time.monotonic()
        items = draw_epoch(
            shop.photos, recipe.pictures, np.random.default_rng((recipe.seed, epoch))
        )
        salt = stage.salt + epoch
        torch.manual_seed(recipe.seed * 10_000 + salt)  # dropout, also after going on
        data = Epoch(
            items,
            shop.pixels,
            stage.side(epoch),
            (recipe.seed, salt),
            noise=not recipe.without_noise,
        )
        net.train()
        losses = []
        with click.progressbar(
            _batches(data, recipe.batch), steps, label=f"{stage.title} {epoch + 1}/{stage.epochs}"
        ) as bar:
            for step, (batch, targets) in enumerate(bar):
                rate = stage.rate_at((epoch + step / steps) / stage.epochs)
                for group in optimiser.param_groups:
                    group["lr"] = rate
                inputs = batch.to(shop.device).float().contiguous(memory_format=torch.channels_last)
                loss = _loss(net, teacher, inputs, targets.to(shop.device))
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                _follow(average, net, min(0.99, (1 + epoch * steps + step) / 30))
                losses.append(loss.item())
        _save(
            {
                "stage": key,
                "epoch": epoch + 1,
                "net": net.state_dict(),
                "average": average.state_dict(),
                "optimiser": optimiser.state_dict(),
            },
            checkpoint,
        )
        seen = "  ".join(f"{k} {v:.3f}" for k, v in shop.watch.look(average).items())
        click.echo(
            f"{stage.title} {epoch + 1}/{stage.epochs}  loss {np.mean(losses):.3f}  {seen}  "
            f"{time.monotonic() - started:.0f} s"
        )
    net.load_state_dict(average.state_dict())


def _save(state: dict[str, Any], path: Path) -> None:
    """Whole or not at all: whoever is stopped while writing goes on from the epoch before."""
    beside = path.with_suffix(".new")
    torch.save(state, beside)
    beside.replace(path)


def _resume(
    checkpoint: Path, key: str, net: LeafNet, average: LeafNet, optimiser: torch.optim.Optimizer
) -> int:
    if not checkpoint.is_file():
        return 0
    saved = torch.load(checkpoint, weights_only=True, map_location="cpu")
    if saved["stage"] != key:
        return 0
    net.load_state_dict(saved["net"])
    average.load_state_dict(saved["average"])
    optimiser.load_state_dict(saved["optimiser"])
    return int(saved["epoch"])


def _batches(data: Epoch, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    return iter(DataLoader(data, size, num_workers=1, prefetch_factor=4))


def _loss(net: LeafNet, teacher: Teachers | None, inputs: Tensor, targets: Tensor) -> Tensor:
    logits = net(inputs)
    hard = functional.cross_entropy(logits, targets, label_smoothing=0.05 if not teacher else 0.0)
    if teacher is None:
        return hard
    with torch.no_grad():
        wanted = teacher(inputs)
    soft = functional.kl_div(
        (logits / TEMPERATURE).log_softmax(1),
        (wanted / TEMPERATURE).log_softmax(1),
        log_target=True,
        reduction="batchmean",
    )
    return 0.4 * hard + 0.6 * TEMPERATURE**2 * soft


def _follow(average: nn.Module, net: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for old, new in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
            if old.is_floating_point():
                old.lerp_(new, 1 - decay)
            else:
                old.copy_(new)
