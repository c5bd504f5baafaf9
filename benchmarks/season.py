"""A week of a season, played: farmers, officers and kiosks with sloppy habits; time is moved.

    python -m benchmarks.season [--farmers 200] [--officers 6] [--kiosks 4] [--seed 1]
                                [--write docs/season.md]

Everything is the real house in one process, its store and Redis too; only the mobile network is
played: what the outbox would hand over arrives. What people write is drawn from the tables of
dialogues that the tests keep. One officer is on leave for three days, one never answers, nobody
new comes after the week, and the rest is played on until nothing is due any more.

Kept all along, or the run fails: after each round of sweeps no officer holds a case longer than the
rules allow; no text contradicts one that the same farmer got before it; at the end every case has
an answer, or a person and a day that the farmer was told.
"""

from __future__ import annotations

import argparse
import io
import itertools
import random
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine
from PIL import Image
from sqlalchemy import select

from benchmarks import document
from gateway.agronomy import CROP_OF
from gateway.cases import escalation, intake, judgement, life, unanswered
from gateway.cases.case import hold
from gateway.cases.intake import Upload, UploadRefused
from gateway.cases.triage import Finding
from gateway.context import Context
from gateway.dialogue.sms import Incoming, receive
from gateway.dialogue.ussd import answer as hop
from gateway.dialogue.ussd.phone import Phone
from gateway.jobs import followups, sweeps_cases
from gateway.outbox import claim
from gateway.outbox.network import Outcome, SendResult
from gateway.people import farmers, hours, kiosks, officers
from gateway.settings import Settings
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Message, Photo
from gateway.store.states import MessageState
from rig import servers
from rig.house import UNBOUNDED
from tests.dialogue.test_farmers_table import ROWS as FARMERS_ROWS
from tests.dialogue.test_officers_table import ROWS as OFFICERS_ROWS

MONDAY = datetime(2026, 11, 2, 5, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAYS = 7
AT_MOST = 28 * 24
"""Hours until when all must be settled."""
AREAS = ("Rwamagana/Muhazi", "Rwamagana/Karenge", "Kayonza/Mukarange", "Huye/Tumba")
OPERATOR = "+250788090000"
LEAVE = range(24, 96)
"""Hours in which one officer is on leave."""
NAMES = ("Keza", "Ada", "Bosco", "Chantal", "Eric", "Flo")
LANGUAGES = ("rw", "rw", "sw", "fr", "en")
ADVICE = (
    "Bury the worst leaves when it is dry and look again next week",
    "Uproot the sick plants and plant clean cuttings from the cooperative",
    "Nothing to do now, the crop will ripen",
)
PROMISES = (
    "I will visit on Friday", "I will call tomorrow", "Je passerai jeudi", "Nitakupigia kesho",
    "Nzagusura ejobundi", "I'll come in 3 days",
)  # fmt: skip
OUTCOMES = ("We met. Bury the sick leaves and do not keep the seed", "I saw it: uproot the row")
FINDINGS = (
    Finding("advice", "maize_rust", 0.97),
    Finding("advice", "bean_spot", 0.95),
    Finding("advice", "cassava_mosaic", 0.93),
    Finding("second_photo", "maize_blight", 0.55),
    Finding("unknown", "maize_rust", 0.4),
    Finding("no_leaf", "maize_rust", 0.3),
)

# What may not be said of a case after what, until something else was said of it.

WITH_OFFICER = ("ussd_case_with_officer", "words_passed")
WAITING = ("photo_received", "case_waiting")
PROMISE = ("promise_call", "promise_visit")
AFTER: Mapping[str, tuple[str, ...]] = {
    "no_officer": WITH_OFFICER,
    "promise_call": ("ussd_case_with_officer", "escalation_farmer", *WAITING),
    "promise_visit": ("ussd_case_with_officer", "escalation_farmer", *WAITING),
    "officer_closing": (*WITH_OFFICER, *WAITING, "ussd_case_promised_visit"),
}
NEWS = (
    *PROMISE, "no_officer", "escalation_farmer", "promise_passed", "officer_closing",
    "officer_undone",
)  # fmt: skip
"""Texts that tell a farmer how her case stands; the last of them is what holds."""


@dataclass(frozen=True)
class Told:
    """One text that a phone got or sent. `day`: that a promise named."""

    at: datetime
    phone: str
    text: str
    template: str = ""
    case: str = ""
    sent: bool = False
    """By the phone."""


def contradictions(told: Sequence[Told]) -> list[str]:
    """What one farmer was told of a case against what she had been told before it."""
    found: list[str] = []
    stands: dict[str, Told] = {}
    stopped = False
    for one in told:
        if one.sent or not one.template:
            continue
        stopped = one.template == "optout_confirm" or (stopped and one.template != "optin_confirm")
        before = stands.get(one.case)
        # Of a day that has gone by nobody is told any more that it is to come; and who wants no
        # messages was not told what happened since.
        holds = before is not None and not stopped and not _gone_by(before, one.at)
        if before is not None and holds and one.template in AFTER.get(before.template, ()):
            found.append(f"{one.phone}: {before.text!r}, and then {one.text!r}")
        day = _day(one)
        again = day and one.template not in PROMISE and holds
        if before is not None and again and _day(before) not in ("", day):
            found.append(f"{one.phone}: {before.text!r}, and then {one.text!r}")
        if one.case and one.template in NEWS:
            stands[one.case] = one
    return found


def _day(told: Told) -> str:
    found = re.search(r"\d\d/\d\d/\d{4}", told.text) if "promise" in told.template else None
    return found[0] if found else ""


def _gone_by(told: Told, moment: datetime) -> bool:
    day = _day(told)
    return bool(day) and moment > datetime.strptime(day, "%d/%m/%Y").replace(tzinfo=UTC)


@dataclass
class Farmer:
    phone: str
    language: str
    begins: int
    """Hour in which she first comes."""
    by: str
    """`kiosk`, `ussd` or `sms`."""
    area: str
    photos: int = 0


@dataclass
class Officer:
    phone: str
    name: str
    habit: str = "works"
    """`works`, `leave` or `silent`."""


@dataclass
class Play:
    context: Context
    dice: random.Random
    farmers: list[Farmer]
    officers: list[Officer]
    kiosks: list[int]
    days: int
    """In which somebody new comes."""
    told: dict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    seen: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # What the network carries

    def write(self, phone: str, text: str) -> None:
        self.told[phone].append(Told(now(), phone, text, sent=True))
        incoming = Incoming(f"season-{next(self.ids)}", phone, text, now())
        receive(self.context.dialogue, incoming)

    def deliver(self) -> None:
        """Whatever may leave arrives."""
        while True:
            moment = now()
            with self.context.store.transaction() as session:
                rows = claim.claim(session, limit=200, lease=HOUR, now=moment)
                for row in rows:
                    sent = SendResult(Outcome.SENT, provider_id=f"season-{next(self.ids)}")
                    claim.settle(session, row.id, sent, moment, 0.0)
                    claim.finish(row, MessageState.DELIVERED, "", moment)
                    case = session.get(Case, row.case_id) if row.case_id else None
                    one = Told(
                        moment, row.address, row.text or "", row.template or "",
                        case.code if case else "",
                    )  # fmt: skip
                    self.told[row.address].append(one)
                    self.seen[one.template] += 1
            if not rows:
                return

    def dial(self, farmer: Farmer, keys: Sequence[str] = ()) -> None:
        """By these keys, and then by whatever is offered, as a child plays with a phone."""
        code = self.context.settings.ussd_code
        phone = Phone(lambda r: hop(self.context.ussd, r).body, farmer.phone, code=code).dial()
        self._screen(farmer, code, phone)
        for step in range(6):
            if phone.ended:
                return
            offered = re.findall(r"(?m)^(\d{1,2}) ", phone.screen)
            key = keys[step] if step < len(keys) else self.dice.choice([*offered, "1"])
            phone.answer(key)
            self._screen(farmer, key, phone)

    def _screen(self, farmer: Farmer, typed: str, phone: Phone) -> None:
        self.told[farmer.phone].append(Told(now(), farmer.phone, typed, "", sent=True))
        self.told[farmer.phone].append(Told(now(), farmer.phone, phone.screen.replace("\n", " | ")))

    # What people do

    def photo(self, farmer: Farmer, case: str | None = None) -> None:
        """At a kiosk, where the machine says something of the leaf. A neighbour's phone now and
        then, and an agent who forgets who was there before."""
        finding = self.dice.choice(FINDINGS if case is None else FINDINGS[:3])
        label = finding.label or "maize_rust"
        kiosk = self.dice.choice(self.kiosks)
        upload = Upload(
            photo=_picture(next(self.ids)),
            source=f"kiosk:{kiosk}",
            phone=None if case else farmer.phone,
            case=case,
            last4=farmer.phone[-4:] if case else "",
            crop=CROP_OF[label] if self.dice.random() < 0.9 else "beans",
            language=self.dice.choice((farmer.language, farmer.language, "en")),
            name=self.dice.choice((None, None, "Mukamana")) if case is None else None,
            area=farmer.area,
            kiosk_id=kiosk,
            answers={"plants": self.dice.choice(("one", "few", "half", "most"))},
        )
        try:
            taken = self._take(upload)
        except UploadRefused as refused:
            self.seen[f"refused {refused.code}"] += 1
            if refused.code != "consent_withdrawn":
                return
            upload = Upload(**{**vars(upload), "agreed_again": True})
            taken = self._take(upload)
        with self.context.store.transaction() as session:
            photo = session.get_one(Photo, taken.photo_id)
            judged = hold(session, photo.case_id)
            assert judged is not None
            photo.diagnosed_at = now()
            farmer.photos += 1
            judgement.judge(session, self.context.desk, judged, finding, farmer.photos)

    def _take(self, upload: Upload) -> intake.Accepted:
        return intake.accept(self.context.store, self.context.photos, upload)

    def farmer_acts(self, farmer: Farmer, hour: int) -> None:
        chance = self.dice.random()
        if hour == farmer.begins:
            self._comes(farmer)
        elif not farmer.begins < hour < self.days * 24 or chance > 0.03:
            self._brings_photo(farmer)
        elif chance < 0.02:
            self.write(farmer.phone, self._sloppy(farmer))
        else:
            self.dial(farmer)

    def _comes(self, farmer: Farmer) -> None:
        if farmer.by == "kiosk":
            self.photo(farmer)
            return
        numbers = self.context.catalogue.menu_numbers
        number = next(key for key, language in numbers.items() if language == farmer.language)
        self.dial(farmer, (number, "1", "4") if farmer.by == "ussd" else (number, "1"))
        if farmer.by == "sms":
            self.write(farmer.phone, self.dice.choice(("OFFICER", "AFISA", "agronome svp")))

    def _brings_photo(self, farmer: Farmer) -> None:
        if self.dice.random() < 0.05:
            asked = [one for one in self._cases(farmer) if one.state == life.PHOTO_REQUESTED]
            if asked:
                self.photo(farmer, asked[0].code)

    def _sloppy(self, farmer: Farmer) -> str:
        states = ("has a case", "with officer", "duty", f"speaks {farmer.language}", "known")
        rows = [text for state, text, _, _ in FARMERS_ROWS if state in states]
        cases = self._cases(farmer)
        code = cases[0].code if cases else ""
        return self.dice.choice(rows).format(code=code, wrong=code[:-1], other=code)

    def _cases(self, farmer: Farmer) -> list[Case]:
        with self.context.store.reading() as session:
            known = farmers.find(session, farmer.phone)
            hers = select(Case).where(Case.farmer_id == (known.id if known else ""))
            return list(session.scalars(hers.order_by(Case.id.desc())))

    def officer_acts(self, officer: Officer, hour: int) -> None:
        leaves = officer.habit == "leave"
        if leaves and hour == LEAVE.start - 1:
            back = (now() + timedelta(hours=len(LEAVE))).date()
            self.write(officer.phone, f"OFF until {back:%d/%m}")
        if officer.habit == "silent" or (leaves and hour in range(LEAVE.start - 1, LEAVE.stop)):
            return
        for code in self._open(officer.phone):
            if self.dice.random() < 0.15:
                self.write(officer.phone, f"{code} {self._says(code, hour)}")

    def operator_acts(self) -> None:
        for code in self._open(OPERATOR):
            if self.dice.random() < 0.03:
                self.write(OPERATOR, f"{code} {self.dice.choice(ADVICE)}")

    def _says(self, code: str, hour: int) -> str:
        with self.context.store.reading() as session:
            case = session.scalars(select(Case).where(Case.code == code)).one()
            if case.state == life.PROMISED:
                held = escalation.promised(session, self.context.desk, case)
                return self.dice.choice(OUTCOMES) if held is None else "?"
        chance = self.dice.random()
        if chance < 0.5 or hour >= self.days * 24:
            return self.dice.choice(ADVICE)
        if chance < 0.75:
            return self.dice.choice(PROMISES)
        rows = [row.text for row in OFFICERS_ROWS if row.state.startswith("one") and row.relayed]
        rows += [row.text for row in OFFICERS_ROWS if row.state == "one" and not row.relayed]
        text = self.dice.choice(rows)
        keep = "{briefing}" in text or "{other}" in text or "OFF" in text.upper()
        return "?" if keep else text.format(code="", closed="")

    def _open(self, phone: str) -> list[str]:
        with self.context.store.reading() as session:
            who = None if phone == OPERATOR else officers.by_phone(session, phone)
            return [case.code for case in escalation.open_cases_of(session, who)]

    # What must hold

    def sweep(self) -> None:
        sweeps_cases.unanswered_escalations(self.context)
        sweeps_cases.cases_without_answer(self.context)
        sweeps_cases.undelivered_answers(self.context)
        followups.photo_reminders(self.context)
        followups.outcome_questions(self.context)
        settings = self.context.settings
        limits = unanswered.Limits(
            timedelta(hours=settings.remind_hours), timedelta(hours=settings.pass_on_hours)
        )
        with self.context.store.reading() as session:
            zone = hours.zone_of(settings.region)
            for number in unanswered.due(session, limits, zone, now()):
                held = session.get_one(Escalation, number)
                if held.officer_id is not None:
                    self.faults.append(f"{held.case.code} is held longer than the rules allow")

    def unsettled(self) -> list[Case]:
        """Cases without an answer, and without a person with a day."""
        with self.context.store.reading() as session:
            query = select(Case).where(Case.state.not_in([life.ANSWERED, life.CLOSED]))
            return [
                case
                for case in session.scalars(query)
                if escalation.promised(session, self.context.desk, case) is None
            ]

    def play(self) -> int:
        """Returns: hours until all was settled."""
        clock_starts = MONDAY
        with time_machine.travel(clock_starts, tick=False) as clock:
            for hour in range(AT_MOST):
                for farmer in self.farmers:
                    self.farmer_acts(farmer, hour)
                for officer in self.officers:
                    self.officer_acts(officer, hour)
                self.operator_acts()
                self.deliver()
                clock.shift(HOUR)
                self.sweep()
                self.deliver()
                if hour >= self.days * 24 and not self.unsettled():
                    break
            self.faults += [f"{case.code} is {case.state}" for case in self.unsettled()]
            for farmer in self.farmers:
                self.faults += contradictions(self.told[farmer.phone])
                if not any(not one.sent for one in self.told[farmer.phone]):
                    self.faults.append(f"{farmer.phone} was told nothing")
        return hour + 1


def _picture(shade: int) -> bytes:
    out = io.BytesIO()
    picture = Image.new("RGB", (320, 240), (40, 120, 40))
    for bit in range(24):  # a stripe for each bit: another number is another photo
        if shade >> bit & 1:
            picture.paste((200, 40, 40), (bit * 12, 0, bit * 12 + 10, 240))
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


def cast(
    context: Context, dice: random.Random, crowd: int, desk: int, places: int, days: int = DAYS
) -> Play:
    """Who plays. Numbers are made up, as everywhere in the documents."""
    people = []
    with context.store.transaction() as session:
        doors = [kiosks.add(session, f"Kiosk {n}", AREAS[n % 4])[0].id for n in range(places)]
        for n in range(desk):
            spoken = list(dict.fromkeys([LANGUAGES[n % len(LANGUAGES)], "en"]))
            phone, name = f"+25078808{n:04d}", NAMES[n % len(NAMES)]
            row, _ = officers.add(session, phone, name, ("*", "Rwamagana", "Huye")[n % 3], spoken)
            row.work_hours = "08:00-17:00"
            habit = {0: "leave", 1: "silent"}.get(n, "works")
            people.append(Officer(phone, name, habit))
    came = [
        Farmer(
            phone=f"+25078800{n:04d}",
            language=dice.choice(LANGUAGES),
            begins=dice.randrange(0, (days - 1) * 24),
            by=dice.choice(("kiosk", "kiosk", "ussd", "sms")),
            area=dice.choice(AREAS),
        )
        for n in range(1, crowd + 1)
    ]
    return Play(context, dice, came, people, doors, days)


@contextmanager
def house(folder: Path, redis_url: str) -> Iterator[Context]:
    settings = Settings.read(
        home=folder,
        redis_url=redis_url,
        channel_keys="channel-key-of-the-season",
        operator_phone=OPERATOR,
        **{name.removeprefix("LEAFLINE_").lower(): 0 for name in UNBOUNDED},
    )
    context = Context.open(settings)
    context.store.migrate()
    try:
        yield context
    finally:
        context.close()


def transcript(play: Play) -> list[str]:
    """The week of the farmer who saw most, as Markdown; her codes are made-up ones."""
    in_week = MONDAY + timedelta(days=7)

    def kinds(farmer: Farmer) -> tuple[bool, int]:
        told = [one for one in play.told[farmer.phone] if one.at < in_week]
        seen = {one.template for one in told}
        return bool(seen & set(PROMISE)), len(seen) if len(told) < 40 else 0

    farmer = max(play.farmers, key=kinds)
    told = [one for one in play.told[farmer.phone] if one.at < in_week]
    codes = list(dict.fromkeys(one.case for one in told if one.case))
    made_up = dict(zip(codes, ("K7Q2M93", "2345679", "CDFHJKM"), strict=False))
    lines = [f"`{farmer.phone}`, who speaks `{farmer.language}` and came by {farmer.by}:", ""]
    for one in told:
        text = one.text
        for code, instead in made_up.items():
            text = text.replace(code, instead)
        who = "she" if one.sent else "Leafline"
        lines.append(f"* {one.at:%a %H:%M} **{who}**: {text}")
    return lines


def figures(play: Play, hours_: int) -> list[str]:
    with play.context.store.reading() as session:
        states = Counter(session.scalars(select(Case.state)))
        texts = len(session.scalars(select(Message.id).where(Message.direction == "out")).all())
    rows = [
        [
            "farmers, officers, kiosks",
            f"{len(play.farmers)}, {len(play.officers)}, {len(play.kiosks)}",
        ],
        ["cases", f"{sum(states.values())}"],
        ["of which answered", f"{states[life.CLOSED] + states[life.ANSWERED]}"],
        ["of which with a person and a day", f"{states[life.PROMISED]}"],
        ["SMS out", f"{texts}"],
        ["calls and visits announced", f"{sum(play.seen[name] for name in PROMISE)}"],
        ["reminders to officers", f"{play.seen['officer_reminder']}"],
        ["what came of it, asked", f"{play.seen['officer_promise_due']}"],
        ["passed to a colleague", f"{play.seen['officer_released']}"],
        ["days until all was settled", f"{hours_ / 24:.1f}"],
        ["contradictions, cases held too long, cases left", f"{len(play.faults)}"],
    ]
    return document.table(["of one run", ""], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--farmers", type=int, default=200)
    parser.add_argument("--officers", type=int, default=6)
    parser.add_argument("--kiosks", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="document that takes figures and transcript")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.redis_server() as redis_url,
        house(Path(folder), redis_url) as context,
    ):
        dice = random.Random(asked.seed)
        play = cast(context, dice, asked.farmers, asked.officers, asked.kiosks)
        took = play.play()
        lines = figures(play, took)
        print("\n".join(lines))
        print("\n".join(play.faults[:40]))
        if asked.write:
            document.put(asked.write, "season", [*lines, "", *transcript(play)])
    if play.faults:
        raise SystemExit(f"{len(play.faults)} faults")


if __name__ == "__main__":
    main()
