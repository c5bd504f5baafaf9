"""The week, hour by hour: what people do, what the network carries, what must hold."""

from __future__ import annotations

import io
import itertools
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import time_machine
from PIL import Image
from sqlalchemy import select

from benchmarks.season.habits import (
    ADVICE,
    FINDINGS,
    LEAVE,
    MONDAY,
    OPERATOR,
    OUTCOMES,
    PROMISES,
    Cast,
    Farmer,
    Officer,
)
from benchmarks.season.rules import Told, contradictions
from gateway.agronomy import CROP_OF
from gateway.cases import escalation, intake, judgement, life, unanswered
from gateway.cases.case import hold
from gateway.cases.intake import Upload, UploadRefused
from gateway.context import Context
from gateway.dialogue.sms import Incoming, receive
from gateway.dialogue.ussd import answer as hop
from gateway.dialogue.ussd.phone import Phone
from gateway.jobs import followups, sweeps_cases
from gateway.outbox import claim
from gateway.outbox.network import Outcome, SendResult
from gateway.people import farmers, hours, officers
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Photo
from gateway.store.states import MessageState
from rig.dialogues import farmers as farmers_table
from rig.dialogues import officers as officers_table

HOUR = timedelta(hours=1)
AT_MOST = 28 * 24
"""Hours until when all must be settled."""


@dataclass
class Play:
    """One run of the house, and what was told in it."""

    context: Context
    dice: random.Random
    cast: Cast
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
        kiosk = self.dice.choice(self.cast.kiosks)
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
        elif not farmer.begins < hour < self.cast.days * 24 or chance > 0.03:
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
        rows = [text for state, text, _, _ in farmers_table.ROWS if state in states]
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
        if chance < 0.5 or hour >= self.cast.days * 24:
            return self.dice.choice(ADVICE)
        if chance < 0.75:
            return self.dice.choice(PROMISES)
        rows = [
            row.text for row in officers_table.ROWS if row.state.startswith("one") and row.relayed
        ]
        rows += [row.text for row in officers_table.ROWS if row.state == "one" and not row.relayed]
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
        with time_machine.travel(MONDAY, tick=False) as clock:
            for hour in range(AT_MOST):
                for farmer in self.cast.farmers:
                    self.farmer_acts(farmer, hour)
                for officer in self.cast.officers:
                    self.officer_acts(officer, hour)
                self.operator_acts()
                self.deliver()
                clock.shift(HOUR)
                self.sweep()
                self.deliver()
                if hour >= self.cast.days * 24 and not self.unsettled():
                    break
            self.faults += [f"{case.code} is {case.state}" for case in self.unsettled()]
            for farmer in self.cast.farmers:
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
