"""An officer's own affairs, and what is about no case: language, duty, the list, help."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta

from gateway.cases import escalation
from gateway.dialogue import promises
from gateway.dialogue.sms import chatter, small_talk
from gateway.dialogue.sms.chatter import Kind
from gateway.dialogue.sms.officer import before, replies
from gateway.dialogue.sms.officer.asked import Sms
from gateway.dialogue.sms.reply import Reply
from gateway.dialogue.sms.words import SHORT, Command, plain
from gateway.people import farmers, officers
from gateway.store.base import now
from gateway.store.models import Officer


def act(sms: Sms) -> Reply | None:
    """Do what the message says, where it names no case and is about none; else None."""
    if sms.code:
        return None
    if (officer := sms.asked.officer) is not None:
        if (reply := _language(sms, officer) or _stop_or_start(sms, officer)) is not None:
            return reply
        if sms.kind in OFFICERS_ACTIONS:
            return OFFICERS_ACTIONS[sms.kind](sms, officer)
    return ACTIONS[sms.kind](sms) if sms.kind in ACTIONS else None


def _language(sms: Sms, officer: Officer) -> Reply | None:
    said = sms.words.read(sms.typed)
    if said.command is not Command.LANGUAGE or len(plain(sms.typed).split()) > SHORT:
        return None
    wanted = sms.words.language(said.rest)
    if wanted is not None:
        officers.set_language(officer, wanted)
        return Reply("language_set", wanted)
    return sms.reply("language_ask") if said.alone else None


def _stop_or_start(sms: Sms, officer: Officer) -> Reply | None:
    """STOP is off duty for an officer, and ends what a farmer with this number gets."""
    if sms.kind not in (Kind.COMMAND, Kind.UNDO):  # CANCEL is a word for both
        return None
    if sms.kind is Kind.UNDO and before.may_be_undone(sms, escalation.UNDO_FOR) is not None:
        return None
    meant = chatter.command(sms.rest, sms.words)
    if meant not in (Command.STOP, Command.START):
        return None
    farmer = farmers.find(sms.session, sms.asked.phone)
    starts = meant is Command.START
    officers.set_duty(sms.session, officer, starts)
    if farmer is not None:
        change: Callable[..., object] = farmers.opt_in if starts else farmers.opt_out
        change(sms.session, farmer, by="sms")
    return sms.reply("officer_on" if starts else "officer_off")


def _on(sms: Sms, officer: Officer) -> Reply:
    officers.set_duty(sms.session, officer, True)
    return sms.reply("officer_on")


def _off(sms: Sms, officer: Officer) -> Reply:
    zone = sms.parts.desk.zone
    today = now().astimezone(zone).date()
    last = promises.until(sms.rest, today)
    if last is None:
        named = set(plain(sms.rest).split()) & small_talk.UNTIL
        if named or any(c.isdigit() for c in sms.rest):
            return sms.reply("officer_off_until_ask")
        officers.set_duty(sms.session, officer, False)
        return sms.reply("officer_off")
    back = last + timedelta(days=1)
    officers.leave(sms.session, officer, datetime.combine(back, time(), zone))
    return sms.reply("officer_off_until", day=f"{back:%d/%m/%Y}")


def _list(sms: Sms) -> Reply:
    return replies.which(sms) if sms.asked.waiting(sms.session) else replies.none_open(sms)


OFFICERS_ACTIONS: Mapping[Kind, Callable[[Sms, Officer], Reply]] = {Kind.OFF: _off, Kind.ON: _on}
"""What the operator cannot be."""
ACTIONS: Mapping[Kind, Callable[[Sms], Reply]] = {
    Kind.COMMAND: lambda sms: sms.reply("officer_help"),
    Kind.LIST: _list,
}
