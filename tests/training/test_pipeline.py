"""Prepare, train, quantise, evaluate, report, install: on drawn pictures, for a minute."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from inference.drawn import draw_leaf
from inference.model import FOLDER, GRAPH, Model, read_card
from inference.preprocess import decode_square
from training import __main__ as main_module
from training import train as train_module
from training.__main__ import MODEL_CARD, main
from training.card import write_card
from training.data import Photo, read_splits
from training.equalise import equalise, pairs
from training.evaluate import open_graph
from training.explain import compare
from training.network import LeafNet, fold, initialise, integer_friendly
from training.package import FLOAT_LAYERS, layer_kinds, read_recipe
from training.qat import fake_quantised
from training.targets import TARGETS, describe, failed_gates
from training.train import Recipe, Teachers, Workshop, load_student, photos_digest
from training.vision import SqueezeExcitation, mobilenet_v3_small

from .conftest import TINY, Everything, run

pytestmark = pytest.mark.timeout(300)  # trains, again and again
SIDE = 64


def test_every_command_explains_itself() -> None:
    for name in main.commands:
        assert run(name, "--help").exit_code == 0


def test_training_without_prepare_says_so(photos: Path, tmp_path: Path) -> None:
    done = run("train", "--data", photos, "--run", tmp_path, *TINY)
    assert done.exit_code == 1
    assert "prepare" in done.output


def test_a_finished_training_is_not_repeated(photos: Path, trained: Path) -> None:
    before = (trained / "student.pt").read_bytes()
    again = run("train", "--data", photos, "--run", trained, *TINY)
    assert again.exit_code == 0
    assert "loss" not in again.output
    assert torch.load(trained / "student.pt", weights_only=True).keys()
    assert len((trained / "student.pt").read_bytes()) == len(before)


def test_every_layer_runs_in_int8(trained: Path) -> None:
    kinds = layer_kinds(trained / "leaf.onnx")
    assert kinds["QLinearConv"] == 34
    assert kinds["QGemm"] == 2
    assert not set(FLOAT_LAYERS) & set(kinds)


def test_every_layer_of_the_shipped_graph_runs_in_int8() -> None:
    kinds = layer_kinds(FOLDER / GRAPH)
    assert kinds["QLinearConv"] == 34
    assert kinds["QGemm"] == 2
    assert not set(FLOAT_LAYERS) & set(kinds)


def test_the_model_card_in_docs_is_that_of_the_shipped_model(tmp_path: Path) -> None:
    write_card(read_card(FOLDER), tmp_path / "card.md")
    written = (tmp_path / "card.md").read_text("utf-8")
    assert written == (Path(main_module.__file__).parents[1] / MODEL_CARD).read_text("utf-8")


def logits(path: Path, square: np.ndarray) -> np.ndarray:
    out: np.ndarray = open_graph(path).run(["logits"], {"pixels": square[None]})[0][0]
    return out


def test_the_float_graph_is_the_network(trained: Path) -> None:
    square = decode_square(draw_leaf("maize_rust"), SIDE)
    net = load_student(read_recipe(trained), trained)
    pixels = torch.from_numpy(square[..., :3].copy()).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        wanted = net(pixels)[0].numpy()
    assert np.allclose(logits(trained / "float.onnx", square), wanted, atol=1e-3)


def test_the_int8_graph_follows_the_float_graph(trained: Path) -> None:
    squares = [decode_square(draw_leaf(k, 3), SIDE) for k in ("maize_rust", "bean_spot", "healthy")]
    wanted = np.array([logits(trained / "float.onnx", s) for s in squares])
    found = np.array([logits(trained / "leaf.onnx", s) for s in squares])
    assert np.abs(wanted - found).max() < 0.25 * max(np.ptp(wanted), 0.5)


def test_the_fourth_channel_says_nothing(trained: Path) -> None:
    square = decode_square(draw_leaf("maize_rust"), SIDE).copy()
    before = logits(trained / "leaf.onnx", square)
    square[..., 3] = 7
    assert np.array_equal(before, logits(trained / "leaf.onnx", square))


def test_folding_changes_nothing() -> None:
    torch.manual_seed(0)
    pixels = torch.rand(2, 3, SIDE, SIDE) * 255
    student = integer_friendly(LeafNet().eval(), pixels)
    student.train()
    student(pixels)
    student.eval()
    with torch.no_grad():
        assert torch.allclose(fold(student)(pixels), student(pixels), atol=1e-4)


@pytest.mark.parametrize("excitation", [False, True])
def test_equalising_changes_ranges_and_nothing_else(excitation: bool) -> None:
    torch.manual_seed(0)
    pixels = torch.rand(4, 3, SIDE, SIDE) * 255
    net = fold(integer_friendly(LeafNet().eval(), pixels, excitation))
    first, (second,) = next(pairs(net))
    with torch.no_grad():
        first.weight[0].mul_(50)
        for gate in (m for m in net.modules() if isinstance(m, SqueezeExcitation)):
            gate.fc1.weight.mul_(20)
            gate.fc2.weight.mul_(20)  # an untrained gate hardly moves
        before = net(pixels)
        equalise(net, pixels)
        assert torch.allclose(net(pixels), before, atol=1e-3 * float(before.abs().max()))
        widest = first.weight.abs().amax((1, 2, 3))
    assert widest[0] < 10 * widest.median()
    assert second.groups > 1


def test_rounding_is_int8s_and_leaves_no_trace() -> None:
    torch.manual_seed(0)
    pixels = torch.rand(4, 3, SIDE, SIDE) * 255
    student = integer_friendly(LeafNet().eval(), pixels)
    student.train()
    student(pixels)
    net = fold(student)
    names, before = list(net.state_dict()), net(pixels).detach()
    stem = net.net.features[0]
    with fake_quantised(net, pixels):
        weights = stem[0].weight.flatten(1)
        seen = stem((pixels - 116) / 58)
        rounded = net(pixels).detach()
        net.train()
        net(pixels).square().sum().backward()  # type: ignore[no-untyped-call]
        net.eval()
    steps = weights * (127 / weights.abs().amax(1, keepdim=True))
    assert torch.allclose(steps, steps.round(), atol=1e-3)
    assert len(seen.unique()) <= 256
    assert 0 < float((rounded - before).abs().max()) < 0.2 * float(before.abs().max())
    assert sorted(net.state_dict()) == sorted(names)
    assert torch.equal(net(pixels), before)
    weights_of = [p for name, p in net.named_parameters() if name.endswith("weight")]
    assert all(weight.grad is not None and weight.grad.any() for weight in weights_of)


def test_starting_weights_see_the_same_picture(tmp_path: Path) -> None:
    torch.manual_seed(0)
    stock = mobilenet_v3_small(num_classes=6).eval()
    save_file(stock.state_dict(), tmp_path / "start.safetensors")
    net = LeafNet().eval()
    initialise(net, str(tmp_path / "start.safetensors"))
    pixels = torch.rand(1, 3, 96, 96) * 255
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1) * 255
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1) * 255
    with torch.no_grad():
        ours, theirs = ((pixels - 116) / 58), ((pixels - mean) / std)
        for layer in range(2):  # the first convolution and its BatchNorm
            ours = net.net.features[0][layer](ours)
            theirs = stock.features[0][layer](theirs)
    assert torch.allclose(ours[..., 1:-1, 1:-1], theirs[..., 1:-1, 1:-1], atol=1e-4)


def test_weights_are_loaded_before_the_network_goes_to_its_device(
    trained: Path, tmp_path: Path
) -> None:
    """The meta device refuses to mix with the CPU's tensors, as a GPU does."""
    save_file(mobilenet_v3_small().state_dict(), tmp_path / "start.safetensors")
    recipe = Recipe(init=str(tmp_path / "start.safetensors"), teacher_epochs=0)
    shop = Workshop([], [], None, tmp_path, "meta", "")  # no epoch, no watching
    net = train_module._teacher(0, recipe, shop)
    assert {p.device.type for p in net.parameters()} == {"meta"}


def test_weights_of_another_network_are_refused(
    photos: Path, trained: Path, tmp_path: Path
) -> None:
    shutil.copyfile(trained / "splits.csv", tmp_path / "splits.csv")
    save_file({"conv.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    (tmp_path / "torn.safetensors").write_bytes(b"1234")
    for name, words in (
        ("other.safetensors", "no weights of MobileNetV3-Small"),
        ("torn.safetensors", "torn.safetensors"),
        ("gone.safetensors", "No such file"),
    ):
        done = run("train", "--data", photos, "--run", tmp_path, *TINY, "--init", tmp_path / name)
        assert done.exit_code == 1
        assert words in done.output


def test_grad_cam_in_numpy_is_autograd(trained: Path) -> None:
    net = load_student(read_recipe(trained), trained)
    found = compare(net, [decode_square(draw_leaf("bean_spot", seed), SIDE) for seed in range(2)])
    assert found["difference"] < 1e-4


@pytest.fixture
def evaluated(everything: Everything) -> str:
    return everything.said.output


def test_evaluation_prints_every_target(evaluated: str) -> None:
    for target in TARGETS:
        assert target.name in evaluated


def test_the_report_is_one_page_that_needs_no_other_file(trained: Path, evaluated: str) -> None:
    page = (trained / "report" / "report.html").read_text()
    assert page.count("data:image/png;base64") == 6
    assert 'src="http' not in page
    assert "href=" not in page
    assert (trained / "report" / "unknown_roc.png").stat().st_size > 5_000


def test_the_card_is_written_from_the_figures(
    trained: Path, evaluated: str, tmp_path: Path
) -> None:
    card = json.loads((trained / "leaf.json").read_text())
    write_card(card, tmp_path / "model-card.md")
    text = (tmp_path / "model-card.md").read_text()
    assert card["version"] in text
    assert "$" not in text
    assert f"{card['figures']['macro_f1_clean']}" in text


def twin(run_folder: Path, folder: Path, seed: int, helped: float, f1: float) -> Path:
    """An evaluated run as `run_folder`'s, with another seed and other figures."""
    card = json.loads((run_folder / "leaf.json").read_text())
    card["recipe"]["seed"] = seed
    card["validation"]["helped"] = helped
    card["figures"]["macro_f1_clean"] = f1
    folder.mkdir()
    (folder / "leaf.json").write_text(json.dumps(card))
    return folder


def test_the_run_to_ship_is_chosen_by_validation_alone(
    trained: Path, evaluated: str, tmp_path: Path
) -> None:
    worse_in_test = twin(trained, tmp_path / "one", 1, helped=0.9, f1=0.1)
    better_in_test = twin(trained, tmp_path / "two", 2, helped=0.8, f1=1.0)
    done = run("choose", better_in_test, worse_in_test)
    assert done.exit_code == 0
    assert done.output.splitlines()[-1] == f"best: {worse_in_test}"
    assert "f1" not in done.output
    untried = run("choose", worse_in_test, tmp_path)
    assert untried.exit_code == 1
    assert "run `evaluate` there first" in untried.output


def test_the_spread_is_over_runs_that_differ_by_their_seed_alone(
    photos: Path, trained: Path, evaluated: str, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    other_seed = twin(trained, tmp_path / "one", 1, helped=0.9, f1=0.5)
    other_recipe = twin(trained, tmp_path / "two", 2, helped=0.9, f1=0.5)
    card = json.loads((other_recipe / "leaf.json").read_text())
    card["recipe"]["without_noise"] = True
    (other_recipe / "leaf.json").write_text(json.dumps(card))
    beside = ("--beside", f"seed 1={other_seed}", "--beside", f"without noise={other_recipe}")
    done = run("evaluate", "--data", photos, "--run", folder, *beside)
    assert done.exit_code == 0, done.output
    figures = json.loads((folder / "leaf.json").read_text())["figures"]
    spread = figures["seeds"]["macro_f1_clean"]
    assert spread["runs"] == 2
    assert spread["mean"] == pytest.approx((figures["macro_f1_clean"] + 0.5) / 2, abs=1e-4)
    assert set(figures["beside"]) == {"seed 1", "without noise"}
    write_card(json.loads((folder / "leaf.json").read_text()), tmp_path / "card.md")
    assert "with their own seeds" in (tmp_path / "card.md").read_text()


def test_a_failed_gate_leaves_the_old_model(photos: Path, trained: Path, tmp_path: Path) -> None:
    shipped = tmp_path / "model"
    shipped.mkdir()
    (shipped / "leaf.onnx").write_bytes(b"old")
    done = run("evaluate", "--data", photos, "--run", trained, "--install", "--target", shipped)
    assert done.exit_code == 1
    assert "macro-F1 on leaves" in done.output
    assert (shipped / "leaf.onnx").read_bytes() == b"old"
    forced = run("evaluate", "--data", photos, "--run", trained, "--install", "--force",
                 "--target", shipped)  # fmt: skip
    assert forced.exit_code == 0
    model = Model.load(shipped)
    model.self_check()
    assert model.card["gates_failed"]
    assert model.judge(draw_leaf("maize_rust")).label is not None


def test_teachers_differ_and_are_asked_together(trained: Path) -> None:
    nets = []
    for name in ("teacher-1", "teacher-2"):
        saved = torch.load(trained / f"{name}.checkpoint.pt", weights_only=True)
        nets.append(LeafNet())
        nets[-1].load_state_dict(saved["average"])
    picture = torch.full((1, 3, 64, 64), 90.0)
    asked = Teachers(nets).eval()
    with torch.no_grad():
        one, two = (net(picture) for net in nets)
        assert not torch.allclose(one, two)
        assert torch.allclose(asked(picture), (one + two) / 2)


def test_training_can_be_interrupted(photos: Path, trained: Path, tmp_path: Path) -> None:
    """A run stopped after its teachers ends with the same student as one that was not."""
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("splits.csv", "teacher-1.checkpoint.pt", "teacher-2.checkpoint.pt"):
        shutil.copyfile(trained / name, folder / name)
    done = run("train", "--data", photos, "--run", folder, *TINY)
    assert done.exit_code == 0
    assert "teacher" not in done.output
    one, two = (
        torch.load(f / "student.pt", weights_only=True)["net.features.0.0.weight"]
        for f in (trained, folder)
    )
    assert torch.allclose(one, two, atol=1e-5)


def stopped_after(epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training stops as a killed process does, when the checkpoint of so many epochs is there."""
    saved, save = [], train_module._save

    def stop(state: dict[str, Any], path: Path) -> None:
        save(state, path)
        saved.append(path)
        if len(saved) == epochs:
            raise KeyboardInterrupt

    monkeypatch.setattr(train_module, "_save", stop)


def test_training_goes_on_within_a_stage(
    photos: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after the first of a teacher's two epochs, it learns in the second what it would."""
    short = (*TINY, "--teachers", "1", "--teacher-epochs", "2", "--student-epochs", "0",
             "--qat-epochs", "0")  # fmt: skip
    nets = []
    for name, stop in (("whole", False), ("stopped", True)):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copyfile(trained / "splits.csv", folder / "splits.csv")
        arguments = ("train", "--data", photos, "--run", folder, *short)
        if stop:
            with monkeypatch.context() as patch:
                stopped_after(1, patch)
                assert run(*arguments).exit_code == 1
        done = run(*arguments)
        assert done.exit_code == 0, done.output
        assert ("1/2  loss" in done.output) is not stop
        nets.append(torch.load(folder / "teacher-1.checkpoint.pt", weights_only=True)["average"])
    assert all(torch.allclose(nets[0][k], nets[1][k], atol=1e-5) for k in nets[0])


def test_other_photos_make_another_training(photos: Path, trained: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(photos, tmp_path / "photos"))
    before = [p for p in read_splits(photos, trained / "splits.csv") if p.split == "train"]
    assert photos_digest(before) == photos_digest(
        [replace(p, path=folder / p.path.relative_to(photos)) for p in before]
    )
    assert photos_digest(before) != photos_digest(before[1:])
    assert photos_digest(before) != photos_digest([replace(before[0], kind="healthy"), *before[1:]])


def test_everything_in_one_command_and_nothing_installed_that_fails(
    everything: Everything, photos: Path, tmp_path: Path
) -> None:
    assert everything.said.exit_code == 1
    assert "macro-F1 on leaves" in everything.said.output.splitlines()[-1]
    assert not everything.target.exists()
    assert not everything.card.exists()
    folder = shutil.copytree(everything.run, tmp_path / "run")
    card, target = tmp_path / "card.md", tmp_path / "model"
    forced = run("all", "--data", photos, "--run", folder, *TINY, "--target", target,
                 "--card", card, "--force")  # fmt: skip
    assert forced.exit_code == 0, forced.output
    assert "loss" not in forced.output  # it is the same training
    assert Model.load(target).card["version"] in card.read_text()


def test_step_by_step_comes_out_as_all_at_once(photos: Path, trained: Path, tmp_path: Path) -> None:
    of_later_steps = shutil.ignore_patterns("splits.csv", "*.onnx", "leaf.json", "report")
    folder = Path(shutil.copytree(trained, tmp_path / "run", ignore=of_later_steps))
    for command, options in (("prepare", ()), ("train", TINY), ("quantise", ())):
        done = run(command, "--data", photos, "--run", folder, *options)
        assert done.exit_code == 0, done.output
        assert "loss" not in done.output  # it was trained on the same photos
    assert (folder / "splits.csv").read_text() == (trained / "splits.csv").read_text()
    square = decode_square(draw_leaf("bean_spot", 5), SIDE)
    here, there = (logits(path / "leaf.onnx", square) for path in (folder, trained))
    assert np.array_equal(here, there)


def test_photos_without_any_from_the_field_are_measured_and_not_installed(
    photos: Path, trained: Path, tmp_path: Path
) -> None:
    """As `download` writes them: the gates on field photos are not passed by not being asked."""
    folder = Path(shutil.copytree(trained, tmp_path / "run"))
    rows = (folder / "splits.csv").read_text().splitlines()
    (folder / "splits.csv").write_text("\n".join(r for r in rows if ",field," not in r) + "\n")
    done = run("evaluate", "--data", photos, "--run", folder, "--install", "--target",
               tmp_path / "model")  # fmt: skip
    assert done.exit_code == 1
    assert "not measured field photos, blight" in done.output.splitlines()[-1]
    figures = json.loads((folder / "leaf.json").read_text())["figures"]
    assert math.isnan(figures["ece_field"])
    assert figures["grad_cam"]["difference"] < 1e-4


def test_what_an_earlier_evaluation_was_told_stays(
    photos: Path, trained: Path, evaluated: str, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(trained, tmp_path / "run"))
    speed = tmp_path / "speed.json"
    speed.write_text(json.dumps({"session, ms": [1.0, 2.0]}))
    other = twin(trained, tmp_path / "one", 1, helped=0.9, f1=0.5)
    told = ("--benchmark", speed, "--beside", f"seed 1={other}")
    for command, options in (("evaluate", told), ("report", ())):
        assert run(command, "--data", photos, "--run", folder, *options).exit_code == 0
        figures = json.loads((folder / "leaf.json").read_text())["figures"]
        assert figures["speed"]["session, ms"]["ratio"] == 0.5
        assert set(figures["beside"]) == {"seed 1"}
        assert figures["seeds"]["macro_f1_clean"]["runs"] == 2


def test_a_figure_not_measured_is_no_failure_and_no_success() -> None:
    figures = {"bytes": 1_200_000, "float_layers": 0, "macro_f1_clean": 0.5}
    states = {t.name: t.state(figures) for t in TARGETS}
    assert states["size of the model file, MB"] == "aim"
    assert states["macro-F1 on leaves, clean"] == "missed"
    assert states["session time, ratio"] == "not measured"
    failed = failed_gates(figures)
    assert describe(TARGETS[7], figures) in failed
    assert all(
        text.startswith("not measured")
        for text in failed
        if "macro-F1 on leaves, clean" not in text
    )
    assert not any("size of" in text or "session time" in text for text in failed)


def test_field_photos_can_be_left_out() -> None:
    photos = [
        Photo(Path("a"), "maize_rust", "field", "g", "train"),
        Photo(Path("b"), "maize_rust", "leaves", "h", "train"),
        Photo(Path("c"), "maize_rust", "leaves", "i", "test"),
    ]
    assert [p.pool for p in Recipe().photos(photos)] == ["field", "leaves"]
    assert [p.pool for p in Recipe(without_field=True).photos(photos)] == ["leaves"]
