from __future__ import annotations

import pytest
from sqlalchemy import text

from gateway.people import PeopleError, kiosks
from gateway.store import Store


def test_a_token_opens_and_is_not_in_the_store(store: Store) -> None:
    with store.transaction() as session:
        kiosk, token = kiosks.add(session, "Nyagasambu", "Rwamagana")
        assert kiosks.by_token(session, token) is kiosk
        assert kiosks.by_token(session, token[:-1]) is None
        row = session.execute(text("SELECT * FROM kiosk")).one()
        assert token not in str(row)


def test_a_disabled_kiosk_is_known_as_disabled(store: Store) -> None:
    with store.transaction() as session:
        kiosk, token = kiosks.add(session, "Nyagasambu", "Rwamagana")
        kiosks.disable(session, str(kiosk.id))
        found = kiosks.by_token(session, token)
        assert found is not None
        assert found.disabled_at is not None


@pytest.mark.parametrize(("name", "area"), [("", "Rwamagana"), ("x" * 81, "Rwamagana"), ("A", " ")])
def test_a_kiosk_without_a_proper_name_or_area_is_refused(
    store: Store, name: str, area: str
) -> None:
    with pytest.raises(PeopleError), store.transaction() as session:
        kiosks.add(session, name, area)


def test_names_are_unique_and_unknown_ones_are_said_so(store: Store) -> None:
    with store.transaction() as session:
        kiosks.add(session, "Nyagasambu", "Rwamagana")
        with pytest.raises(PeopleError, match="exists already"):
            kiosks.add(session, "Nyagasambu", "Kayonza")
        with pytest.raises(PeopleError, match="no kiosk 'Elsewhere'"):
            kiosks.disable(session, "Elsewhere")


@pytest.mark.parametrize(
    ("area", "opening", "position", "fits"),
    [
        ("Huye/Ngoma", "Mon-Fri", (-2.6, 29.74), True),
        ("Huye", None, None, True),
        (" ", None, None, False),
        ("Huye", "x" * 41, None, False),
        ("Huye", None, (91.0, 0.0), False),
        ("Huye", None, (0.0, float("nan")), False),
    ],
)
def test_what_changes_of_a_kiosk(
    store: Store,
    area: str,
    opening: str | None,
    position: tuple[float, float] | None,
    fits: bool,
) -> None:
    with store.transaction() as session:
        kiosk, _ = kiosks.add(session, "Nyagasambu", "Rwamagana")
        values = {"area": area, "opening": opening, "position": position, "by": "operator:1"}
        if fits:
            kiosks.change(session, kiosk, **values)
            assert (kiosk.area, kiosk.opening) == (area, opening)
            assert (kiosk.latitude, kiosk.longitude) == (position or (None, None))
        else:
            with pytest.raises(PeopleError):
                kiosks.change(session, kiosk, **values)
