"""The ring of keys: several read, one writes, and nobody works on a store with the wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from gateway import outbox
from gateway.outbox.claim import claim
from gateway.people import farmers, kiosks
from gateway.store import Store, StoreError, keys
from gateway.store.base import Unreadable, now
from gateway.store.models import Case, Farmer, Message, Officer
from gateway.store.vault import SealBroken, Vault
from rig import things
from tests.conftest import SECRET

NEW = "another secret, made when the first one leaked"
StoreWith = Callable[..., Store]
FOREIGN = "a secret that a host made for itself at its start"


def test_a_ring_reads_with_all_its_keys_and_writes_with_the_first() -> None:
    old, ring, new = Vault(SECRET), Vault(NEW, [SECRET]), Vault(NEW)
    assert ring.open_text(old.seal_text("before")) == "before"
    assert ring.open_photo(old.seal_photo(b"before")) == b"before"
    assert new.open_text(ring.seal_text("after")) == "after"
    with pytest.raises(SealBroken):
        old.open_text(ring.seal_text("after"))


def test_what_names_its_key_cannot_be_given_the_name_of_another() -> None:
    ring, other = Vault(NEW, [SECRET]), Vault(SECRET, [NEW])
    sealed = ring.seal_text("+250788000001")
    with pytest.raises(SealBroken):
        ring.open_text(other.text_prefix + sealed[len(other.text_prefix) :])


def test_one_key_alone_writes_as_releases_before_could_read() -> None:
    assert Vault(SECRET).seal_text("x").startswith(b"\x01")


def test_a_host_with_a_key_of_its_own_is_refused(store: Store, store_with: StoreWith) -> None:
    keys.enter(store)
    with pytest.raises(StoreError, match="LEAFLINE_SECRET_KEY"):
        keys.enter(store_with(FOREIGN))
    with pytest.raises(StoreError, match="LEAFLINE_OLD_SECRET_KEYS"):
        keys.enter(store_with(FOREIGN, NEW))


def test_a_store_of_before_is_refused_too_when_the_key_opens_nothing(
    store: Store, store_with: StoreWith
) -> None:
    things.farmer(store)
    with pytest.raises(StoreError, match="does not open"):
        keys.enter(store_with(FOREIGN))
    keys.enter(store_with(NEW, SECRET))


def test_who_was_there_before_a_key_came_is_not_ready_any_more(
    store: Store, store_with: StoreWith
) -> None:
    keys.enter(store)
    assert keys.trouble(store) == ""
    keys.enter(store_with(NEW, SECRET))
    assert "lacks" in keys.trouble(store)


def test_a_host_without_the_key_leaves_messages_to_others(
    store: Store, store_with: StoreWith
) -> None:
    keys.enter(store)
    ring = store_with(NEW, SECRET)
    keys.enter(ring)
    with ring.transaction() as session:
        outbox.post(session, key="k", to=things.FARMER, text="x", kind=outbox.Kind.ANSWER)
    lease = timedelta(minutes=1)
    with store.transaction() as session:
        assert claim(session, limit=10, lease=lease, now=now()) == []
        assert session.scalars(select(Message.state)).one() == "queued"
    with ring.transaction() as session:
        (message,) = claim(session, limit=10, lease=lease, now=now())
        assert message.text == "x"


def test_a_number_is_found_under_every_key_of_the_ring_and_made_once(
    store: Store, store_with: StoreWith
) -> None:
    farmer = things.farmer(store)
    ring = store_with(NEW, SECRET)
    with ring.transaction() as session:
        assert farmers.find_or_create(session, things.FARMER, lock=True).id == farmer.id
        assert session.scalars(select(Farmer.id)).all() == [farmer.id]


def test_tokens_and_photos_keep_their_names_when_the_first_key_is_gone(
    store: Store, store_with: StoreWith
) -> None:
    keys.enter(store)
    _, token = things.kiosk(store)
    name = store.vault.digest(b"a photo")
    keys.enter(store_with(NEW, SECRET))
    with store.transaction() as session:
        session.execute(
            text("DELETE FROM seal_key WHERE name = :n"), {"n": Vault(SECRET).writer.name}
        )
    alone = store_with(NEW)
    keys.enter(alone)
    assert alone.vault.digest(b"a photo") == name
    with alone.reading() as session:
        assert kiosks.by_token(session, token) is not None


def test_place_name_and_answers_are_sealed_and_old_plain_ones_are_read(
    store: Store, store_with: StoreWith
) -> None:
    with store.transaction() as session:
        farmer = farmers.find_or_create(session, things.FARMER)
        farmer.place = "Kagano, behind the mill"
        session.add(
            Case(
                code="K7Q2M93", farmer=farmer, source="kiosk", language="rw", place="Kagano",
                area="Rwamagana", state="received", answers={"plants": "few"},
            )
        )  # fmt: skip
    things.officer(store)
    query = "SELECT f.place, c.place, c.answers, o.name, c.area FROM farmer f, case_ c, officer o"
    with store.reading() as session:
        *sealed, area = session.execute(text(query)).one()
        words = str(sealed)
        assert not any(plain in words for plain in ("Kagano", "few", "plants", "Keza"))
        assert area == "Rwamagana"
        case = session.scalars(select(Case)).one()
        assert (case.place, case.answers) == ("Kagano", {"plants": "few"})
        assert session.scalars(select(Officer.name)).one() == "Keza"
    with store.transaction() as session:
        session.execute(
            text("UPDATE case_ SET place = 'Gahengeri', answers = '{\"sprayed\": \"no\"}'")
        )
    with store.reading() as session:
        case = session.scalars(select(Case)).one()
        assert (case.place, case.answers) == ("Gahengeri", {"sprayed": "no"})
    foreign = store_with(FOREIGN)
    with foreign.reading() as session:
        assert isinstance(session.scalars(select(Officer.name)).one(), Unreadable)
