"""Photos of a plant that are handed in in one go: one case, judged once, one message."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from gateway.cases import intake, life
from gateway.cases.triage import Finding
from gateway.context import Context
from gateway.jobs import photos, sweeps_cases
from gateway.store.base import now
from gateway.store.models import Case, Diagnosis, Message, Photo
from gateway.store.photos import PhotosAway
from rig.desk import leaf
from rig.things import FARMER, kiosk


@pytest.fixture
def keeper(any_context: Context) -> int:
    return kiosk(any_context.store)[0].id


def hand_in(
    context: Context, keeper: int, seed: int, following: int, case: str | None = None
) -> int:
    upload = intake.Upload(
        leaf("maize_rust", seed), f"kiosk:{keeper}", None if case else FARMER, crop="maize",
        client_id=f"photo {seed}", case=case, kiosk_id=keeper, following=following,
    )  # fmt: skip
    return intake.accept(context.store, context.photos, upload).photo_id


def the_case(context: Context) -> Case:
    with context.store.reading() as session:
        return session.scalars(select(Case)).one()


def told(context: Context) -> int:
    with context.store.reading() as session:
        return session.scalar(select(func.count(Message.id))) or 0


def test_the_farmer_is_told_once_when_all_are_judged(any_context: Context, keeper: int) -> None:
    first = hand_in(any_context, keeper, 1, following=2)
    photos._diagnose(any_context, first)
    code = the_case(any_context).code
    second = hand_in(any_context, keeper, 2, following=1, case=code)
    third = hand_in(any_context, keeper, 3, following=0, case=code)
    photos._diagnose(any_context, third)  # workers finish in any order
    assert (the_case(any_context).state, told(any_context)) == (life.RECEIVED, 0)
    photos._diagnose(any_context, second)
    assert (the_case(any_context).state, told(any_context)) == (life.ANSWERED, 1)
    with any_context.store.reading() as session:
        assert session.scalar(select(func.count(Diagnosis.id))) == 3


def test_advice_rests_on_one_good_photo_at_least(
    any_context: Context, keeper: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each photo is poor in its own way: no defect is common to both."""
    found: list[Finding] = []
    monkeypatch.setattr(photos.judgement, "judge", lambda *args: found.append(args[3]))
    verdict = any_context.model.judge(leaf("maize_rust", 1))
    for defects in (("blurred", "dark"), ("blurred", "")):
        first = hand_in(any_context, keeper, len(found) * 2 + 1, following=1)
        with any_context.store.reading() as session:
            code = session.get_one(Photo, first).case.code
        second = hand_in(any_context, keeper, len(found) * 2 + 2, following=0, case=code)
        for photo_id, defect in zip((first, second), defects, strict=True):
            seen = replace(verdict, quality=(defect,) if defect else ())
            with any_context.store.transaction() as session:
                photos._record(session, any_context, photo_id, seen)
    assert [finding.poor for finding in found] == [True, False]


def unreadable(error: Exception) -> Callable[[str], bytes]:
    """A place for photos that raises whatever is asked for."""

    def get(_address: str) -> bytes:
        raise error

    return get


def test_photos_that_cannot_be_read_just_now_count_as_no_failure(
    any_context: Context, keeper: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo_id = hand_in(any_context, keeper, 1, following=0)
    monkeypatch.setattr(photos, "context_of_worker", lambda: any_context)
    with monkeypatch.context() as patch:
        patch.setattr(any_context.photos, "get", unreadable(PhotosAway("the bucket is away")))
        photos.diagnose(photo_id)  # no failed job
    with any_context.store.reading() as session:
        assert session.get_one(Photo, photo_id).diagnosed_at is None
    photos.diagnose(photo_id)
    assert the_case(any_context).state == life.ANSWERED


def test_one_photo_that_cannot_be_read_counts_as_its_failure(
    any_context: Context, keeper: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo_id = hand_in(any_context, keeper, 1, following=0)
    monkeypatch.setattr(photos, "context_of_worker", lambda: any_context)
    fault = OSError(errno.EIO, "input/output error")
    monkeypatch.setattr(any_context.photos, "get", unreadable(fault))
    with pytest.raises(OSError, match="input/output"):
        photos.diagnose(photo_id)


def test_the_same_upload_again_changes_nothing(any_context: Context, keeper: int) -> None:
    first = hand_in(any_context, keeper, 1, following=1)
    assert hand_in(any_context, keeper, 1, following=1) == first
    code = the_case(any_context).code
    second = hand_in(any_context, keeper, 2, following=0, case=code)
    assert hand_in(any_context, keeper, 1, following=1) == first
    assert hand_in(any_context, keeper, 2, following=0, case=code) == second
    for photo in (first, second):
        photos._diagnose(any_context, photo)
    assert told(any_context) == 1


def test_photos_that_never_come_are_not_waited_for_for_ever(
    any_context: Context, keeper: int
) -> None:
    photos._diagnose(any_context, hand_in(any_context, keeper, 1, following=3))
    later = now() + timedelta(minutes=5)
    with time_machine.travel(later, tick=False):
        assert sweeps_cases.photos_that_never_came(any_context) == 0
        assert sweeps_cases.cases_without_answer(any_context) == 0
    with time_machine.travel(later + timedelta(minutes=6), tick=False):
        assert sweeps_cases.photos_that_never_came(any_context) == 1
        assert sweeps_cases.photos_that_never_came(any_context) == 0
    assert (the_case(any_context).state, told(any_context)) == (life.ANSWERED, 1)
    late = hand_in(any_context, keeper, 2, following=0, case=the_case(any_context).code)
    photos._diagnose(any_context, late)
    assert the_case(any_context).state == life.ANSWERED


def test_a_photo_that_came_is_waited_for_by_its_own_clock(
    any_context: Context, keeper: int
) -> None:
    """Each photo that arrives begins the wait anew."""
    photos._diagnose(any_context, hand_in(any_context, keeper, 1, following=2))
    with time_machine.travel(now() + timedelta(minutes=8), tick=False):
        photos._diagnose(
            any_context,
            hand_in(any_context, keeper, 2, following=1, case=the_case(any_context).code),
        )
        with any_context.store.reading() as session:
            assert session.scalars(select(Photo.following).order_by(Photo.id)).all() == [0, 1]
    with time_machine.travel(now() + timedelta(minutes=12), tick=False):
        assert sweeps_cases.photos_that_never_came(any_context) == 0
