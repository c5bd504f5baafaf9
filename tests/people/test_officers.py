from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from gateway.cases import escalation, life
from gateway.people import PeopleError, farmers, officers
from gateway.store import Store
from gateway.store.models import Escalation, Officer


def _officer(
    session: Session, number: int, area: str = "Rwamagana", languages: str = "rw", load: int = 0
) -> Officer:
    phone = f"+2507880001{number:02}"
    officer, _ = officers.add(session, phone, f"Officer {number}", area, languages.split(","))
    for index in range(load):
        farmer = farmers.find_or_create(session, f"+25078812{number}{index:02}")
        case = escalation.open_case(session, farmer, source="ussd")
        life.move(session, case, life.ESCALATED, actor="test")
        session.add(Escalation(case_id=case.id, officer_id=officer.id, reason="test"))
    session.flush()
    return officer


@pytest.mark.parametrize(
    ("team", "area", "language", "chosen"),
    [
        pytest.param([("Rwamagana", "rw", 3), ("Rwamagana", "rw", 1)], "Rwamagana", "rw", 1,
                     id="fewest open cases"),
        pytest.param([("Rwamagana", "en", 0), ("Rwamagana", "rw", 0)], "Rwamagana", "rw", 1,
                     id="equally few: the one who speaks the language"),
        pytest.param([("*", "rw", 0), ("Rwamagana", "rw", 0)], "Rwamagana", "rw", 1,
                     id="equally few: the closer area"),
        pytest.param([("Kayonza", "rw", 0), ("Rwamagana", "rw", 9)], "Rwamagana/Muhazi", "rw", 1,
                     id="another area never"),
        pytest.param([("Kayonza", "rw", 0)], "Rwamagana", "rw", None, id="nobody for the area"),
        pytest.param([("Kayonza", "rw", 0)], None, "rw", 0, id="no area: anybody"),
        pytest.param([], "Rwamagana", "rw", None, id="nobody at all"),
    ],
)  # fmt: skip
def test_who_takes_a_case(
    store: Store, team: list[tuple[str, str, int]], area: str | None, language: str,
    chosen: int | None,
) -> None:  # fmt: skip
    with store.transaction() as session:
        people = [_officer(session, number, *member) for number, member in enumerate(team)]
        officer = officers.choose(session, area, language)
        assert officer is (None if chosen is None else people[chosen])


MONDAY_10 = datetime(2026, 3, 2, 8, tzinfo=UTC)  # 10:00 in Kigali
MONDAY_20 = datetime(2026, 3, 2, 18, tzinfo=UTC)
SATURDAY = datetime(2026, 3, 7, 8, tzinfo=UTC)
WEEK, EARLY, LATE, SUNDAY = (
    ("12345", "08:00-17:00"), ("123456", "06:00-14:00"), ("12345", "15:00-23:00"),
    ("7", "08:00-12:00"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("team", "moment", "chosen"),
    [
        pytest.param([(WEEK, 9), (LATE, 0)], MONDAY_10, 0, id="at work, however many cases"),
        pytest.param([(WEEK, 2), (EARLY, 1)], MONDAY_10, 1, id="both at work: fewest cases"),
        pytest.param([(WEEK, 0), (LATE, 0)], MONDAY_20, 1, id="in the evening: the late one"),
        pytest.param([(WEEK, 0), (SUNDAY, 5)], SATURDAY, 1, id="nobody: who is there soonest"),
        pytest.param([(WEEK, 1), (WEEK, 0)], SATURDAY, 1, id="equally soon: fewest cases"),
    ],
)
def test_who_is_at_work_goes_first(
    store: Store, team: list[tuple[tuple[str, str], int]], moment: datetime, chosen: int
) -> None:
    with store.transaction() as session:
        people = [_officer(session, number, load=load) for number, (_, load) in enumerate(team)]
        for officer, (times, _) in zip(people, team, strict=True):
            officer.work_days, officer.work_hours = times
        session.flush()
        zone = ZoneInfo("Africa/Kigali")
        taker = officers.choose(session, "Rwamagana", "rw", zone=zone, moment=moment)
        assert taker is people[chosen]


def test_who_is_off_duty_or_disabled_or_excluded_takes_nothing(store: Store) -> None:
    with store.transaction() as session:
        resting, gone, excluded = (_officer(session, number) for number in range(3))
        officers.set_duty(session, resting, False)
        officers.disable(session, gone.id)
        chosen = officers.choose(session, "Rwamagana", "rw", exclude=frozenset({excluded.id}))
        assert chosen is None
        assert officers.by_phone(session, gone.phone) is None


def test_a_pin_is_kept_as_a_hash_and_known_again(store: Store) -> None:
    with store.transaction() as session:
        officer, pin = officers.add(session, "+250788000001", "Keza", "Rwamagana", ["rw"])
        assert officer.pin_hash is not None
        assert pin not in officer.pin_hash
        assert officers.right_pin(officer, pin)
        assert not officers.right_pin(officer, "")
        assert not officers.right_pin(officer, pin + "0")


def test_a_number_has_one_officer(store: Store) -> None:
    with store.transaction() as session:
        officers.add(session, "+250788000001", "Keza", "Rwamagana", ["rw"])
        with pytest.raises(PeopleError, match="exists already"):
            officers.add(session, "+250788000001", "Other", "Rwamagana", ["rw"])


@pytest.mark.parametrize(
    ("days", "hours", "fits"),
    [
        ("12345", "08:00-17:00", True),
        ("1234567", "00:00-24:00", True),
        ("7", "06:30-06:31", True),
        ("", "08:00-17:00", False),
        ("21", "08:00-17:00", False),
        ("8", "08:00-17:00", False),
        ("1", "17:00-08:00", False),
        ("1", "08:00-08:00", False),
        ("1", "8-17", False),
        ("1", "08:00-24:30", False),
    ],
)
def test_working_hours(store: Store, days: str, hours: str, fits: bool) -> None:
    with store.transaction() as session:
        officer = _officer(session, 1)
        values = {"name": "Keza", "area": "Huye", "languages": ["en"], "on_duty": False}
        change = partial(officers.change, session, officer, by="operator:1", **values)
        if fits:
            change(work_days=days, work_hours=hours)
            assert (officer.work_days, officer.area, officer.on_duty) == (days, "Huye", False)
        else:
            with pytest.raises(PeopleError):
                change(work_days=days, work_hours=hours)


def test_a_new_pin_ends_the_old(store: Store) -> None:
    with store.transaction() as session:
        officer, old = officers.add(session, "+250788000199", "Keza", "*", ["rw"])
        new = officers.new_pin(session, officer, by="operator:1")
        assert officers.right_pin(officer, new)
        assert new == old or not officers.right_pin(officer, old)
