"""What may be spent in a day: a pure rule, and the book of what was spent.

Asked when a message is claimed, so that nothing is lost: what goes over a ceiling is held until the
day is over, or until a sender starts with other ceilings. The book is kept in the claim's own
transaction and outlives an erasure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from phonenumbers import country_code_for_region
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from gateway.outbox.kinds import POLICY, Kind
from gateway.outbox.network import Money
from gateway.people import areas, farmers, hours, msisdn
from gateway.settings import Settings
from gateway.store.database import insert_once, insert_or_set, vault_of
from gateway.store.models import Case, Farmer, Message, Spending
from gateway.store.states import MessageState
from gateway.watch import incidents

REST = 0.5
"""Share of a ceiling up to which replies, notices and reminders may go: the other half is kept for
answers and escalations."""
FIRST = frozenset({Kind.ANSWER, Kind.ESCALATION})
SERVICE, COST = "service", "cost"
CAUSE = "money:"
KEPT = timedelta(days=2)
BATCH = 500
WHAT = {
    "number": "NUMBER_DAILY: what one number causes",
    "officer": "OFFICER_DAILY: what one officer gets",
    "kiosk": "KIOSK_DAILY: what one kiosk causes",
    "district": "DISTRICT_DAILY: what one district causes",
    SERVICE: "SERVICE_DAILY: what the whole service sends",
    COST: "SERVICE_DAILY_COST: what the whole service spends",
}


@dataclass(frozen=True)
class Limits:
    """SMS parts a day (0: no ceiling), and where they may go."""

    number: int = 0
    officer: int = 0
    kiosk: int = 0
    district: int = 0
    service: int = 0
    cost: Money | None = None
    codes: frozenset[str] = frozenset()
    """Calling codes with their `+`; empty: everywhere."""
    operator: str = ""
    """Never held for the service's sake: who is told of a ceiling must not wait behind it."""
    zone: ZoneInfo = hours.UTC_ZONE

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        region = settings.region
        operator = settings.operator_phone
        return cls(
            number=settings.number_daily,
            officer=settings.officer_daily,
            kiosk=settings.kiosk_daily,
            district=settings.district_daily,
            service=settings.service_daily,
            cost=_cost(settings.service_daily_cost),
            codes=calling_codes(settings.countries_served),
            operator=msisdn.parse(operator, region) if operator else "",
            zone=hours.zone_of(region),
        )

    @property
    def any(self) -> bool:
        parts = (self.number, self.officer, self.kiosk, self.district, self.service)
        return any(parts) or self.cost is not None

    def most(self, scope: str) -> int:
        """Parts a day of a scope; 0 where there is no ceiling."""
        most: int = getattr(self, scope.partition(":")[0], 0)
        return most

    def day(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()

    def next_day(self, now: datetime) -> datetime:
        local = now.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return (local + timedelta(days=1)).astimezone(now.tzinfo)


NONE = Limits()


def over(kind: str, parts: int, most: Mapping[str, int], spent: Mapping[str, int]) -> str:
    """The first scope in which a message finds no room today, or empty.

    Args:
        most: parts a day of each scope of the message; 0 is no ceiling.
        spent: parts of today. A message of more parts than a whole ceiling goes alone.
    """
    share = 1.0 if kind in FIRST else REST
    for scope, ceiling in most.items():
        so_far = spent.get(scope, 0)
        if ceiling and so_far + parts > max(1, int(ceiling * share)) and so_far:
            return scope
    return ""


def dear(kind: str, most: Decimal, spent: Decimal) -> bool:
    """Whether the service has spent its money of today."""
    return spent >= most * (1 if kind in FIRST else Decimal(REST))


def calling_codes(countries: tuple[str, ...]) -> frozenset[str]:
    return frozenset(f"+{country_code_for_region(country)}" for country in countries)


def abroad(phone: str, codes: frozenset[str]) -> bool:
    """Whether a number (E.164) is of no country to which we send."""
    return bool(codes) and not phone.startswith(tuple(codes))


def held_by(session: Session, message: Message, limits: Limits, now: datetime) -> str:
    """The ceiling that holds a message back, or empty; then it is charged."""
    if not limits.any:
        return ""
    scopes = _scopes(session, message)
    day = limits.day(now)
    _lock(session, day)
    rows = {scope: session.get(Spending, (scope, day)) for scope in (*scopes, SERVICE)}
    spent = {scope: row.parts for scope, row in rows.items() if row is not None}
    most = {scope: limits.most(scope) for scope in scopes}
    if message.address != limits.operator:
        most[SERVICE] = limits.service
    if scope := over(message.kind, message.parts, most, spent):
        return scope
    if limits.cost is not None and message.address != limits.operator:
        row = session.get(Spending, (f"{COST}:{limits.cost.currency}", day))
        if row is not None and dear(message.kind, limits.cost.amount, row.cost):
            return COST
    for scope in rows:
        _add(session, scope, day, message.parts)
    return ""


def hold(message: Message, scope: str, limits: Limits, now: datetime) -> None:
    """Until the day is over, or until the message would be too old: then it is to end."""
    old = message.created_at + POLICY[message.kind].lifetime + timedelta(seconds=1)
    message.state = MessageState.HELD
    # A number is not named: its digest is a person's too.
    name = scope.partition(":")[0] if scope.startswith(("number:", "officer:")) else scope
    message.outcome = f"{CAUSE}{name}"[:40]
    message.not_before = min(limits.next_day(now), old)


def give_back(session: Session, message: Message, limits: Limits, now: datetime) -> None:
    """What was not taken by the network costs nothing."""
    if not limits.any:
        return
    day = limits.day(now)
    _lock(session, day)
    for scope in (*_scopes(session, message), SERVICE):
        row = session.get(Spending, (scope, day))
        if row is not None:
            row.parts = max(0, row.parts - message.parts)


def pay(session: Session, cost: Money, limits: Limits, now: datetime) -> None:
    """Write down what the network asked for a message."""
    if limits.cost is not None and cost.currency == limits.cost.currency:
        day = limits.day(now)
        _lock(session, day)
        _add(session, f"{COST}:{cost.currency}", day, 0, cost.amount)


def release(session: Session, now: datetime, *, all_: bool = False) -> int:
    """Let held messages be claimed again: those whose time has come, or all of them."""
    query = select(Message.id).where(Message.state == MessageState.HELD)
    if not all_:
        query = query.where(Message.not_before <= now)
    freed = session.execute(
        update(Message)
        .where(Message.id.in_(query))
        .values(state=MessageState.QUEUED, outcome=None, not_before=now)
        .execution_options(synchronize_session=False)
        .returning(Message.id)
    )
    return len(freed.all())


def watch(session: Session, limits: Limits, now: datetime) -> None:
    """An incident for each ceiling behind which messages wait; forget what was spent long ago."""
    query = (
        select(Message.outcome, func.count())
        .where(Message.state == MessageState.HELD)
        .group_by(Message.outcome)
    )
    waiting = {outcome: count for outcome, count in session.execute(query) if outcome}
    details = {}
    for cause, count in waiting.items():
        what = WHAT.get(cause.removeprefix(CAUSE).partition(":")[0], "a ceiling")
        details[cause] = f"{count} messages wait for the next day: LEAFLINE_{what}"
    incidents.mark_all(session, CAUSE, details)
    old = limits.day(now - KEPT)
    session.execute(delete(Spending).where(Spending.day < old))


def count(session: Session, scope: str, day: date) -> int:
    """Count one try of today in a scope of its own; returns how many it makes."""
    first = {"scope": scope, "day": day, "parts": 1, "cost": 0}
    more = {"parts": Spending.parts + 1}
    row = insert_or_set(session, Spending, first, "scope", "day", instead=more)
    return int(row.parts)


def counted(session: Session, scope: str, day: date) -> int:
    """How many tries of that day were counted in this scope."""
    row = session.get(Spending, (scope, day))
    return 0 if row is None else row.parts


def _scopes(session: Session, message: Message) -> tuple[str, ...]:
    """Who uses up something with this message: whom it goes to, and who caused it.

    What an officer asks for herself is hers alone.
    """
    digest = vault_of(session).digest
    staff = message.officer_id is not None or message.farmer_id is None
    if message.officer_id is not None or (staff and message.kind == Kind.ESCALATION):
        found = [f"officer:{digest(message.address)}"]
        if message.kind != Kind.ESCALATION:
            return tuple(found)
    else:
        found = [f"number:{digest(message.address)}"]
    case = session.get(Case, message.case_id) if message.case_id else None
    farmer = session.get(Farmer, message.farmer_id) if message.farmer_id else None
    if case is not None:
        farmer = farmer or case.farmer
        if case.farmer_id not in farmers.NO_PERSON:
            found.append(f"number:{digest(case.farmer.phone)}")
        if case.kiosk_id is not None:
            found.append(f"kiosk:{case.kiosk_id}")
    area = (case and case.area) or (farmer and farmer.area) or ""
    if units := areas.units(area):
        found.append(f"district:{units[0]}")
    return tuple(dict.fromkeys(found))


def _lock(session: Session, day: date) -> None:
    """One claim at a time reads and writes the book, so that a ceiling holds exactly. The row of
    the whole service stands for the book; messages are locked before it, never after."""
    empty = {"scope": SERVICE, "day": day, "parts": 0, "cost": 0}
    insert_once(session, Spending, empty, "scope", "day")
    session.get(Spending, (SERVICE, day), with_for_update=True, populate_existing=True)


def _add(session: Session, scope: str, day: date, parts: int, cost: Decimal = Decimal(0)) -> None:
    row = session.get(Spending, (scope, day))
    if row is None:
        row = Spending(scope=scope, day=day, parts=0, cost=Decimal(0))
        session.add(row)
        session.flush()
    row.parts += parts
    row.cost += cost


def _cost(given: str) -> Money | None:
    if not given:
        return None
    currency, amount = given.split()
    return Money(Decimal(amount), currency)
