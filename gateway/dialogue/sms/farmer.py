"""What a farmer's SMS does."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.agronomy import ADVISED, advice
from gateway.cases import escalation, guesses, heard, life, new_number
from gateway.cases.case import by_code
from gateway.dialogue.answers import officers_words, read_back
from gateway.dialogue.parts import Parts
from gateway.dialogue.sms import meaning
from gateway.dialogue.sms.reply import Reply
from gateway.dialogue.sms.words import (
    Command,
    Reading,
    Vocabulary,
    code_anywhere,
    means_code,
    nearest,
    plain,
)
from gateway.people import farmers
from gateway.store.base import now
from gateway.store.database import vault_of
from gateway.store.models import Case, Farmer, Message, Photo

HELP_EVERY = timedelta(hours=1)
"""The same help for what is not understood is sent at most this often."""
QUESTION_FOR = timedelta(days=1)
"""So long a bare 1 answers the question that was asked last."""
QUESTIONS = ("offer_officer", "nearest_case")
LISTED = 9
"""Case codes that fit one message."""
KNOWN = 50
"""Cases of hers among which a mistyped code is looked for."""
NOT_UNDERSTOOD = "not_understood"
"""Outcome of a message that says none of our words; the operator's page lists them."""


def act(
    parts: Parts,
    session: Session,
    phone: str,
    farmer: Farmer | None,
    words: Vocabulary,
    text: str,
    message: Message | None = None,
) -> Reply | None:
    """Do what the message says; the reply, or None when silence is right.

    Args:
        message: the row of what was written, to be kept with the case that it is about.
    """
    said = words.read(text)
    own = farmer.language if farmer else None
    language = own or said.language or parts.language
    conversation = _Conversation(parts, session, phone, farmer, words, said, language, message)
    return conversation.reply(text)


class _Conversation:
    """One message of one farmer."""

    def __init__(
        self,
        parts: Parts,
        session: Session,
        phone: str,
        farmer: Farmer | None,
        words: Vocabulary,
        said: Reading,
        language: str,
        message: Message | None,
    ) -> None:
        self.parts, self.session, self.phone, self.farmer = parts, session, phone, farmer
        self.words, self.said, self.language, self.message = words, said, language, message

    def reply(self, text: str) -> Reply | None:
        if self.said.command in (None, Command.RESULT) and self._new_number(text):
            return self._move(text)
        match self.said.command:
            case Command.STOP:
                farmer = farmers.find_or_create(self.session, self.phone)
                news = farmer.opted_out_at is None
                farmers.opt_out(self.session, farmer, by="sms")
                return Reply("optout_confirm", self.language, farmer_id=farmer.id, must=news)
            case Command.START if self.farmer is not None:
                news = self.farmer.opted_out_at is not None
                farmers.opt_in(self.session, self.farmer, by="sms")
                return Reply("optin_confirm", self.language, farmer_id=self.farmer.id, must=news)
            case Command.START | Command.HELP:
                return self._help()
            case Command.RESULT:
                return self._result(text)
            case Command.MORE:
                return self._more()
            case Command.OFFICER:
                return self._officer()
            case Command.MOVE:
                return self._move(text)
            case Command.LANGUAGE:
                return self._set_language()
        return self._other(text)

    def _result(self, text: str) -> Reply | None:
        said = self.said
        if said.code:
            case = self._named(said.code)
            if case is None:
                return self._nearest(text) or Reply("no_such_case", self.language)
            mine = self.farmer is not None and case.farmer_id == self.farmer.id
            if mine and said.own_words:
                return self._free(case)
            return self._told(case)
        if any(char.isdigit() for char in said.rest) or means_code(said.rest):
            return self._nearest(text) or Reply("no_such_case", self.language)
        cases = self._cases(LISTED)
        if len(cases) > 1:
            listed = " ".join(case.code for case in cases)
            return Reply("which_case", self.language, {"cases": listed})
        return self._told(cases[0]) if cases else Reply("no_case_yet", self.language)

    def _named(self, code: str) -> Case | None:
        """Hers, or anybody's as long as this number does not try one code after the other."""
        case = by_code(self.session, code)
        if case is not None and self.farmer is not None and case.farmer_id == self.farmer.id:
            return case
        allowed = guesses.another(self.session, self.phone, self.parts.desk.zone)
        return case if allowed else None

    def _nearest(self, text: str) -> Reply | None:
        """A question about the one case of hers whose code was nearly written."""
        cases = {case.code: case for case in self._cases(KNOWN)}
        code = nearest(text, cases)
        if not code:
            return None
        return Reply("nearest_case", self.language, {"case": code}, case_id=cases[code].id)

    def _told(self, case: Case) -> Reply:
        """What may be said of a case to whoever knows its code."""
        values = {"case": case.code}
        if case.state in life.IN_HAND:
            return self._with_whom(case)
        if case.state == life.PHOTO_REQUESTED:
            return Reply("low_confidence", self.language, values, case_id=case.id)
        if case.state not in (life.ANSWERED, life.CLOSED):
            query = select(Photo.id).where(Photo.case_id == case.id).limit(1)
            came = self.session.scalar(query) is not None
            waiting = "photo_received" if came else "case_waiting"
            return Reply(waiting, self.language, values, case_id=case.id)
        if note := officers_words(self.session, case):
            said = read_back(self.parts.texts, case, note, self.language)
            return Reply("ussd_case_officer_said", self.language, case_id=case.id, texts=said)
        if case.label not in ADVISED:
            return Reply("ussd_case_closed", self.language, values, case_id=case.id)
        template = f"diag_{advice.text_of(case.label, case.answers)}"
        return Reply(template, self.language, values | {"disease": case.label}, case_id=case.id)

    def _with_whom(self, case: Case) -> Reply:
        """Who has it; and where its officer waits for a first photo, that."""
        values = {"case": case.code}
        promised = escalation.promised(self.session, self.parts.desk, case)
        if promised is not None:
            said = f"ussd_case_promised_{promised.how}"
            return Reply(said, self.language, values | promised.values(), case_id=case.id)
        with_officer = escalation.with_officer(self.session, case)
        template = "ussd_case_with_officer" if with_officer else "no_officer"
        if with_officer and escalation.first_photo_awaited(self.session, case):
            template = "ask_photo"
        return Reply(template, self.language, values, case_id=case.id)

    def _new_number(self, text: str) -> bool:
        """She says that she has another number than before, and it is one that we do not know, or
        she names a case."""
        words = set(plain(text).split())
        says = bool(words & meaning.NUMBER) and bool(words & meaning.CHANGED)
        return says and (self.farmer is None or bool(code_anywhere(text)))

    def _move(self, text: str) -> Reply | None:
        """A case of a number that she has no more. What was wrong is not said: the next would be
        easier to guess."""
        code = code_anywhere(text)
        case = by_code(self.session, code) if code else None
        if case is not None and self.farmer is not None and case.farmer_id == self.farmer.id:
            return self._told(case)
        zone = self.parts.desk.zone
        allowed = not code or guesses.another(self.session, self.phone, zone)
        if case is not None and allowed:
            crops = self.words.crops_of(text)
            allowed = new_number.another_try(self.session, case, zone)
            if allowed and new_number.proved(case, text, crops):
                new_number.move(self.session, self.parts.desk, case, self.phone, actor="farmer")
                return None  # both numbers are told
        return Reply("move_how", self.language)

    def _more(self) -> Reply:
        cases = self._cases(LISTED)
        if self.said.code:
            named = self._named(self.said.code)
            if named is None:
                return Reply("no_such_case", self.language)
            cases = [named]
        for case in cases:
            if self._advised(case):
                return Reply(f"prevent_{case.label}", self.language, case_id=case.id)
        return self._told(cases[0]) if cases else Reply("no_case_yet", self.language)

    def _advised(self, case: Case) -> bool:
        """Whether the machine's label is what she was told: an officer's words overrule it."""
        told = case.state in (life.ANSWERED, life.CLOSED)
        return told and case.label in ADVISED and not officers_words(self.session, case)

    def _officer(self) -> Reply | None:
        farmer = self.farmer
        if farmer is None or farmer.consent_at is None:
            return Reply("consent_first", self.language)
        case = by_code(self.session, self.said.code) if self.said.code else None
        if self.said.code and (case is None or case.farmer_id != farmer.id):
            near = self._nearest(self.said.code)
            return near or Reply("no_such_case", self.language, farmer_id=farmer.id)
        if not self.said.code and means_code(self.said.rest):
            return self._nearest(self.said.rest) or Reply("no_such_case", self.language)
        rest = plain(self.said.rest).split()
        crop = self.words.crop(self.said.rest)
        another = any(word in meaning.ANOTHER for word in rest)
        return self._ask_officer(farmer, "farmer_asks", case, crop=crop, another=another)

    def _ask_officer(
        self,
        farmer: Farmer,
        reason: str,
        case: Case | None,
        *,
        crop: str | None = None,
        another: bool = False,
    ) -> Reply | None:
        open_before = escalation.open_of(self.session, farmer)
        case = escalation.request_officer(
            self.session,
            self.parts.desk,
            farmer,
            reason,
            case=case,
            crop=crop,
            source="sms",
            another=another,
        )
        if self.message is not None and plain(self.said.rest):
            # The officer of a new request is told of it now; her words are on the page.
            self.message.case_id = case.id
        held = escalation.open_one(self.session, case)
        if held is None or held.id not in open_before:
            return None  # escalation has told her, and whether an officer is there
        return self._with_whom(case)

    def _set_language(self) -> Reply:
        wanted = self.words.language(self.said.rest)
        if wanted is None:
            return Reply("language_ask", self.language)
        if self.farmer is None:
            return Reply("consent_first", wanted)
        farmers.set_language(self.session, self.farmer, wanted, by="sms")
        return Reply("language_set", wanted, farmer_id=self.farmer.id)

    def _other(self, text: str) -> Reply | None:
        """None of our words: an answer to our question, a code gone wrong, or her own words."""
        if plain(text) in meaning.QUESTION_ONE and (question := self._asked()) is not None:
            return self._yes(question)
        few = len(plain(text).split()) <= meaning.STRAY
        if near := self._nearest(text):
            return near
        if few and means_code(text):
            return Reply("no_such_case", self.language)
        if few and (page := self._page(text)):
            return Reply(f"ussd_about_{page}", self.language)
        return self._free(None)

    def _page(self, text: str) -> str:
        """What she asks about, where there is a page on it and nobody has a case of hers to whom
        her words belong; she who stopped us is not answered, nor is one thing twice in an hour."""
        farmer, page = self.farmer, self.words.page(text)
        if not page or self.said.perhaps_stop or self._sent_lately(f"ussd_about_{page}"):
            return ""
        if farmer is not None:
            held = heard.in_persons_hands(self.session, farmer)
            if held is not None or farmer.opted_out_at is not None:
                return ""
        return page

    def _asked(self) -> Message | None:
        """The question that we asked this number last, if that is not long ago."""
        query = (
            select(Message)
            .where(
                Message.address_digest.in_(vault_of(self.session).numbers(self.phone)),
                Message.direction == "out",
                Message.template.in_(QUESTIONS),
                Message.created_at > now() - QUESTION_FOR,
            )
            .order_by(Message.id.desc())
            .limit(1)
        )
        return self.session.scalar(query)

    def _yes(self, question: Message) -> Reply | None:
        case = self.session.get(Case, question.case_id) if question.case_id else None
        if question.template == "nearest_case":
            return self._told(case) if case else Reply("no_such_case", self.language)
        if self.farmer is None or self.farmer.consent_at is None:
            return Reply("consent_first", self.language)
        if case is not None and case.farmer_id != self.farmer.id:
            case = None
        reply = self._ask_officer(self.farmer, "farmer_asks", case)
        self._keep_words(question)
        return reply

    def _keep_words(self, question: Message) -> None:
        """What she had written before she was asked goes to the case that came of it."""
        assert self.farmer is not None
        case = heard.in_persons_hands(self.session, self.farmer)
        written = (
            select(Message)
            .where(
                Message.address_digest.in_(vault_of(self.session).numbers(self.phone)),
                Message.outcome == NOT_UNDERSTOOD,
                Message.case_id.is_(None),
                Message.created_at > question.created_at - HELP_EVERY,
            )
            .order_by(Message.id)
        )
        for message in self.session.scalars(written).all():
            if case is not None:
                heard.attach(self.session, self.parts.desk, case, message)

    def _free(self, named: Case | None) -> Reply | None:
        """Her own words: with the case that a person has; else she is offered a person."""
        farmer, message = self.farmer, self.message
        if message is not None:
            message.outcome, message.final_at = NOT_UNDERSTOOD, now()
            message.language = self.said.language or self.language
        silent = farmer is not None and farmer.opted_out_at is not None
        case = named or (heard.in_persons_hands(self.session, farmer) if farmer else None)
        if case is not None and case.state in life.IN_HAND:
            template = "words_kept"
            if message is not None and heard.attach(self.session, self.parts.desk, case, message):
                template = "words_passed"
            if silent:
                return None
            if not self.said.perhaps_stop:
                values = {"case": case.code}
                return Reply(template, self.language, values, case_id=case.id)
        if silent:
            return None
        if self.said.perhaps_stop and not self._sent_lately("ask_stop"):
            return Reply("ask_stop", self.language)
        if farmer is None or farmer.consent_at is None:
            return None if self._sent_lately("help_keywords") else self._help()
        if self._sent_lately("offer_officer"):
            return None
        about = case.id if case is not None else None
        return Reply("offer_officer", self.language, farmer_id=farmer.id, case_id=about)

    def _help(self) -> Reply:
        texts = self.parts.texts
        keys = ("help_keywords", "help_costs") if texts.tells_costs() else ()
        said = tuple(texts.render(key, self.language) for key in keys)
        return Reply("help_keywords", self.language, texts=said)

    def _sent_lately(self, template: str) -> bool:
        sent = select(Message.id).where(
            Message.address_digest.in_(vault_of(self.session).numbers(self.phone)),
            Message.template == template,
            Message.created_at > now() - HELP_EVERY,
        )
        return self.session.scalar(sent.limit(1)) is not None

    def _cases(self, most: int) -> list[Case]:
        """Hers, the newest first."""
        if self.farmer is None:
            return []
        newest = select(Case).where(Case.farmer_id == self.farmer.id).order_by(Case.id.desc())
        return list(self.session.scalars(newest.limit(most)))
