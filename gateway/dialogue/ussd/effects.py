"""Carrying out what a screen asks for: a hop's effects in one transaction, but for the deletion of
a person, which comes first in one of its own."""

from __future__ import annotations

import logging

from sqlalchemy.orm import Session

from gateway import outbox
from gateway.cases import escalation, followups, news
from gateway.cases.case import by_code
from gateway.dialogue import answers
from gateway.dialogue.parts import Parts
from gateway.dialogue.ussd import facts as ask
from gateway.dialogue.ussd.agreed import Agreed
from gateway.people import farmers, officers, proof
from gateway.privacy import consent, erasure
from gateway.store.models import Case, Event, Farmer, Kiosk

log = logging.getLogger("leafline.ussd")

MOST_HELD = 20
"""Messages to one number that may wait behind a ceiling of the day."""


class Hand:
    """Acts for one caller in one session. Doing a hop's effects twice changes nothing."""

    def __init__(
        self, parts: Parts, phone: str, session_tag: str, language: str, answers: int
    ) -> None:
        """`answers`: how many the session's path has by now."""
        self._parts = parts
        self._phone = phone
        self._tag = session_tag
        self._language = language
        self._answers = answers

    def carry_out(self, effects: tuple[ask.Effect, ...]) -> bool:
        """Do all of it.

        Returns: False when an officer's case was not theirs any more, so that nothing came of it.

        Raises: whatever the store raises; then nothing was done.
        """
        if any(isinstance(effect, ask.Erase) for effect in effects):
            self._erase()
        try:
            with self._parts.store.transaction() as session:
                for effect in effects:
                    self._do(session, effect)
        except escalation.NotYours as error:
            log.warning("ussd session=%s case=%s is not theirs any more", self._tag, error)
            return False
        return True

    def _do(self, session: Session, effect: ask.Effect) -> None:
        match effect:
            case ask.SetLanguage(language):
                farmers.set_language(session, self._farmer(session), language, by="ussd")
            case ask.SetArea(area):
                self._farmer(session).area = area
            case ask.GiveConsent(language):
                self._consent(session, language)
            case ask.WithdrawConsent():
                consent.withdraw(session, self._farmer(session), by="ussd")
            case ask.AllowTraining(allowed):
                consent.allow_training(session, self._farmer(session), allowed, by="ussd")
            case ask.OptOut():
                farmers.opt_out(session, self._farmer(session), by="ussd")
            case ask.OptIn():
                farmers.opt_in(session, self._farmer(session), by="ussd")
            case ask.SendErasureCode():
                code = proof.code(self._parts.store.vault, self._phone)
                self._reply(session, "erasure_code", proof=code)
            case ask.MarkRead(code):
                news.read(session, _case(session, code), self._tag)
            case ask.Erase():
                self._reply(session, "erasure_done")
            case ask.RequestOfficer():
                self._request_officer(session, effect)
            case ask.RecordOutcome(code, better):
                self._outcome(session, code, better)
            case ask.AskLater(code):
                followups.ask_later(session, self._farmer(session), _case(session, code))
            case ask.SendText(template):
                self._reply(session, template)
            case ask.SendKiosk(kiosk_id):
                self._send_kiosk(session, kiosk_id)
            case _:
                self._do_as_officer(session, effect)

    def _do_as_officer(self, session: Session, effect: ask.Effect) -> None:
        officer = officers.by_phone(session, self._phone)
        if officer is None:
            return
        desk, texts = self._parts.desk, self._parts.texts
        match effect:
            case ask.SetDuty(on_duty):
                officers.set_duty(session, officer, on_duty)
            case ask.AcceptCase(code):
                escalation.accept(session, officer, _case(session, code))
            case ask.HandOver(code):
                escalation.hand_over(session, desk, officer, _case(session, code), "officer")
            case ask.AskPhoto(code):
                escalation.ask_photo(session, desk, officer, _case(session, code))
            case ask.AnswerCase(code, note, label):
                case = _case(session, code)
                words = desk.texts.render(note, case.spoken)
                answers.answer(
                    session, texts, desk, officer, case, words, label or None, ready=note
                )
            case ask.AnswerInWords(code, words, safe):
                case = _case(session, code)
                answers.answer(session, texts, desk, officer, case, words, safe=safe)

    def _farmer(self, session: Session) -> Farmer:
        return farmers.find_or_create(session, self._phone)

    def _consent(self, session: Session, language: str) -> None:
        farmer = self._farmer(session)
        began = "language_first" if farmer.language is None else "consent"
        farmers.set_language(session, farmer, language, by="ussd")
        path = Agreed(began, self._answers).to_row(self._tag)
        consent.give(session, farmer, by=f"ussd:{self._tag}", text="ussd_consent", path=path)

    def _request_officer(self, session: Session, effect: ask.RequestOfficer) -> None:
        farmer = self._farmer(session)
        case = by_code(session, effect.case)
        if case is not None and case.farmer_id != farmer.id:
            log.warning("ussd case=%s is another farmer's", case.code)
            return
        told = {
            "stage": effect.stage,
            "plants": effect.plants,
            "sprayed": effect.sprayed,
            "look": effect.look,
            "sign": effect.sign,
            "pods": effect.pods,
            "sounds": effect.sounds,
        }
        answers = {name: value for name, value in told.items() if value}
        escalation.request_officer(
            session,
            self._parts.desk,
            farmer,
            effect.reason,
            case=case,
            crop=effect.crop or None,
            another=effect.another,
            area=effect.area or None,
            answers=answers | {"reason": effect.reason},
        )

    def _outcome(self, session: Session, code: str, better: str) -> None:
        case = _case(session, code)
        if case.farmer_id == self._farmer(session).id:
            case.answers = {**(case.answers or {}), "better": better}
            event = Event(kind="outcome", case_id=case.id, actor="farmer", data={"better": better})
            session.add(event)

    def _send_kiosk(self, session: Session, kiosk_id: str) -> None:
        kiosk = session.get(Kiosk, int(kiosk_id))
        if kiosk is not None:
            self._reply(
                session,
                "kiosk_info",
                kiosk=kiosk.name,
                place=kiosk.area,
                opening=kiosk.opening or "?",
            )

    def _reply(self, session: Session, template: str, **values: str) -> None:
        """An SMS that the caller asked for, once a session. Needs no farmer and makes none.

        Not beside many that wait for the next day: they would fill the store.
        """
        if outbox.held(session, self._phone) >= MOST_HELD:
            log.warning("ussd session=%s %s is not made: many are held", self._tag, template)
            return
        farmer = farmers.find(session, self._phone)
        outbox.post(
            session,
            key=f"ussd:{self._tag}:{template}",
            to=self._phone,
            text=self._parts.texts.render(template, self._language, **values),
            kind=outbox.Kind.REPLY,
            template=template,
            language=self._language,
            farmer_id=farmer.id if farmer else None,
        )

    def _erase(self) -> None:
        erasure.erase(self._parts.store, self._parts.photos, self._phone, by="ussd")


def _case(session: Session, code: str) -> Case:
    """Raises: NotYours when the case was deleted meanwhile."""
    case = by_code(session, code)
    if case is None:
        raise escalation.NotYours(code)
    return case
