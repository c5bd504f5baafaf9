"""A house is backed up while it runs, comes back in an empty home, and moves to another store."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from click.testing import CliRunner, Result
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway import outbox
from gateway.backup import BackupError, making, moving, reading, restoring
from gateway.backup.place import Place
from gateway.broadcasts import broadcast
from gateway.cases import intake, undelivered
from gateway.cli import main
from gateway.context import BOOK, Context
from gateway.jobs import backups
from gateway.outbox import resend
from gateway.people import farmers, sign_ins
from gateway.privacy import erasure
from gateway.privacy.book import Book
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Broadcast, Case, Farmer, Incident, Message, Operator, Photo, SignIn
from gateway.store.photos import Folder, PhotoMissing
from gateway.store.states import MessageState
from gateway.store.vault import Vault
from rig import servers
from rig.house import free_port
from rig.things import FARMER, kiosk, photo
from tests.conftest import SECRET, _sqlalchemy

OTHER = "+250788000222"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(str(tmp_path / "far away" / "backups"))


def upload(context: Context, shade: int, phone: str = FARMER) -> str:
    """A photo that was accepted; its address."""
    keeper, _ = kiosk(context.store, f"Kiosk {shade}")
    one = intake.Upload(photo(shade), f"kiosk:{keeper.id}:{shade}", phone, kiosk_id=keeper.id)
    intake.accept(context.store, context.photos, one)
    with context.store.reading() as session:
        return session.scalars(select(Photo.address).order_by(Photo.id.desc())).first() or ""


def make(context: Context, place: Place) -> making.Made:
    scratch = context.settings.home
    scratch.mkdir(parents=True, exist_ok=True)
    return making.make(context.store, context.photos, scratch / BOOK, place, scratch)


@pytest.fixture
def empty_url(store: Store, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty store of the same kind."""
    if store.engine.dialect.name == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'leafline.sqlite3'}"
        return
    server: servers.Postgres = request.getfixturevalue("postgres")
    server.execute("CREATE DATABASE back")
    yield _sqlalchemy(server.url.format("back"))
    server.execute("DROP DATABASE back WITH (FORCE)")


def restored(
    context: Context, place: Place, url: str, home: Path, book: Path | None = None
) -> tuple[Context, restoring.Restored]:
    """The newest backup in an empty home, as another context."""
    home.mkdir(parents=True, exist_ok=True)
    if book is not None:
        shutil.copy(book, home / BOOK)
    vault = Vault(SECRET)
    found = reading.find(place, vault)
    restoring.restore_store(found, url, home)
    store = Store(url, vault)
    mine = Book(home / BOOK)
    erasure.install(store, erasure.Beyond(mine, ()))
    other = replace(context, store=store, photos=Folder(home / "photos", vault))
    done = restoring.restore_rest(found, store, other.photos, mine)
    erasure.replay(store, other.photos)
    return other, done


def test_all_comes_back_in_an_empty_home(
    any_context: Context, place: Place, empty_url: str, tmp_path: Path
) -> None:
    addresses = {upload(any_context, shade) for shade in (60, 120)}
    made = make(any_context, place)
    assert (made.photos, made.copied, made.missing) == (2, 2, 0)
    assert reading.verify(reading.find(place, Vault(SECRET)), Vault(SECRET), tmp_path) == 2
    other, done = restored(any_context, place, empty_url, tmp_path / "new")
    assert (done.photos, done.rows) == (2, made.rows)
    with other.store.reading() as session:
        assert farmers.find(session, FARMER) is not None
        assert set(session.scalars(select(Photo.address))) == addresses
    for address in addresses:
        assert other.photos.get(address) == any_context.photos.get(address)
    other.store.close()


def test_nothing_in_the_place_can_be_read_without_the_key(
    any_context: Context, place: Place, tmp_path: Path
) -> None:
    upload(any_context, 60)
    picture = any_context.photos.get(upload(any_context, 61))
    name = make(any_context, place).name
    everything = b"".join(f.read_bytes() for f in Path(place.shown).rglob("*") if f.is_file())
    assert picture[:200] not in everything
    for plain in (b"SQLite format", b"PGDMP", b"farmer", SECRET.encode(), FARMER[1:].encode()):
        assert plain not in everything
    with pytest.raises(BackupError, match=r"is sealed with the key [0-9a-f]{8}: give it in"):
        reading.find(place, Vault("another secret, long enough to be one"), name)


def test_photos_are_copied_once_and_anew_for_another_key(
    any_context: Context, place: Place, tmp_path: Path
) -> None:
    """Whoever has the key of then opens the whole backup with it."""
    upload(any_context, 60)
    with time_machine.travel(now()) as clock:
        make(any_context, place)
        upload(any_context, 61)
        clock.shift(60)
        assert make(any_context, place).copied == 1
        clock.shift(60)
        newer = Vault("a newer secret, long enough to be one", [SECRET])
        url = any_context.store.engine.url.render_as_string(hide_password=False)
        store = Store(url, newer)
        rotated = replace(
            any_context, store=store, photos=Folder(any_context.settings.home / "photos", newer)
        )
        assert make(rotated, place).copied == 2
        store.close()
    names = place.names()
    assert len(names) == 3
    alone = Vault("a newer secret, long enough to be one")
    assert reading.find(place, Vault(SECRET), names[-1]).photos == 1
    newest = reading.find(place, alone)
    assert [newest.photo(alone, one) for one in newest.addresses()]


def test_old_ones_go_with_the_photos_that_nothing_names(any_context: Context, place: Place) -> None:
    first, second = upload(any_context, 60), upload(any_context, 61, OTHER)
    with time_machine.travel(now()) as clock:
        oldest = make(any_context, place).name
        erasure.erase(any_context.store, any_context.photos, FARMER, by="test")
        for _ in range(2):
            clock.shift(60)
            make(any_context, place)
    key = any_context.store.vault.writer.name
    assert place.photos(key) == {first, second}
    assert making.let_go(place, 2) == [oldest]
    assert place.photos(key) == {second}
    assert len(place.names()) == 2
    reading.check_files(reading.find(place, Vault(SECRET)))


def test_what_was_deleted_since_stays_deleted(
    any_context: Context, place: Place, empty_url: str, tmp_path: Path
) -> None:
    book = any_context.settings.home / BOOK
    erasure.install(any_context.store, erasure.Beyond(Book(book), ()))
    hers = upload(any_context, 60)
    upload(any_context, 61, OTHER)
    make(any_context, place)
    with time_machine.travel(now() + timedelta(minutes=1)):
        erasure.erase(any_context.store, any_context.photos, FARMER, by="test")
        other, _ = restored(any_context, place, empty_url, tmp_path / "new", book)
    with other.store.reading() as session:
        assert farmers.find(session, FARMER) is None
        assert farmers.find(session, OTHER) is not None
    with pytest.raises(PhotoMissing):
        other.photos.get(hers)
    other.store.close()


def test_what_waited_is_not_sent_again_but_a_person_can(
    any_context: Context, place: Place, empty_url: str, tmp_path: Path
) -> None:
    upload(any_context, 60)
    with any_context.store.transaction() as session:
        case = session.scalars(select(Case)).one()
        for key, age in (("old", 60), ("new", 1)):
            outbox.post(
                session, key=key, to=FARMER, text=key, kind="answer", case_id=case.id,
                farmer_id=case.farmer_id,
            )  # fmt: skip
            row = session.scalars(select(Message).where(Message.key == key)).one()
            row.created_at = now() - timedelta(minutes=age)
    make(any_context, place)
    other, done = restored(any_context, place, empty_url, tmp_path / "new")
    assert done.held == 1
    with other.store.transaction() as session:
        states = {row.key: row.state for row in session.scalars(select(Message))}
        assert states["old"] == MessageState.FAILED
        assert states["new"] == MessageState.QUEUED
        assert undelivered.due(session, now() + timedelta(days=2), 10) == []
        old = session.scalars(select(Message).where(Message.key == "old")).one()
        assert resend.resend(session, old.id, by="test")
    other.store.close()


def admin(session: Session) -> Operator:
    row = Operator(name="Ada", role="admin", password_hash="-", totp_secret="-")
    session.add(row)
    session.flush()
    return row


def test_a_broadcast_that_was_under_way_is_approved_again(any_context: Context) -> None:
    with any_context.store.transaction() as session:
        session.add(
            Broadcast(area="Huye", texts={"en": "x"}, farmers=3, drafter=admin(session),
                      state=broadcast.APPROVED, reached="abc")
        )  # fmt: skip
    restoring.hold_messages(any_context.store, now())
    with any_context.store.reading() as session:
        row = session.scalars(select(Broadcast)).one()
        assert (row.state, row.decided_by, row.reached) == (broadcast.DRAFT, None, "abc")


@pytest.mark.parametrize("hurt", ["store.age", "erasures.age", "photos.gz", "manifest.json"])
@pytest.mark.parametrize("how", ["cut", "changed", "gone"])
def test_a_damaged_backup_is_refused_before_anything_is_written(
    context: Context, place: Place, tmp_path: Path, hurt: str, how: str
) -> None:
    upload(context, 60)
    name = make(context, place).name
    file = Path(place.shown) / name / hurt
    data = file.read_bytes()
    if how == "gone":
        file.unlink()
    else:
        middle = len(data) // 2
        changed = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        file.write_bytes(data[:middle] if how == "cut" else changed)
    url = f"sqlite:///{tmp_path / 'new' / 'leafline.sqlite3'}"
    with pytest.raises(BackupError):
        restoring.restore_store(reading.find(place, Vault(SECRET)), url, tmp_path)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("how", ["gone", "changed"])
def test_a_photo_that_is_lost_or_changed_is_found(
    context: Context, place: Place, tmp_path: Path, how: str
) -> None:
    address = upload(context, 60)
    make(context, place)
    file = Path(place.shown, *place.photo(context.store.vault.writer.name, address))
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(BackupError):
        reading.verify(reading.find(place, Vault(SECRET)), Vault(SECRET), tmp_path)


def test_a_store_that_is_not_empty_is_not_overwritten(any_context: Context, place: Place) -> None:
    upload(any_context, 60)
    make(any_context, place)
    url = any_context.store.engine.url.render_as_string(hide_password=False)
    with pytest.raises(BackupError, match="is not empty"):
        restoring.restore_store(reading.find(place, Vault(SECRET)), url, any_context.settings.home)


def test_who_signed_out_since_stays_out(context: Context, place: Place, tmp_path: Path) -> None:
    with context.store.transaction() as session:
        limits = sign_ins.Limits(timedelta(hours=12), timedelta(hours=1))
        sign_ins.begin(session, admin(session), "Firefox", limits, instead="")
    make(context, place)
    url = f"sqlite:///{tmp_path / 'new' / 'leafline.sqlite3'}"
    other, _ = restored(context, place, url, tmp_path / "new")
    with other.store.reading() as session:
        assert session.scalar(select(func.count()).select_from(SignIn)) == 0
    other.store.close()


def test_a_backup_that_breaks_off_is_none(
    context: Context, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(context, 60)
    write = place.write

    def fails(data: bytes, *path: str) -> object:
        if path[-1] == "photos.gz":
            raise BackupError("the disk is full")
        return write(data, *path)

    monkeypatch.setattr(place, "write", fails)
    with pytest.raises(BackupError):
        make(context, place)
    assert place.names() == place.begun() == []
    assert making.last(context.store) is None


def test_a_photo_of_which_half_was_written_is_copied_anew(
    context: Context, place: Place, tmp_path: Path
) -> None:
    address = upload(context, 60)
    path = place.photo(context.store.vault.writer.name, address)
    with suppress(KeyboardInterrupt), place.writing(*path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert make(context, place).copied == 1
    assert reading.verify(reading.find(place, Vault(SECRET)), Vault(SECRET), tmp_path) == 1


def test_what_a_killed_process_left_goes_with_the_old_ones(context: Context, place: Place) -> None:
    """But not what another is making just now, nor the photos that it copied."""
    address = upload(context, 60)
    key = context.store.vault.writer.name
    with time_machine.travel(now()) as clock:
        for number in range(3):
            clock.shift(60)
            make(context, place)
            if not number:
                erasure.erase(context.store, context.photos, FARMER, by="test")
        first, second, third = reversed(place.names())
        place.remove(second, "manifest.json")
        clock.shift(60)
        going_on = now().strftime(making.STAMP)
        place.write(b"", going_on, "store.age")
        assert making.let_go(place, 2) == []
        assert making.let_go(place, 1) == [second, first]
        assert place.begun() == [going_on, third]
        assert place.photos(key) == {address}
        clock.shift(60)
        newest = make(context, place).name
        assert making.let_go(place, 1) == [going_on, third]
    assert place.begun() == [newest]
    assert place.photos(key) == set()


@pytest.mark.parametrize("hurt", ["manifest.json", "photos.gz"])
def test_photos_stay_while_a_backup_cannot_say_which_it_names(
    context: Context, place: Place, hurt: str
) -> None:
    upload(context, 60)
    with time_machine.travel(now()) as clock:
        make(context, place)
        clock.shift(60)
        newest = make(context, place).name
    file = Path(place.shown) / newest / hurt
    data = file.read_bytes()
    file.write_bytes(data[:12] + bytes(byte ^ 255 for byte in data[12:]))
    before = place.photos(context.store.vault.writer.name)
    with pytest.raises(BackupError, match=hurt):
        making.let_go(place, 1)
    assert place.photos(context.store.vault.writer.name) == before != set()


def test_the_scheduler_makes_one_a_day_and_says_when_it_cannot(
    context: Context, tmp_path: Path
) -> None:
    context.settings.home.mkdir(parents=True, exist_ok=True)
    settings = context.settings.model_copy(
        update={"backups_url": str(tmp_path / "backups"), "backups_kept": 2}
    )
    mine = replace(context, settings=settings)
    with time_machine.travel(now()) as clock:
        for _ in range(4):
            assert (backups.due(mine), backups.due(mine)) == (1, 0)
            clock.shift(timedelta(hours=24, seconds=1))
        assert len(Place(settings.backups_url).names()) == 2
        (tmp_path / "backups").rename(tmp_path / "elsewhere")
        (tmp_path / "backups").write_text("no folder")
        assert backups.due(mine) == 0
        with context.store.reading() as session:
            (incident,) = session.scalars(select(Incident).where(Incident.closed_at.is_(None)))
            assert re.match(r"no backup since \d{4}-.* cannot be ", incident.detail)
        (tmp_path / "backups").unlink()
        assert backups.due(mine) == 1
        with context.store.reading() as session:
            assert session.scalar(select(Incident.closed_at)) is not None


def run(*words: str, **env: str) -> Result:
    return CliRunner().invoke(main, [*words], env=env, catch_exceptions=False)


def test_by_hand_from_one_home_to_another(context: Context, tmp_path: Path) -> None:
    """The commands, on SQLite, from a home with a blank in its name."""
    upload(context, 60)
    place = str(tmp_path / "backups")
    old = {
        "LEAFLINE_HOME": str(context.settings.home),
        "DATABASE_URL": context.settings.database_url,
        "LEAFLINE_SECRET_KEY": SECRET,
        "LEAFLINE_BACKUPS_URL": place,
    }
    new = {**old, "LEAFLINE_HOME": str(tmp_path / "a new home"), "DATABASE_URL": ""}
    assert "leafline" not in run("backup", "list", **old).output
    said = run("backup", **old)
    assert said.exit_code == 0, said.output
    assert "1 photos, 1 of them new" in said.output
    assert "is whole: " in run("backup", "verify", "--every-photo", **new).output
    said = run("restore", **new)
    assert said.exit_code == 0, said.output
    assert "1 photos" in said.output
    again = run("restore", **new)
    assert again.exit_code == 1
    assert "is not empty" in again.output
    assert run("backup", "verify", "20200101T000000Z", **new).exit_code == 1
    nowhere = run("backup", **{**old, "LEAFLINE_BACKUPS_URL": ""})
    assert (nowhere.exit_code, "LEAFLINE_BACKUPS_URL" in nowhere.output) == (1, True)


def test_a_house_moves_from_sqlite_to_postgresql(
    context: Context, postgres: servers.Postgres, tmp_path: Path
) -> None:
    addresses = {upload(context, shade) for shade in (60, 61)}
    with context.store.transaction() as session:
        outbox.post(session, key="k", to=FARMER, text="été", kind="reply")
    postgres.execute("CREATE DATABASE moved")
    try:
        url = _sqlalchemy(postgres.url.format("moved"))
        target = Store(url, Vault(SECRET))
        counts = moving.move_store(context.store, target, url)
        assert counts["photo"] == 2
        upload(replace(context, store=target), 62)  # numbers go on after those that came across
        with target.reading() as session:
            assert session.scalar(select(Message.text).where(Message.key == "k")) == "été"
            assert session.scalar(select(func.count()).select_from(Photo)) == 3
            assert session.scalars(select(Farmer.phone)).first() == FARMER
        with pytest.raises(BackupError, match="is not empty"):
            moving.move_store(context.store, target, url)
        target.close()
    finally:
        postgres.execute("DROP DATABASE moved WITH (FORCE)")
    other = Folder(tmp_path / "moved photos", Vault(SECRET))
    lost = addresses.pop()
    context.photos.delete(lost)
    damaged = upload(context, 63)
    file = context.settings.home / "photos" / damaged[:2] / damaged
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert moving.move_photos(context.store, context.photos, other) == (3, 2)
    assert set(other.addresses()) == addresses


def test_a_house_that_runs_is_not_moved(context: Context) -> None:
    from gateway.watch import beats

    with context.store.transaction() as session:
        beats.beat(session, "host/worker-1", "worker")
    with pytest.raises(BackupError, match=r"stop the house first: host/worker-1"):
        moving.check_stopped(context.store)


def test_whatever_goes_wrong_in_a_place_is_told_in_a_line(tmp_path: Path) -> None:
    """Drivers have kinds of errors of their own."""
    archive = tmp_path / "readable.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("20200101T000000Z/manifest.json", "{}")
    place = Place(f"zip://::file://{archive}")
    with pytest.raises(BackupError, match="cannot be written"):
        place.remove("20200101T000000Z")
    for url in (f"zip://::file://{__file__}", f"ftp://127.0.0.1:{free_port()}/x"):
        with pytest.raises(BackupError, match="is no place for backups"):
            Place(url)


@pytest.mark.parametrize("url", ["nosuch://me:hidden-word@host/x", "memory://me:hidden-word@host"])
def test_no_password_of_a_place_is_repeated(context: Context, url: str) -> None:
    with pytest.raises(BackupError) as refused:
        reading.find(Place(url), Vault(SECRET))
    assert "hidden-word" not in str(refused.value)


def test_keys_are_never_inside(context: Context, place: Place) -> None:
    manifest = json.loads(place.read(make(context, place).name, "manifest.json"))
    assert set(manifest) == {"leafline", "made_at", "key", "sealed"}
