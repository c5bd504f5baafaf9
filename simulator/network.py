"""The simulated network itself: USSD sessions, SMS in both directions, delivery reports."""

from __future__ import annotations

import re
import time
import uuid
from datetime import UTC, datetime

import requests

from gateway.dialogue.ussd.networks import NETWORKS, MobileNetwork
from simulator.callbacks import Callbacks, NotAnswered
from simulator.faults import Faults
from simulator.handsets import Handset, Handsets, Session, Sms

LABEL_LONGEST = 99
SHORT_CODE = "384"
COST = "KES 0.8000"
NO_CODE = "Connection problem or invalid MMI code."
BROKEN = "Network error. Please try again."


class NoSession(Exception):
    """There is no open session to answer in."""


class NotCarried(Exception):
    """The operator does not carry this; the text says what."""


class Network:
    def __init__(self, handsets: Handsets, callbacks: Callbacks, faults: Faults, code: str) -> None:
        """`code`: the USSD code that is ours, such as `*384*123#`."""
        self.handsets, self.callbacks, self.faults = handsets, callbacks, faults
        self._code = code

    # USSD

    def dial(self, number: str, dialled: str) -> Handset:
        """Dial a USSD code. What follows our code (`*384*123*1*2#`) is typed in at once."""
        phone = self.handsets.get(number)
        with phone.line:
            self._hang_up(phone)
            dialled = re.sub(r"\s", "", dialled)
            path = self._extra(dialled)
            session = Session(f"ATUid_{uuid.uuid4().hex}", self._code, NETWORKS[phone.operator])
            if session.operator.deep == "code" and path:
                session.code = dialled
            else:
                session.path = path or []
            with self.handsets.changing():
                phone.session = session
                phone.calls.append([])
            if path is None:
                self._show(session, NO_CODE, ended=True)
            else:
                self._hop(phone, session, dialled)
        return phone

    def answer(self, number: str, typed: str) -> Handset:
        """Answer the open screen. Raises: NoSession."""
        phone = self.handsets.get(number)
        with phone.line:
            session = phone.session
            if session is None or not session.open:
                raise NoSession
            typed = typed[: session.operator.answer]
            session.path.append(typed)
            self._hop(phone, session, typed)
        return phone

    def drop(self, number: str) -> Handset:
        """Hang up in the middle, or put the last screen away."""
        phone = self.handsets.get(number)
        with phone.line:
            self._hang_up(phone)
            with self.handsets.changing():
                phone.session = None
        return phone

    def _extra(self, dialled: str) -> list[str] | None:
        if dialled == self._code:
            return []
        stem = self._code.removesuffix("#") + "*"
        if dialled.startswith(stem) and dialled.endswith("#"):
            return dialled[len(stem) : -1].split("*")
        return None

    def _hop(self, phone: Handset, session: Session, typed: str) -> None:
        before = session.labels[-1] if session.labels else ""
        session.labels.append("")
        form = {
            "sessionId": session.id,
            "serviceCode": session.code,
            "phoneNumber": phone.number,
            "networkCode": session.operator.network_code,
            "text": "*".join(session.path),
        }
        try:
            reply, label = self.callbacks.ussd(form, before)
        except (requests.RequestException, NotAnswered) as error:
            self._fail(phone, session, str(error) if isinstance(error, NotAnswered) else "Timeout")
            return
        if not reply.startswith(("CON ", "END ")):
            self._fail(phone, session, "Response should start with a CON or an END")
            return
        session.labels[-1] = label[:LABEL_LONGEST].replace("|", " ")
        ended = reply.startswith("END ")
        self._show(session, reply[4 : session.operator.screen], ended=ended)
        phone.calls[-1].append((typed, session.screen))
        if ended:
            self._end(phone, session, "Success")

    def _fail(self, phone: Handset, session: Session, error: str) -> None:
        self._show(session, BROKEN, ended=True)
        self._end(phone, session, "Failed", error)

    def _hang_up(self, phone: Handset) -> None:
        if phone.session is not None and phone.session.open:
            with self.handsets.changing():
                phone.session.open = False
            self._end(phone, phone.session, "Incomplete")

    def _show(self, session: Session, screen: str, *, ended: bool) -> None:
        with self.handsets.changing():
            session.screen, session.open = screen, not ended

    def _end(self, phone: Handset, session: Session, status: str, error: str = "") -> None:
        form = {
            "date": _utc(),
            "sessionId": session.id,
            "serviceCode": session.code,
            "networkCode": session.operator.network_code,
            "phoneNumber": phone.number,
            "status": status,
            "cost": "0.00",
            "durationInMillis": str(int((time.monotonic() - session.began) * 1000)),
            "hopsCount": str(len(session.labels)),
            "hopsMetadata": "|".join(filter(None, session.labels)),
            "input": "*".join(session.path),
            "lastAppResponse": session.screen,
        }
        if error:
            form["errorMessage"] = error
        self.callbacks.post(self.callbacks.addresses.ussd_events, form)

    # SMS

    def write(self, number: str, text: str, to: str = "") -> Sms:
        """A phone sends an SMS to our short code. Raises: NotCarried."""
        operator = self._operator(number)
        if not operator.replies:
            raise NotCarried(f"{operator.name} carries no SMS to the service")
        message_id = str(uuid.uuid4())
        sms = self.handsets.keep("out", number, to or SHORT_CODE, text, message_id)
        form = {
            "date": _utc(),
            "from": number,
            "id": message_id,
            "linkId": "",
            "text": text,
            "to": sms.other,
            "cost": COST,
            "networkCode": operator.network_code,
        }
        self.callbacks.post_repeatedly(self.callbacks.addresses.sms, form)
        return sms

    def deliver(self, number: str, text: str, sender: str) -> str:
        """The application's SMS to a phone; returns the id that reports carry."""
        message_id = f"ATXid_{uuid.uuid4().hex}"
        mode = self.faults.reports
        if mode not in ("failed", "rejected", "blacklisted"):
            self.handsets.keep("in", number, sender, text, message_id)
        self._report(number, message_id, mode)
        return message_id

    def stop_messages(self, number: str, sender: str = SHORT_CODE) -> None:
        """A subscriber opts out at the network."""
        form = {"senderId": sender, "phoneNumber": number}
        self.callbacks.post(self.callbacks.addresses.opt_outs, form)

    def _operator(self, number: str) -> MobileNetwork:
        return NETWORKS[self.handsets.get(number).operator]

    def _report(self, number: str, message_id: str, mode: str) -> None:
        def report(*statuses: str, reason: str = "", id_: str = "") -> None:
            forms = [
                {
                    "id": id_ or message_id,
                    "status": status,
                    "phoneNumber": number,
                    "networkCode": self._operator(number).network_code,
                    "retryCount": "0",
                    **({"failureReason": reason} if reason else {}),
                }
                for status in statuses
            ]
            url = self.callbacks.addresses.delivery_reports
            if mode == "before_answer":
                self.callbacks.post_now(url, forms[0])
            else:
                self.callbacks.post(url, *forms, delay=self.faults.report_delay)

        match mode:
            case "success" | "before_answer":
                report("Success")
            case "duplicated":
                report("Success", "Success", "Success")
            case "out_of_order":
                report("Success", "Buffered", "Submitted", "Sent")
            case "absent_then_success":
                report("AbsentSubscriber", "Success")
            case "unknown_id":
                report("Success", id_=f"ATXid_{uuid.uuid4().hex}")
            case "unknown_status":
                report("Teleported")
            case "failed":
                report("Failed", reason="DeliveryFailure")
            case "rejected":
                report("Rejected", reason="NotNetworkSubcriber")
            case "blacklisted":
                report("Failed", reason="UserInBlackList")
            case _:  # never
                pass


def _utc() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
