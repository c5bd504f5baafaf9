"""Photos that no case names: found without a listing, and never another store's."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.cases import intake
from gateway.cli import main
from gateway.context import Context
from gateway.jobs import sweeps, sweeps_cases
from gateway.privacy import loose
from gateway.store.base import now
from gateway.store.models import Incident, LoosePhoto, Photo
from gateway.store.photos import Folder
from rig.things import FARMER, kiosk, photo

DAYS = timedelta(days=2)


def hand_in(context: Context, shade: int) -> str:
    keeper, _ = kiosk(context.store, f"Kiosk {uuid.uuid4()}")
    upload = intake.Upload(
        photo(shade), f"kiosk:{keeper.id}", FARMER, crop="maize", kiosk_id=keeper.id
    )
    taken = intake.accept(context.store, context.photos, upload)
    with context.store.reading() as session:
        return session.get_one(Photo, taken.photo_id).address


def refuse(context: Context, shade: int) -> str:
    """An upload whose bytes are kept and that is refused then; their address."""
    keeper, _ = kiosk(context.store, f"Kiosk {uuid.uuid4()}")
    upload = intake.Upload(photo(shade), f"kiosk:{keeper.id}", None, kiosk_id=keeper.id)
    before = set(context.photos.addresses())
    with pytest.raises(intake.UploadRefused):
        intake.accept(context.store, context.photos, upload)
    return (set(context.photos.addresses()) - before).pop()


def kept(context: Context) -> set[str]:
    return set(context.photos.addresses())


def causes(context: Context) -> list[str]:
    with context.store.reading() as session:
        return list(session.scalars(select(Incident.cause).where(Incident.closed_at.is_(None))))


def later(context: Context, times: int = 1) -> int:
    with time_machine.travel(now() + DAYS * times, tick=False):
        return sweeps.orphaned_photos(context)


def copy(source: Path, target: Path) -> None:
    """One SQLite database over another, as a backup is made and restored."""
    with (
        contextlib.closing(sqlite3.connect(source)) as whence,
        contextlib.closing(sqlite3.connect(target)) as whither,
    ):
        whence.backup(whither)


@pytest.fixture
def unlisted(any_context: Context, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    """A house whose photos can be listed by the test only."""
    listing = Folder.addresses

    def never(_self: Folder) -> None:
        raise AssertionError("the whole bucket was listed")

    sweep = sweeps.orphaned_photos

    def swept(context: Context) -> int:
        with monkeypatch.context() as patched:
            patched.setattr(Folder, "addresses", never)
            return sweep(context)

    monkeypatch.setattr(sweeps, "orphaned_photos", swept)
    yield any_context
    assert Folder.addresses is listing


def test_an_upload_that_was_refused_goes_and_the_others_stay(unlisted: Context) -> None:
    good = {hand_in(unlisted, shade) for shade in (60, 90)}
    bad = refuse(unlisted, 102)
    assert sweeps.orphaned_photos(unlisted) == 0  # it may still be on its way
    assert kept(unlisted) == good | {bad}
    assert later(unlisted) == 1
    assert kept(unlisted) == good
    with unlisted.store.reading() as session:
        assert session.scalars(select(LoosePhoto)).all() == []


def test_the_bytes_of_a_refused_upload_that_came_again_stay(unlisted: Context) -> None:
    bad = refuse(unlisted, 103)
    assert hand_in(unlisted, 103) == bad
    assert later(unlisted) == 0
    assert kept(unlisted) == {bad}


@pytest.mark.parametrize("accepted", [True, False])
def test_bytes_that_come_again_while_they_are_swept_stay(
    any_context: Context, monkeypatch: pytest.MonkeyPatch, accepted: bool
) -> None:
    bad, due = refuse(any_context, 103), loose.due

    def meanwhile(session: Session, before: datetime) -> list[str]:
        found = due(session, before)
        if found:
            monkeypatch.setattr(loose, "due", due)
            if accepted:
                hand_in(any_context, 103)
            else:  # its bytes are there, and its transaction is still to come
                with any_context.store.transaction() as other:
                    loose.note(other, bad)
        return found

    monkeypatch.setattr(loose, "due", meanwhile)
    assert later(any_context) == 0
    assert any_context.photos.get(bad)
    assert later(any_context, 3) == (0 if accepted else 1)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_notes_bytes_that_are_removed_just_now_waits(
    any_context: Context, monkeypatch: pytest.MonkeyPatch, somebody_waits: Callable[[], None]
) -> None:
    bad, store, gone = refuse(any_context, 103), any_context.store, any_context.photos.delete

    def upload() -> str:
        return hand_in(any_context, 103)

    with ThreadPoolExecutor(1) as pool:

        def slowly(address: str) -> None:
            came.append(pool.submit(upload))
            somebody_waits()
            gone(address)

        came: list[Future[str]] = []
        monkeypatch.setattr(any_context.photos, "delete", slowly)
        assert loose.remove(store, any_context.photos, [bad], now()) == 1
        assert came[0].result() == bad
    assert any_context.photos.get(bad)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_store_that_was_restored_deletes_nothing(unlisted: Context, tmp_path: Path) -> None:
    refuse(unlisted, 104)
    old = hand_in(unlisted, 105)
    copy(tmp_path / "store.sqlite3", tmp_path / "yesterday")
    sweeps.orphaned_photos(unlisted)
    hand_in(unlisted, 104)  # accepted after the backup
    hand_in(unlisted, 106)
    everything = kept(unlisted)
    copy(tmp_path / "yesterday", tmp_path / "store.sqlite3")
    assert later(unlisted) == 0
    assert kept(unlisted) == everything
    assert causes(unlisted) == [sweeps.FOREIGN]
    with time_machine.travel(now() + timedelta(days=400), tick=False):
        sweeps_cases.expired_data(unlisted)  # the retention of an old store takes none either
    assert kept(unlisted) == everything
    loose.claim(unlisted.store, unlisted.photos)
    later(unlisted, 300)
    assert old not in kept(unlisted)
    assert causes(unlisted) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_house_beside_takes_nothing_from_the_bucket_of_another(
    unlisted: Context, context: Context
) -> None:
    hand_in(unlisted, 107)
    sweeps.orphaned_photos(unlisted)
    staging = replace(context, photos=unlisted.photos)
    bad = refuse(staging, 108)
    assert later(staging) == 0
    assert bad in kept(unlisted)
    assert causes(staging) == [sweeps.FOREIGN]
    assert causes(unlisted) == []


def test_many_at_once_are_asked_about(unlisted: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loose, "FEW", 2)
    for shade in (110, 140, 170):
        refuse(unlisted, shade)
    assert later(unlisted) == 0
    assert causes(unlisted) == [sweeps.MANY]
    assert len(kept(unlisted)) == 3
    assert loose.claim(unlisted.store, unlisted.photos) == 3
    assert later(unlisted) == 3
    assert causes(unlisted) == []
    assert kept(unlisted) == set()


def test_the_command_claims_the_photos(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    context.photos.set_mark("another 7")
    assert loose.refusal(context.store, context.photos)
    settings = context.settings
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("LEAFLINE_HOME", str(settings.home))
    monkeypatch.setenv("LEAFLINE_SECRET_KEY", settings.secret_key.get_secret_value())
    result = CliRunner().invoke(main, ["photos", "claim"])
    assert result.exit_code == 0, result.output
    assert loose.refusal(context.store, context.photos) == ""
