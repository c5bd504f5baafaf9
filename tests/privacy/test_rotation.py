"""Changing the key while people go on writing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr
from sqlalchemy import func, select, text

from gateway import outbox
from gateway.cases import intake
from gateway.commands.keys import keys as leafline_keys
from gateway.context import Context
from gateway.jobs import sweeps_cases
from gateway.outbox import reports
from gateway.people import farmers, kiosks, officers
from gateway.privacy import erasure, rotation
from gateway.settings import Settings
from gateway.spool import Spool
from gateway.store import Store, keys
from gateway.store.models import (
    Case,
    DeliveryReport,
    Farmer,
    MediaMessage,
    Message,
    Photo,
    SealKey,
    UssdSession,
)
from gateway.store.photos import Folder
from gateway.store.vault import SealBroken, Vault
from rig import things
from tests.conftest import SECRET

NEW = "another secret, made when the first one leaked"
StoreWith = Callable[..., Store]

PHONES = [f"+2507880010{n:02}" for n in range(12)]


def live(store: Store, photos: Folder, phone: str, shade: int = 90) -> None:
    """One farmer with a case and its photo, messages, reports, a session."""
    upload = intake.Upload(
        things.photo(shade), "kiosk:1", phone, place="Kagano", answers={"plants": "few"}
    )
    intake.accept(store, photos, upload)
    with store.transaction() as session:
        outbox.post(session, key=phone, to=phone, text="hello", kind=outbox.Kind.ANSWER)
        reports.receive(session, reports.Report(phone, "Success", "delivered", phone=phone))
        session.add(MediaMessage(key=phone, phone=phone, addresses="https://m.example/1"))
        digest = store.vault.number(phone)
        session.add(UssdSession(session_id=phone, address_digest=digest))


def rotate(store: Store, photos: Folder, batch: int = 3) -> rotation.Progress:
    progress = rotation.Progress()
    for table in rotation.tables():
        for _ in rotation.rows(store, table, progress, batch):
            pass
    for _ in rotation.photos(store, photos, progress, batch):
        pass
    return progress


def test_everything_is_read_with_the_new_key_alone_after_a_rotation_under_load(
    store: Store, store_with: StoreWith, tmp_path: Path
) -> None:
    keys.enter(store)
    _, token = things.kiosk(store)
    things.officer(store)
    folder = tmp_path / "photos"
    for shade, phone in enumerate(PHONES[:6], start=60):
        live(store, Folder(folder, store.vault), phone, shade)
    ring = store_with(NEW, SECRET)
    keys.enter(ring)
    photos = Folder(folder, ring.vault)
    wrong: list[BaseException] = []

    def write() -> None:
        """Farmers who come, and come again, meanwhile."""
        try:
            for shade, phone in enumerate(PHONES[3:], start=160):
                live_again(ring, photos, phone, shade)
        except BaseException as error:
            wrong.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    rotate(ring, photos)
    writer.join()
    progress = rotate(ring, photos)  # what the writer held just then
    assert (wrong, progress.broken) == ([], {})
    assert not any(rotation.left(ring).values())
    assert rotation.retire(ring) == [Vault(SECRET).writer.name[: keys.SHOWN]]

    alone = store_with(NEW)
    keys.enter(alone)
    kept = Folder(folder, alone.vault)
    with alone.reading() as session:
        assert session.scalar(select(func.count(Farmer.id))) == len(PHONES)
        for phone in PHONES:
            farmer = farmers.find(session, phone)
            assert farmer is not None
            assert (farmer.phone, farmer.place) == (phone, "Kagano")
        for case in session.scalars(select(Case)):
            assert case.answers == {"plants": "few"}
        for address in session.scalars(select(Photo.address)):
            assert kept.get(address)
        assert {m.text for m in session.scalars(select(Message))} == {"hello"}
        assert kiosks.by_token(session, token) is not None
        assert officers.by_phone(session, things.OFFICER) is not None
    for phone in PHONES[:6]:
        assert erasure.erase(alone, kept, phone, by="test") is not None
    with alone.reading() as session:
        for table in (DeliveryReport, UssdSession, MediaMessage):
            assert session.scalar(select(func.count(table.id))) == len(PHONES) - 6


def live_again(store: Store, photos: Folder, phone: str, shade: int) -> None:
    with store.reading() as session:
        known = farmers.find(session, phone)
    if known is None:
        live(store, photos, phone, shade)
    else:
        intake.accept(
            store, photos,
            intake.Upload(
                things.photo(shade), "kiosk:1", phone, place="Kagano", answers={"plants": "few"}
            ),
        )  # fmt: skip


def test_who_has_only_the_old_key_finds_no_number_afterwards(
    store: Store, store_with: StoreWith, tmp_path: Path
) -> None:
    photos = Folder(tmp_path, store.vault)
    live(store, photos, PHONES[0])
    ring = store_with(NEW, SECRET)
    keys.enter(ring)
    rotate(ring, Folder(tmp_path, ring.vault))
    stolen = Vault(SECRET).number(PHONES[0])
    with ring.reading() as session:
        for table, column in (
            ("farmer", "phone_digest"), ("message", "address_digest"),
            ("delivery_report", "address_digest"), ("ussd_session", "address_digest"),
            ("media_message", "address_digest"),
        ):  # fmt: skip
            digests = session.execute(text(f"SELECT {column} FROM {table}")).scalars().all()
            assert stolen not in digests, table
            assert digests == [ring.vault.number(PHONES[0])], table


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(
    store: Store, store_with: StoreWith, tmp_path: Path
) -> None:
    for shade, phone in enumerate(PHONES[:5]):
        live(store, Folder(tmp_path, store.vault), phone, shade + 50)
    ring = store_with(NEW, SECRET)
    keys.enter(ring)
    photos, progress = Folder(tmp_path, ring.vault), rotation.Progress()
    assert list(islice(rotation.rows(ring, Farmer.__table__, progress, 2), 1)) == [2]  # type: ignore[arg-type]
    assert list(islice(rotation.photos(ring, photos, progress, 2), 1)) == [2]
    assert rotation.retire(ring) == []
    left = rotation.left(ring)
    assert (left["farmer"], left["photos"]) == (3, 3)
    assert rotate(ring, photos).done["farmer"] == 3
    assert not any(rotation.left(ring).values())


def test_what_opens_with_no_key_is_counted_and_left_as_it_is(
    store: Store, store_with: StoreWith, tmp_path: Path
) -> None:
    live(store, Folder(tmp_path, store.vault), PHONES[0])
    foreign = Vault("a third secret, which nobody has any more").seal_text("+250788000055")
    with store.transaction() as session:
        session.execute(text("UPDATE farmer SET phone = :phone"), {"phone": foreign})
    ring = store_with(NEW, SECRET)
    keys.enter(ring)
    progress = rotate(ring, Folder(tmp_path, ring.vault))
    assert progress.broken == {"farmer": 1}
    assert rotation.left(ring)["farmer"] == 1
    assert rotation.retire(ring) == []
    with ring.reading() as session:
        assert bytes(session.execute(text("SELECT phone FROM farmer")).scalar_one()) == foreign


def test_a_farmer_made_twice_by_hosts_with_different_keys_becomes_one(
    store: Store, store_with: StoreWith, tmp_path: Path
) -> None:
    photos = Folder(tmp_path, store.vault)
    live(store, photos, PHONES[0])
    ring = store_with(NEW, SECRET)
    keys.enter(ring)
    with ring.transaction() as session:
        session.add(Farmer(phone=PHONES[0], phone_digest=ring.vault.number(PHONES[0])))
    rotate(ring, photos)
    with ring.reading() as session:
        farmer = session.scalars(select(Farmer)).one()
        assert session.scalars(select(Case.farmer_id)).all() == [farmer.id]


def test_an_erased_photo_does_not_come_back(
    store: Store, store_with: StoreWith, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(store, Folder(tmp_path, store.vault), PHONES[0])
    ring = store_with(NEW, SECRET)
    keys.enter(ring)
    photos = Folder(tmp_path, ring.vault)
    opened = ring.vault.open_photo

    def erase_first(sealed: bytes) -> bytes:
        data = opened(sealed)
        erasure.erase(ring, photos, PHONES[0], by="test")
        return data

    monkeypatch.setattr(ring.vault, "open_photo", erase_first)
    for _ in rotation.photos(ring, photos, rotation.Progress()):
        pass
    assert list(photos.addresses()) == []


def test_callbacks_that_wait_are_sealed_anew_and_taken_in_once(tmp_path: Path) -> None:
    Spool(tmp_path, Vault(SECRET)).keep("sms", {"from": PHONES[0]})
    assert Spool(tmp_path, Vault(NEW, [SECRET])).seal_anew() == 1
    taken: list[str] = []
    spool = Spool(tmp_path, Vault(NEW))
    assert spool.replay(lambda kind, fields: taken.append(fields["from"]))
    assert (taken, spool.failed()) == ([PHONES[0]], 0)


def test_plain_values_of_an_older_release_are_sealed_by_themselves(any_context: Context) -> None:
    store = any_context.store
    things.farmer(store)
    with store.transaction() as session:
        session.execute(text("UPDATE farmer SET place = 'Gahengeri'"))
    assert sweeps_cases.plain_values(any_context) == 1
    assert sweeps_cases.plain_values(any_context) == 0
    with store.reading() as session:
        assert "Gahengeri" not in session.execute(text("SELECT place FROM farmer")).scalar_one()
        assert session.scalars(select(Farmer.place)).one() == "Gahengeri"


def test_a_key_that_writes_is_known_before_it_wrote(store: Store) -> None:
    keys.enter(store)
    keys.enter(store)
    with store.reading() as session:
        assert session.scalars(select(SealKey.name)).all() == [store.vault.writer.name]
    with pytest.raises(SealBroken):
        Vault(NEW).open_text(store.vault.seal_text("x"))


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `leafline keys ...` in the home of the test."""
    for name in ("home", "database_url", "redis_url"):
        monkeypatch.setenv(Settings.variable(name), str(getattr(settings, name)))
    return lambda *words: CliRunner().invoke(leafline_keys, words)


def test_a_house_that_keeps_its_key_itself(
    settings: Settings, command: Callable[..., Result]
) -> None:
    first = command("list").output.split()[0]
    photos = settings.model_copy(update={"secret_key": SecretStr("")})
    context = Context.open(photos)
    live(context.store, context.photos, PHONES[0])  # type: ignore[arg-type]
    context.close()
    assert "nothing else to do" in command("rotate").output
    assert command("new").exit_code == 0
    assert [line.split()[1] for line in command("list").output.splitlines()[:2]] == [
        "writes",
        "read",
    ]
    done = command("rotate")
    assert (done.exit_code, f"nothing is left under {first}" in done.output) == (0, True), (
        done.output
    )
    assert "farmer: 1 of 1" in done.output
    (settings.home / "old-secret-keys").unlink()
    assert "nothing is left" in command("list").output
    alone = Context.open(settings.model_copy(update={"secret_key": SecretStr("")}))
    with alone.store.reading() as session:
        assert farmers.find(session, PHONES[0]) is not None
    alone.close()


def test_a_rotation_without_the_key_of_old_rows_says_that_it_is_not_done(
    settings: Settings, command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = Context.open(settings)
    things.farmer(context.store)
    foreign = Vault("a third secret, which nobody has any more").seal_text("+250788000055")
    with context.store.transaction() as session:
        session.add(Farmer(phone="x", phone_digest="x"))
        session.execute(
            text("UPDATE farmer SET phone = :phone WHERE phone_digest = 'x'"), {"phone": foreign}
        )
    context.close()
    monkeypatch.setenv("LEAFLINE_SECRET_KEY", NEW)
    monkeypatch.setenv("LEAFLINE_OLD_SECRET_KEYS_FILE", str(settings.home / "old"))
    settings.home.mkdir(exist_ok=True)
    (settings.home / "old").write_text(f"{SECRET}\n")
    done = command("rotate")
    assert done.exit_code == 1
    assert "farmer: 1 open with no key" in done.output
    assert "farmer: 1 left" in done.output
