"""Which officer gets a case."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from gateway.cases import escalation, life, routing
from gateway.cases.case import open_case
from gateway.context import Context
from gateway.people import farmers, officers
from gateway.store import Store
from gateway.store.models import Escalation, Officer
from rig import things as house


def _officer(
    session: Session, number: int, area: str = "Rwamagana", languages: str = "rw", load: int = 0
) -> Officer:
    phone = f"+2507880001{number:02}"
    officer, _ = officers.add(session, phone, f"Officer {number}", area, languages.split(","))
    for index in range(load):
        farmer = farmers.find_or_create(session, f"+25078812{number}{index:02}")
        case = open_case(session, farmer, source="ussd")
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
        pytest.param([("Rwamagana", "en", 0), ("Rwamagana", "sw,rw", 9)], "Rwamagana", "rw", 1,
                     id="the language counts before the load"),
        pytest.param([("Rwamagana/Muhazi", "en", 0), ("*", "rw", 4)], "Rwamagana/Muhazi", "rw", 1,
                     id="the language counts before the area"),
        pytest.param([("Rwamagana", "en", 3), ("Rwamagana", "fr", 1)], "Rwamagana", "rw", 1,
                     id="nobody speaks it: fewest open cases"),
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
        officer = routing.choose(session, area, language)
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
        taker = routing.choose(session, "Rwamagana", "rw", zone=zone, moment=moment)
        assert taker is people[chosen]


def test_who_is_off_duty_or_disabled_or_excluded_takes_nothing(store: Store) -> None:
    with store.transaction() as session:
        resting, gone, excluded = (_officer(session, number) for number in range(3))
        officers.set_duty(session, resting, False)
        officers.disable(session, gone.id)
        chosen = routing.choose(session, "Rwamagana", "rw", exclude=frozenset({excluded.id}))
        assert chosen is None


def test_a_case_that_is_handed_over_goes_to_nobody_who_had_it(context: Context) -> None:
    keza, ben = (house.officer(context.store, f"+25078800009{n}") for n in range(2))
    with context.store.transaction() as session:
        farmer = farmers.find_or_create(session, house.FARMER)
        case = escalation.request_officer(session, context.desk, farmer, "spreading")
        first = escalation.open_one(session, case)
        assert first is not None
        had, other = (keza, ben) if first.officer_id == keza.id else (ben, keza)
        assert escalation.hand_over(session, context.desk, had, case, "far")
        assert not escalation.hand_over(session, context.desk, other, case, "busy")
        assert escalation.open_cases_of(session, other) == [case]
    ali = house.officer(context.store, "+250788000092")
    with context.store.transaction() as session:
        assert escalation.hand_over(session, context.desk, other, case, "busy")
        assert routing.had_by(session, case) == {keza.id, ben.id, ali.id}
