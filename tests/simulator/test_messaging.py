"""The messaging API: shapes as documented, every fault, every way of reporting."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest
import requests

from rig.mobile import Listener
from simulator import phone as phone_module
from simulator.callbacks import Addresses, Callbacks
from simulator.faults import REPORTS, SEND
from simulator.phone import Phone, set_faults

NUMBER = "+250788000001"
FORM = {"username": "sandbox", "to": NUMBER, "message": "hello"}
KEY = {"apiKey": "k"}


def send(url: str, timeout: float = 5, **changes: str) -> requests.Response:
    form = {name: value for name, value in (FORM | changes).items() if value}
    return requests.post(
        f"{url}/version1/messaging", form, headers=KEY, timeout=timeout, allow_redirects=False
    )


def test_a_message_is_accepted_as_documented(url: str) -> None:
    answer = send(url)
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    data = answer.json()["SMSMessageData"]
    recipient = data["Recipients"][0]
    assert recipient.pop("messageId").startswith("ATXid_")
    assert recipient == {
        "cost": "KES 0.8000",
        "number": NUMBER,
        "status": "Success",
        "statusCode": 102,
    }
    assert data["Message"] == "Sent to 1/1 Total Cost: KES 0.8000 Message parts: 1"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"enqueue": "0"}, 101), ({"enqueue": "1"}, 102), ({"to": "+250"}, 403)],
)
def test_status_codes(url: str, changes: dict[str, str], code: int) -> None:
    recipients = send(url, **changes).json()["SMSMessageData"]["Recipients"]
    assert [recipient["statusCode"] for recipient in recipients] == [code]


@pytest.mark.parametrize(
    ("text", "parts"), [("a" * 160, 1), ("a" * 161, 2), ("ŋ" * 70, 1), ("ŋ" * 71, 2)]
)
def test_parts_are_counted(url: str, text: str, parts: int) -> None:
    message = send(url, message=text).json()["SMSMessageData"]["Message"]
    assert message.endswith(f"Message parts: {parts}")


def test_several_recipients_each_get_theirs(url: str) -> None:
    answer = send(url, to=f"{NUMBER},+250788000002").json()["SMSMessageData"]
    assert [recipient["number"] for recipient in answer["Recipients"]] == [NUMBER, "+250788000002"]
    assert Phone(url, "+250788000002").inbox()[0].text == "hello"


@pytest.mark.parametrize("missing", ["username", "to", "message"])
def test_a_missing_field_is_refused(url: str, missing: str) -> None:
    assert send(url, **{missing: ""}).status_code == 400


def test_without_a_key_nothing_is_answered(url: str) -> None:
    answer = requests.post(f"{url}/version1/messaging", FORM, timeout=5)
    assert answer.status_code == 401
    assert answer.text == "The supplied authentication is invalid"
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize("name", list(SEND))
def test_every_fault_takes_the_message_or_not_as_it_says(url: str, name: str) -> None:
    set_faults(url, send=[{"name": name, "times": 1, "seconds": 0.01}])
    try:
        answer = send(url)
        assert (answer.status_code == 201) == (
            not name.startswith(("http_", "throttled", "redirect", "wrong_key", "do_not"))
        )
    except requests.ConnectionError:
        assert name.startswith(("reset", "timeout"))
    assert len(Phone(url, NUMBER).inbox()) == SEND[name]
    assert send(url).status_code == 201  # only once


def test_a_fault_can_be_for_one_number_and_for_a_share_with_a_seed(url: str) -> None:
    set_faults(url, send=[{"name": "http_500", "to": "+250788000002"}])
    assert send(url).status_code == 201
    assert send(url, to="+250788000002").status_code == 500

    def shares() -> list[int]:
        set_faults(url, send=[{"name": "http_500", "share": 0.5}], seed=7)
        return [send(url).status_code for _ in range(12)]

    first = shares()
    assert first == shares()
    assert set(first) == {201, 500}


@pytest.mark.parametrize(
    ("mode", "statuses"),
    [
        ("success", ["Success"]),
        ("before_answer", ["Success"]),
        ("duplicated", ["Success"] * 3),
        ("out_of_order", ["Success", "Buffered", "Submitted", "Sent"]),
        ("absent_then_success", ["AbsentSubscriber", "Success"]),
        ("unknown_status", ["Teleported"]),
        ("unknown_id", ["Success"]),
        ("failed", ["Failed"]),
        ("rejected", ["Rejected"]),
        ("blacklisted", ["Failed"]),
        ("never", []),
    ],
)
def test_reports_come_as_told(url: str, listener: Listener, mode: str, statuses: list[str]) -> None:
    assert mode in REPORTS
    set_faults(url, reports=mode, report_delay=0.15)
    message_id = send(url).json()["SMSMessageData"]["Recipients"][0]["messageId"]
    reports = [listener.next("delivery-reports") for _ in statuses]
    assert [report["status"] for report in reports] == statuses
    assert all((report["id"] == message_id) == (mode != "unknown_id") for report in reports)
    assert listener.heard.empty()


def test_a_reset_leaves_nothing(url: str, listener: Listener) -> None:
    set_faults(url, send=[{"name": "http_500"}], report_delay=600)
    phone_module.reset(url)
    assert send(url).status_code == 201
    phone_module.reset(url)
    assert Phone(url, NUMBER).inbox() == []


def test_what_would_follow_a_callback_on_its_way_is_forgotten_with_the_rest() -> None:
    begun, go_on = threading.Event(), threading.Event()
    posted: list[str] = []

    class Held(Callbacks):
        def post_now(self, url: str, form: Mapping[str, str]) -> bool:
            posted.append(form["n"])
            begun.set()
            return go_on.wait(10)

    callbacks = Held(Addresses.under("http://127.0.0.1:9"))
    callbacks.post("http://127.0.0.1:9", {"n": "first"}, {"n": "second"})
    assert begun.wait(10)
    assert callbacks.pending() == 1
    callbacks.forget()
    go_on.set()
    callbacks._pool.shutdown()  # waits for the post
    assert callbacks.pending() == 0
    assert posted == ["first"]


def test_the_balance_is_told(url: str) -> None:
    answer = requests.get(f"{url}/version1/user?username=sandbox", headers=KEY, timeout=5)
    assert answer.json() == {"UserData": {"balance": "KES 1785.50"}}
