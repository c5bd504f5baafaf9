import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from gateway import outbox
from gateway.cases import intake
from gateway.channels.takers import spool_of
from gateway.commands.people import erase
from gateway.context import Context
from gateway.dialogue.ussd import UssdRequest, answer
from gateway.outbox import reports
from gateway.outbox.reports import Report
from gateway.people import farmers, officers
from gateway.privacy import erasure
from gateway.privacy.book import Book
from gateway.settings import Settings
from gateway.spool import Spool
from gateway.store.base import now
from gateway.store.database import insert_once
from gateway.store.models import (
    Case,
    DeliveryReport,
    Event,
    Farmer,
    MediaMessage,
    Message,
    UssdSession,
)
from gateway.store.photos import PhotoMissing
from rig import things
from rig.house import wait_until
from rig.things import FARMER, kiosk, photo

OTHER = "+250788000002"


def know(context: Context, phone: str) -> None:
    """A farmer, a message, a report that fits none, the end of a session, photos to be fetched."""
    with context.store.transaction() as session:
        farmer = farmers.find_or_create(session, phone)
        outbox.post(session, key=phone, to=phone, text="x", kind="answer", farmer_id=farmer.id)
        reports.receive(session, Report(f"ATXid_{phone}", "Success", "delivered", phone=phone))
        digest = context.store.vault.number(phone)
        session.add(UssdSession(session_id=phone, address_digest=digest))
        values = {"key": phone, "phone": phone, "addresses": "https://media.example/1"}
        insert_once(session, MediaMessage, values, "key")
        session.add(MediaMessage(key=f"old{phone}", phone=phone, addresses="", done_at=now()))


def test_nothing_that_names_the_number_is_left_and_others_keep_theirs(
    any_context: Context,
) -> None:
    know(any_context, FARMER)
    know(any_context, OTHER)
    assert erasure.erase(any_context.store, any_context.photos, FARMER, by="test") is not None
    with any_context.store.reading() as session:
        counts = [
            session.scalar(select(func.count()).select_from(table))
            for table in (Farmer, Message, DeliveryReport, UssdSession, MediaMessage)
        ]
        assert farmers.find(session, FARMER) is None
    assert counts == [1, 1, 1, 1, 2]


def test_an_unknown_number_is_nothing_to_erase(any_context: Context) -> None:
    assert erasure.erase(any_context.store, any_context.photos, FARMER, by="test") is None
    with any_context.store.reading() as session:
        assert session.scalars(select(Event)).all() == []


def test_a_number_that_belongs_to_no_farmer_is_erased_too(any_context: Context) -> None:
    digest = any_context.store.vault.number(FARMER)
    with any_context.store.transaction() as session:
        session.add(UssdSession(session_id="s", address_digest=digest))
        outbox.post(session, key="k", to=FARMER, text="x", kind="reply")
    erased = erasure.erase(any_context.store, any_context.photos, FARMER, by="test")
    assert erased == erasure.Erased(0, 0)
    assert erasure.erase(any_context.store, any_context.photos, FARMER, by="test") is None
    with any_context.store.reading() as session:
        assert session.scalars(select(Event.kind)).all() == ["erased"]
        for table in (Message, UssdSession):
            assert session.scalars(select(table)).all() == []


@pytest.mark.parametrize("trains", [False, True])
def test_a_picture_goes_unless_it_is_shown_by_a_case_that_has_a_person_or_trains(
    any_context: Context, trains: bool
) -> None:
    keeper, _ = kiosk(any_context.store)
    for phone in (OTHER, FARMER):
        upload = intake.Upload(photo(), f"kiosk:{keeper.id}", phone, kiosk_id=keeper.id)
        intake.accept(any_context.store, any_context.photos, upload)
    (address,) = any_context.photos.addresses()
    with any_context.store.transaction() as session:
        other = farmers.find(session, OTHER)
        assert other is not None
        case = session.scalars(select(Case).where(Case.farmer_id == other.id)).one()
        case.farmer = farmers.nobody(session, training=trains)
    assert erasure.erase(any_context.store, any_context.photos, FARMER, by="test") is not None
    if trains:
        assert any_context.photos.get(address)
    else:
        with pytest.raises(PhotoMissing):
            any_context.photos.get(address)


def dial(context: Context, text: str, tag: str = "ATUid_1") -> str:
    return answer(context.ussd, UssdRequest(tag, FARMER, "*384*123#", "99999", text)).body


def redis_holds(context: Context) -> bytes:
    """Every key and value in Redis, in one piece."""
    found = b""
    for key in context.redis.scan_iter():
        kind = context.redis.type(key)
        found += key
        if kind == b"hash":
            found += b" ".join(a + b for a, b in context.redis.hgetall(key).items())
        elif kind == b"set":
            found += b" ".join(context.redis.smembers(key))
        elif kind == b"string":
            found += context.redis.get(key)
    return found


def test_an_officers_screen_in_redis_is_sealed_and_forgotten(context: Context) -> None:
    farmer = things.farmer(context.store)
    with context.store.transaction() as session:
        officers.add(session, FARMER.replace("1", "9"), "Keza", "Rwamagana", ["en"])
        case = Case(
            code="K7Q2M93", farmer_id=farmer.id, source="kiosk", language="en", crop="maize",
            place="Kagano", area="Rwamagana", state="answered", label="common_rust",
        )  # fmt: skip
        session.add(case)
    body = dial(context, "") + dial(context, "1")
    assert "K7Q2M93" in body
    held = redis_holds(context)
    for word in (b"K7Q2M93", b"Kagano", FARMER[1:].encode(), b"maize", b"screen"):
        assert word not in held
    assert erasure.erase(context.store, context.photos, FARMER, by="test") is not None
    assert context.redis.keys("ussd*") == []


def test_a_session_goes_on_after_everything_was_deleted_in_it(context: Context) -> None:
    things.farmer(context.store)
    dial(context, "", "other")
    dial(context, "")
    for path in ("7", "7*5", "7*5*1"):
        body = dial(context, path)
    assert body.startswith("END")
    with context.store.reading() as session:
        assert farmers.find(session, FARMER) is None
    assert dial(context, path) == body  # the network asks again
    assert len(context.redis.keys("ussd:*")) == 1


def keep_callback(context: Context) -> None:
    Spool(context.settings.spool, context.store.vault).keep(
        "sms", {"id": "ATXid_1", "from": FARMER, "text": "HELP", "date": ""}
    )


def test_a_callback_that_waits_is_deleted_too(context: Context) -> None:
    keep_callback(context)
    Spool(context.settings.spool, context.store.vault).keep("sms", {"from": OTHER, "text": "x"})
    assert erasure.erase(context.store, context.photos, FARMER, by="test") == erasure.Erased(0, 0)
    spool = Spool(context.settings.spool, context.store.vault)
    left: list[str] = []
    assert spool.replay(lambda _kind, fields: left.append(fields["from"]))
    assert left == [OTHER]


def test_a_callback_that_waits_on_another_host_does_not_make_the_farmer_again(
    context: Context, tmp_path: Path
) -> None:
    elsewhere = replace(
        context, settings=context.settings.model_copy(update={"home": tmp_path / "other"})
    )
    things.farmer(context.store)
    keep_callback(elsewhere)
    assert erasure.erase(context.store, context.photos, FARMER, by="test") is not None
    keep_after = {"id": "ATXid_2", "from": OTHER, "text": "HELP", "date": ""}
    Spool(elsewhere.settings.spool, context.store.vault).keep("sms", keep_after)
    _, replayer = spool_of(elsewhere)
    spool = Spool(elsewhere.settings.spool, context.store.vault)
    wait_until(lambda: not spool.waits(), "the spool to be taken in")
    with context.store.reading() as session:
        addresses = {m.address for m in session.scalars(select(Message))}
        assert farmers.find(session, FARMER) is None
    assert (addresses, spool.failed()) == ({OTHER}, 0)
    assert replayer is not None


def test_a_restored_backup_does_not_bring_anybody_back(settings: Settings, tmp_path: Path) -> None:
    file, backup = Path(settings.database_url.removeprefix("sqlite:///")), tmp_path / "backup"
    first = Context.open(settings)
    keeper, _ = things.kiosk(first.store)
    for shade, phone in ((70, FARMER), (80, OTHER)):
        upload = intake.Upload(photo(shade), f"kiosk:{keeper.id}", phone, kiosk_id=keeper.id)
        intake.accept(first.store, first.photos, upload)
    with first.store.transaction() as session:
        outbox.post(session, key="k", to="+250788000003", text="x", kind="answer")
    first.close()
    shutil.copy(file, backup)
    shutil.copytree(settings.home / "photos", tmp_path / "photos")

    second = Context.open(settings)
    for phone in (FARMER, "+250788000003"):
        assert erasure.erase(second.store, second.photos, phone, by="test") is not None
    second.close()
    for left in file.parent.glob(file.name + "*"):
        left.unlink()
    shutil.copy(backup, file)
    shutil.copytree(tmp_path / "photos", settings.home / "photos", dirs_exist_ok=True)

    restored = Context.open(settings)
    assert erasure.replay(restored.store, restored.photos) == 2
    assert erasure.replay(restored.store, restored.photos) == 0
    with restored.store.reading() as session:
        assert farmers.find(session, FARMER) is None
        assert farmers.find(session, OTHER) is not None
        assert session.scalars(select(Message.address)).all() == []
    assert len(list(restored.photos.addresses())) == 1
    # Who comes again afterwards is not deleted by it.
    things.farmer(restored.store)
    assert erasure.replay(restored.store, restored.photos) == 0
    restored.close()
    (settings.home / "erasures").unlink()
    last = Context.open(settings)
    assert erasure.replay(last.store, last.photos) == 0
    assert len(Book(settings.home / "erasures").entries()) == 2  # from the store, for the next
    last.close()


def test_a_line_that_a_power_cut_left_half_written_is_passed_over(tmp_path: Path) -> None:
    book = Book(tmp_path / "erasures")
    entry = ("a" * 64, now())
    book.write(entry)
    with (tmp_path / "erasures").open("a") as file:
        file.write("b" * 30)
    assert book.entries() == {entry}


@pytest.mark.parametrize("typed", ["+9991234567890", "9991234567890", "00999 123 456 7890"])
def test_a_number_that_no_table_knows_is_erased(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    context = Context.open(settings)
    know(context, "+9991234567890")
    context.close()
    for name in ("home", "database_url", "redis_url"):
        monkeypatch.setenv(Settings.variable(name), str(getattr(settings, name)))
    monkeypatch.setenv("LEAFLINE_SECRET_KEY", settings.encryption_key)
    done = CliRunner().invoke(erase, ["--yes", typed])
    assert (done.exit_code, done.output) == (0, "deleted: 0 cases, 0 photos\n")
