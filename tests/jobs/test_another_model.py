"""A case that is open while the model is replaced, and what deciding needs of a model at all."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select

from gateway.cases import intake, life
from gateway.context import Context
from gateway.jobs import photos, sweeps_cases
from gateway.store.base import now
from gateway.store.models import Case, Diagnosis, Message, Photo
from inference.model import Model
from rig import newer_model
from rig.desk import leaf
from rig.things import FARMER, kiosk

LABEL = "sorghum_smut"


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("newer")
    newer_model.write(folder, LABEL)
    return folder


@pytest.fixture
def keeper(any_context: Context) -> int:
    return kiosk(any_context.store)[0].id


def upgraded(context: Context, folder: Path) -> Context:
    """The same house, started again with another model."""
    return replace(context, settings=context.settings.model_copy(update={"model": folder}))


def hand_in(context: Context, keeper: int, photo: bytes, following: int = 0, case: str = "") -> int:
    upload = intake.Upload(
        photo, f"kiosk:{keeper}", None if case else FARMER, crop="maize",
        case=case or None, kiosk_id=keeper, following=following,
    )  # fmt: skip
    return intake.accept(context.store, context.photos, upload).photo_id


def the_case(context: Context) -> Case:
    with context.store.reading() as session:
        return session.scalars(select(Case)).one()


def said(context: Context) -> list[tuple[str, int]]:
    """(model, number of labels) of every stored verdict."""
    with context.store.reading() as session:
        details = session.scalars(select(Diagnosis.detail).order_by(Diagnosis.photo_id)).all()
    return [(detail["model"], len(detail["labels"])) for detail in details]


def forget_labels(context: Context) -> None:
    """Verdicts as they were stored before they carried their labels."""
    with context.store.transaction() as session:
        for row in session.scalars(select(Diagnosis)):
            row.detail = {k: v for k, v in row.detail.items() if k != "labels"}


def test_the_newer_model_judges_the_older_photo_again(
    any_context: Context, keeper: int, newer: Path
) -> None:
    photos._diagnose(any_context, hand_in(any_context, keeper, leaf("maize_rust", 1), 1))
    assert said(any_context) == [(any_context.model.version, 5)]
    forget_labels(any_context)
    context = upgraded(any_context, newer)
    code = the_case(context).code
    photos._diagnose(context, hand_in(context, keeper, leaf("maize_rust", 2), case=code))
    assert said(context) == [(newer_model.VERSION, 6)] * 2
    assert the_case(context).state == life.ANSWERED
    with context.store.reading() as session:
        assert session.scalars(select(Message.template)).all() == ["diag_maize_rust"]


def test_an_older_photo_that_is_gone_stops_nothing(
    any_context: Context, keeper: int, newer: Path
) -> None:
    first = hand_in(any_context, keeper, leaf("maize_rust", 1), 1)
    photos._diagnose(any_context, first)
    with any_context.store.reading() as session:
        any_context.photos.delete(session.get_one(Photo, first).address)
    context = upgraded(any_context, newer)
    code = the_case(context).code
    photos._diagnose(context, hand_in(context, keeper, leaf("maize_rust", 2), case=code))
    assert the_case(context).state == life.ANSWERED


SWEEP = """
import sys
from datetime import timedelta
import time_machine
from gateway.context import Context
from gateway.jobs import sweeps_cases
from gateway.settings import Settings
from gateway.store.base import now

context = Context.open(Settings.read(home=sys.argv[1], database_url=sys.argv[2],
                                     redis_url=sys.argv[3], secret_key=sys.argv[4]))
with time_machine.travel(now() + timedelta(minutes=11), tick=False):
    print(sweeps_cases.photos_that_never_came(context))
print([name for name in ("onnxruntime", "numpy", "PIL") if name in sys.modules])
"""


def test_a_sweep_judges_a_case_without_a_model(context: Context, tmp_path: Path) -> None:
    keeper = kiosk(context.store)[0].id
    photos._diagnose(context, hand_in(context, keeper, leaf("maize_rust", 1), 2))
    code = the_case(context).code
    photos._diagnose(context, hand_in(context, keeper, leaf("maize_rust", 2), 1, code))
    assert the_case(context).state == life.RECEIVED
    settings = context.settings
    done = subprocess.run(
        [sys.executable, "-c", SWEEP, str(settings.home), settings.store_url,
         settings.queue_url, settings.secret_key.get_secret_value()],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["1", "[]"]
    assert the_case(context).state == life.ANSWERED


def test_a_sweep_gives_photos_of_two_models_to_a_person(
    any_context: Context, keeper: int, newer: Path
) -> None:
    photos._diagnose(any_context, hand_in(any_context, keeper, leaf("maize_rust", 1), 2))
    code = the_case(any_context).code
    photos._diagnose(any_context, hand_in(any_context, keeper, leaf("maize_rust", 2), 1, code))
    context = upgraded(any_context, newer)
    with time_machine.travel(now() + timedelta(minutes=11), tick=False):
        assert sweeps_cases.photos_that_never_came(context) == 1
    assert the_case(context).state == life.ESCALATED


def test_the_scheduler_imports_neither_a_model_nor_numpy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import gateway.jobs.scheduler"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "gateway.jobs.sweeps_cases" in imported
    assert imported & {"onnxruntime", "numpy", "PIL", "inference.model"} == set()


def test_no_model_is_loaded_while_a_transaction_is_open(
    any_context: Context, keeper: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load takes long, and one who writes holds up all others."""
    held: list[str] = []
    begin, load = type(any_context.store).transaction, Model.load

    @contextmanager
    def transaction(store):  # type: ignore[no-untyped-def]
        with begin(store) as session:
            held.append("open")
            try:
                yield session
            finally:
                held.pop()

    def loaded(folder: Path) -> Model:
        assert not held
        return load(folder)

    photo_id = hand_in(any_context, keeper, leaf("maize_rust", 1))
    monkeypatch.setattr(type(any_context.store), "transaction", transaction)
    monkeypatch.setattr(Model, "load", loaded)
    fresh = upgraded(any_context, any_context.settings.model)
    photos._diagnose(fresh, photo_id)
    assert the_case(fresh).state == life.ANSWERED
