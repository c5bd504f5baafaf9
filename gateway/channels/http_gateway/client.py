"""SMS out: one message, one request, one named outcome."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from urllib.parse import urlencode

import requests

from gateway.channels.calling import Answer, AnswerLost, Caller, broken, by_status, unsendable
from gateway.channels.fields import within
from gateway.channels.http_gateway.settings import PLACEHOLDER, HttpGateway
from gateway.channels.http_gateway.tables import HTTP
from gateway.outbox.network import ID_LONGEST, Outcome, SendResult


class Client:
    """The sending half of the provider. Safe to use from several threads."""

    name = "http_gateway"

    def __init__(self, own: HttpGateway, *, reports: str, sender: str = "") -> None:
        """`reports`: our address for delivery reports. `sender`: sender ID or short code."""
        self._own, self._reports, self._sender = own, reports, sender
        self._accepted = re.compile(own.gateway.accepted, re.DOTALL)
        self._names_messages = any("{dlr_url}" in value for _, value in own.pairs)
        self._caller = Caller(own.url, own.timeout)

    @property
    def longest_request(self) -> float:
        return self._caller.longest_request

    def send(self, to: str, text: str) -> SendResult:
        """Hand one message to the gateway, once. Never raises for trouble on the way.

        Reports come back to an address of ours that holds an id of ours, so that they find the
        message also where the gateway's answer was lost.
        """
        if refused := unsendable(to, text):
            return refused
        ours = secrets.token_hex(10) if self._names_messages else None
        way = "params" if self._own.method == "GET" else "data"
        try:
            answer = self._caller.request(
                self._own.method, self._own.url, **{way: self._fields(to, text, ours)}
            )
        except AnswerLost:
            result = SendResult(Outcome.UNKNOWN, "answer_lost")
        except (requests.RequestException, UnicodeError) as error:
            result = broken(error)
        else:
            result = self._answered(answer)
        if ours and result.outcome in (Outcome.SENT, Outcome.UNKNOWN):
            return replace(result, provider_id=ours)
        return result

    def _fields(self, to: str, text: str, ours: str | None) -> list[tuple[str, str]]:
        query = "&".join(filter(None, (urlencode({"ref": ours or ""}), self._own.gateway.dlr)))
        values = {
            "user": self._own.user,
            "password": self._own.password.get_secret_value(),
            "to": to,
            "digits": to.removeprefix("+"),
            "from": self._sender,
            "text": text,
            "dlr_url": f"{self._reports}?{query}",
        }
        filled = [
            (name, PLACEHOLDER.sub(lambda found: values[found[1]], value))
            for name, value in self._own.pairs
        ]
        return [(name, value) for name, value in filled if value]

    def _answered(self, answer: Answer) -> SendResult:
        taken = 200 <= answer.status < 300
        if taken and (match := self._accepted.search(answer.body)):
            given = match[1] if match.re.groups else None
            return SendResult(Outcome.SENT, provider_id=given and within(given, ID_LONGEST))
        for pattern, outcome, reason in self._own.gateway.refusals:
            if pattern.search(answer.body):
                return SendResult(outcome, reason)
        if taken:
            return SendResult(Outcome.UNKNOWN, "unreadable_answer")
        return by_status(answer, HTTP)
