"""The auditor: what clients were told against what the store and the phones hold. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from rig.storm.clients import Ledger

TAKEN = ("sent", "delivered")
BESIDE = ("reply", "notice", "reminder")
"""Kinds of message that are not the word of a case itself."""
UNDELIVERED = "answers:undelivered"
OPEN = ("queued", "held", "sending", "unknown")


@dataclass(frozen=True)
class Out:
    """A message of the outbox."""

    phone: str
    text: str
    state: str
    outcome: str
    kind: str
    resent: bool = False
    case: str = ""
    """Code of the case it is about, if any."""
    to_farmer: bool = False
    provider_id: str = ""

    def __str__(self) -> str:
        again = " sent again" if self.resent else ""
        return f"{self.kind} {self.case} {self.state}{again} {self.outcome} {self.provider_id}"


@dataclass(frozen=True)
class CaseFacts:
    code: str
    phone: str
    state: str
    waiting_photos: int = 0
    diagnoses: int = 0
    photos: int = 0
    held: bool = False
    """An escalation is open: an officer or the operator has it."""
    closed_by_officer: int = 0


@dataclass
class Evidence:
    """What there is when everything has come to rest."""

    cases: dict[str, CaseFacts] = field(default_factory=dict)
    uploads: dict[str, list[str]] = field(default_factory=dict)
    """Client id to the codes of the cases that its photos belong to."""
    bytes_missing: int = 0
    received: Counter[str] = field(default_factory=Counter)
    """Id of an incoming SMS to how often it is kept."""
    replies: Counter[str] = field(default_factory=Counter)
    messages: list[Out] = field(default_factory=list)
    phones: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(number, text) to how often that phone got it."""
    consents: set[str] = field(default_factory=set)
    opted_out: set[str] = field(default_factory=set)
    requests: Counter[str] = field(default_factory=Counter)
    """Number to its cases that began with a request for an officer."""
    reports_told: set[tuple[str, str]] = field(default_factory=set)
    """(id, status) of delivery reports that were answered 200."""
    reports: set[tuple[str, str]] = field(default_factory=set)
    undelivered: set[str] = field(default_factory=set)
    """Ids of messages that the network took and no handset got."""
    incidents: set[str] = field(default_factory=set)
    """Causes of the open ones."""
    on_queue: int = 0
    spooled: int = 0
    set_aside: int = 0


@dataclass
class Findings:
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    twice_in_window: int = 0
    """Phones that got a message twice because its fate was unknown and it was sent again."""

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.stuck or self.unanswered)


def audit(told: Ledger, found: Evidence) -> Findings:
    """Compare; every finding is one line that says what is wrong with what."""
    findings = Findings()
    findings.lost += [*_lost_uploads(told, found), *_lost_callbacks(told, found)]
    findings.lost += [line for line, _ in _phones(found) if line.startswith("lost")]
    findings.doubled += _doubled(told, found)
    findings.doubled += [line for line, _ in _phones(found) if line.startswith("doubled")]
    findings.twice_in_window = sum(count for line, count in _phones(found) if not line)
    findings.stuck += _stuck(found)
    findings.unanswered += _unanswered(found)
    return findings


def _lost_uploads(told: Ledger, found: Evidence) -> Iterator[str]:
    for client_id, codes in told.uploads.items():
        for code in codes:
            case = found.cases.get(code)
            if case is None:
                yield f"{client_id}: case {code} is not there"
            elif case.phone != told.phones[client_id]:
                yield f"{client_id}: case {code} belongs to another number"
        if not found.uploads.get(client_id):
            yield f"{client_id}: its photo is not there"
    if found.bytes_missing:
        yield f"{found.bytes_missing} photos have no bytes"


def _lost_callbacks(told: Ledger, found: Evidence) -> Iterator[str]:
    yield from (f"{key}: not kept" for key in told.sms if not found.received[key])
    yield from (f"{phone}: STOP not kept" for phone in told.stops - found.opted_out)
    yield from (f"{phone}: consent not kept" for phone in told.consents - found.consents)
    yield from (f"{p}: request not kept" for p in told.requests if not found.requests[p])
    for message_id, status in told_but_missing(found):
        yield f"report {status} of {message_id} not kept"
    if found.set_aside:
        yield f"{found.set_aside} callbacks set aside"


def told_but_missing(found: Evidence) -> set[tuple[str, str]]:
    return found.reports_told - found.reports


def _doubled(told: Ledger, found: Evidence) -> Iterator[str]:
    for client_id, codes in told.uploads.items():
        if len(codes) > 1:
            yield f"{client_id}: told {len(codes)} cases"
    for client_id, made in found.uploads.items():
        if len(made) > 1:
            yield f"{client_id}: {len(made)} photos"
    for case in found.cases.values():
        if case.diagnoses > case.photos:
            yield f"case {case.code}: {case.diagnoses} diagnoses of {case.photos} photos"
        if case.closed_by_officer > 1:
            yield f"case {case.code}: {case.closed_by_officer} officer's answers"
    for kind, counter in (("kept", found.received), ("answered", found.replies)):
        yield from (f"{key}: {kind} {n} times" for key, n in counter.items() if n > 1)
    for phone, count in found.requests.items():
        if count > 1:
            yield f"{phone}: {count} requests for an officer"


def _phones(found: Evidence) -> Iterator[tuple[str, int]]:
    """(finding, or empty for one inside the window; how many) of every text in every phone."""
    rows: dict[tuple[str, str], list[Out]] = {}
    for message in found.messages:
        rows.setdefault((message.phone, message.text), []).append(message)
    for key in rows.keys() | found.phones.keys():
        posted, got = rows.get(key, []), found.phones[key]
        most = len(posted) + sum(row.resent for row in posted)
        taken = sum(
            row.state in TAKEN and row.provider_id not in found.undelivered for row in posted
        )
        about = ", ".join(map(str, posted)) or "nothing we posted"
        if got > most:
            yield f"doubled: {key[0]} got {got} of {len(posted)} ({about})", got - most
        elif got > len(posted):
            yield "", got - len(posted)
        if got < taken:
            yield f"lost: {key[0]} got {got} of {taken} taken ({about})", taken - got


def _stuck(found: Evidence) -> Iterator[str]:
    states = Counter(row.state for row in found.messages if row.state in OPEN)
    yield from (f"{count} messages are {state}" for state, count in states.items())
    waiting = sum(case.waiting_photos for case in found.cases.values())
    if waiting:
        yield f"{waiting} photos without a diagnosis"
    if found.on_queue:
        yield f"{found.on_queue} jobs on the queue"
    if found.spooled:
        yield "callbacks in the spool"


def _unanswered(found: Evidence) -> Iterator[str]:
    """The last word of a case to its farmer was taken by the network, or a person has the case."""
    last = {
        row.case: row
        for row in found.messages
        if row.case and row.to_farmer and row.kind not in BESIDE
    }
    for case in found.cases.values():
        row = last.get(case.code)
        # A phone that was off has a day before a person is troubled.
        heard = row is not None and (row.state in TAKEN or row.outcome == "absent")
        # No officer has a closed case any more: the operator is told.
        seen = case.held or (case.state == "closed" and UNDELIVERED in found.incidents)
        if not (heard or seen):
            yield f"case {case.code} ({case.state}): no answer and no person ({row})"
