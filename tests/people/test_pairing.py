from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text

from gateway.people import PeopleError, kiosks, pairing
from gateway.store import Store
from gateway.store.base import now
from rig import things as house


def _code(store: Store) -> str:
    kiosk, _token = house.kiosk(store)
    with store.transaction() as session:
        return pairing.new_code(session, kiosk)


def test_a_code_works_once_and_is_not_in_the_store(store: Store) -> None:
    code = _code(store)
    with store.transaction() as session:
        device = pairing.pair(session, code, "one")
        assert pairing.kiosk_of(session, device.id) is device.kiosk
        assert code not in str(session.execute(text("SELECT * FROM kiosk_device")).one())
    with pytest.raises(pairing.BadPairing, match="another phone"), store.transaction() as session:
        pairing.pair(session, code, "two")


def test_the_same_browser_may_ask_again_when_the_answer_was_lost(store: Store) -> None:
    code = _code(store)
    with store.transaction() as session:
        first = pairing.pair(session, code, "one").id
    with store.transaction() as session:
        assert pairing.pair(session, code, "one").id == first


@pytest.mark.parametrize("form", ["{}", "{} ", "  {}\n"])
def test_a_code_may_be_typed_in_any_way(store: Store, form: str) -> None:
    code = _code(store)
    typed = form.format(pairing.written(code).lower())
    with store.transaction() as session:
        assert pairing.pair(session, typed, "one").paired_at is not None


@pytest.mark.parametrize("typed", ["", "2345623456", "x" * 1000, "é"])
def test_other_words_are_no_codes(store: Store, typed: str) -> None:
    _code(store)
    with pytest.raises(pairing.BadPairing), store.transaction() as session:
        pairing.pair(session, typed, "one")


def test_a_code_ends(store: Store) -> None:
    code = _code(store)
    later = now() + pairing.CODE_LIFETIME + timedelta(seconds=1)
    with (
        time_machine.travel(later),
        pytest.raises(pairing.BadPairing, match="ended"),
        store.transaction() as session,
    ):
        pairing.pair(session, code, "one")


def test_a_lost_phone_is_signed_out_and_open_codes_with_it(store: Store) -> None:
    code = _code(store)
    with store.transaction() as session:
        device = pairing.pair(session, code, "one")
        other = pairing.new_code(session, device.kiosk)
        session.flush()
        assert pairing.unpair(session, device.kiosk) == 2
    with store.transaction() as session:
        assert pairing.kiosk_of(session, device.id) is None
        with pytest.raises(pairing.BadPairing):
            pairing.pair(session, other, "one")


def test_a_disabled_kiosk_gets_no_code(store: Store) -> None:
    kiosk, _token = house.kiosk(store)
    with store.transaction() as session:
        kiosks.disable(session, str(kiosk.id))
        with pytest.raises(PeopleError, match="disabled"):
            pairing.new_code(session, kiosks.find(session, kiosk.name))
