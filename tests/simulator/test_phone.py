"""The simulated phones, over real HTTP on both sides."""

from __future__ import annotations

import pytest
import requests
from flask import Response

from gateway.dialogue.ussd.networks import NETWORKS
from rig.mobile import CODE, Listener
from simulator.network import BROKEN, NO_CODE
from simulator.phone import Phone, PhoneError

NUMBER = "+250788000001"


def sms(url: str, text: str, to: str = NUMBER) -> requests.Response:
    form = {"username": "sandbox", "to": to, "message": text}
    return requests.post(f"{url}/version1/messaging", form, headers={"apiKey": "k"}, timeout=5)


def test_dialling_posts_what_the_network_posts(url: str, listener: Listener) -> None:
    phone = Phone(url, NUMBER)
    assert phone.dial(CODE) == "Hello\n1. One"
    assert phone.open
    form = listener.next("ussd")
    assert form.pop("sessionId").startswith("ATUid_")
    assert form == {
        "serviceCode": CODE,
        "phoneNumber": NUMBER,
        "networkCode": "99999",
        "text": "",
    }


def test_text_grows_with_every_answer(url: str, listener: Listener) -> None:
    listener.screen = lambda form: "CON " + form["text"]
    phone = Phone(url, NUMBER)
    phone.dial()
    screens = [phone.answer(typed) for typed in ("1", "1", "maize & beans+", "é ŋ")]
    assert screens == ["1", "1*1", "1*1*maize & beans+", "1*1*maize & beans+*é ŋ"]
    sessions = {form["sessionId"] for name, form in list(listener.heard.queue) if name == "ussd"}
    assert len(sessions) == 1


def test_dialling_deep_types_the_rest_at_once(url: str, listener: Listener) -> None:
    Phone(url, NUMBER).dial("*384*123*1*2#")
    form = listener.next("ussd")
    assert (form["serviceCode"], form["text"]) == (CODE, "1*2")


@pytest.mark.parametrize("code", ["*999#", "*384*1234#", "100", "*384*123"])
def test_another_code_reaches_nobody(url: str, listener: Listener, code: str) -> None:
    phone = Phone(url, NUMBER)
    assert phone.dial(code) == NO_CODE
    assert not phone.open
    assert listener.heard.empty()


def test_the_end_of_a_session_is_told(url: str, listener: Listener) -> None:
    phone = Phone(url, NUMBER)
    phone.dial()
    assert phone.answer("7") == "7"
    assert not phone.open
    event = listener.next("ussd-events")
    assert {name: event[name] for name in ("status", "hopsCount", "input", "lastAppResponse")} == {
        "status": "Success",
        "hopsCount": "2",
        "input": "7",
        "lastAppResponse": "7",
    }
    with pytest.raises(PhoneError, match="dial first"):
        phone.answer("1")


def test_labels_of_screens_come_back_and_are_told_at_the_end(url: str, listener: Listener) -> None:
    told = {"": "main en", "1": "a|b" + "c" * 200, "1*2": "", "1*2*3": "bye"}

    def screen(form: dict[str, str]) -> Response:
        prefix = "END" if form["text"] == "1*2*3" else "CON"
        label = {"at-ussd-hop-metadata": told[form["text"]]}
        return Response(f"{prefix} x", headers=label if told[form["text"]] else {})

    listener.screen = screen
    phone = Phone(url, NUMBER)
    phone.dial()
    for typed in "123":
        phone.answer(typed)
    cut = "a b" + "c" * 96
    event = listener.next("ussd-events")
    assert event["hopsMetadata"] == f"main en|{cut}|bye"
    assert listener.labels[:4] == ["", "main en", cut, ""]


@pytest.mark.parametrize("key", list(NETWORKS))
def test_each_operator_has_its_ways(url: str, listener: Listener, key: str) -> None:
    operator = NETWORKS[key]
    api = f"{url}/simulator/api/phones"
    requests.post(api, json={"number": NUMBER, "operator": key}, timeout=5)
    listener.screen = lambda form: "CON " + form["text"] * 200
    phone = Phone(url, NUMBER)
    phone.dial("*384*123*1*2#")
    form = listener.next("ussd")
    assert form["networkCode"] == operator.network_code
    deep = {"text": (CODE, "1*2"), "code": ("*384*123*1*2#", "")}[operator.deep]
    assert (form["serviceCode"], form["text"]) == deep
    screen = phone.answer("x" * 500)
    assert listener.next("ussd")["text"].removeprefix("1*2*") == "x" * operator.answer
    assert len("CON " + screen) == operator.screen
    if operator.replies:
        phone.send("HELP")
        assert listener.next("sms")["networkCode"] == operator.network_code
    else:
        with pytest.raises(PhoneError, match="carries no SMS"):
            phone.send("HELP")


def test_the_calls_of_a_phone_as_a_test(url: str) -> None:
    phone = Phone(url, NUMBER)
    phone.dial()
    phone.drop()
    phone.dial("*999#")
    phone.dial("*384*123*5#")
    answer = requests.get(f"{url}/simulator/api/phones/{NUMBER}/test", timeout=5)
    assert answer.json()["source"].splitlines()[1:] == [
        f"    phone = dial('{NUMBER}', operator='sandbox')",
        f"    phone.dial('{CODE}').expect('Hello')",
        "    phone.dial('*384*123*5#').expect('5')",
    ]


def test_hanging_up_in_the_middle_is_told_as_incomplete(url: str, listener: Listener) -> None:
    phone = Phone(url, NUMBER)
    phone.dial()
    phone.drop()
    assert (phone.screen, phone.open) == ("", False)
    assert listener.next("ussd-events")["status"] == "Incomplete"


def test_a_redial_is_a_new_session(url: str, listener: Listener) -> None:
    phone = Phone(url, NUMBER)
    phone.dial()
    first = listener.next("ussd")["sessionId"]
    phone.dial()
    assert listener.next("ussd")["sessionId"] != first


@pytest.mark.parametrize(
    "answer",
    [
        Response("", 200),
        Response("Hello", 200),
        Response(" CON Hello", 200),
        Response("\ufeffCON Hello", 200),
        Response("con Hello", 200),
        Response("CON Hello", 500),
        Response("CON Hello", 302, {"Location": "/elsewhere"}),
    ],
    ids=["empty", "no prefix", "blank before", "byte-order mark", "small", "500", "redirect"],
)
def test_a_wrong_answer_ends_the_session(url: str, listener: Listener, answer: Response) -> None:
    listener.screen = lambda _form: answer
    phone = Phone(url, NUMBER)
    assert phone.dial() == BROKEN
    assert not phone.open
    event = listener.next("ussd-events")
    assert event["status"] == "Failed"
    assert event["errorMessage"]


def test_an_sms_from_a_phone_comes_again_until_it_is_taken(
    url: str, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.callbacks.REPEAT_SECONDS", 0.01)
    listener.statuses = [500, 503]
    Phone(url, NUMBER).send("HELP me & co+")
    forms = [listener.next("sms") for _ in range(3)]
    assert forms[0] == forms[1] == forms[2]
    assert (forms[0]["from"], forms[0]["text"]) == (NUMBER, "HELP me & co+")
    assert forms[0]["id"]


def test_a_phone_waits_for_an_sms(url: str) -> None:
    phone = Phone(url, NUMBER)
    sms(url, "first")
    sms(url, "second one")
    sms(url, "not for you", to="+250788000002")
    assert phone.wait_for_sms("second").text == "second one"
    assert [message.text for message in phone.inbox()] == ["first", "second one"]
    assert [message.text for message in phone.inbox(after=phone.inbox()[0].id)] == ["second one"]
    with pytest.raises(PhoneError, match="first"):
        phone.wait_for_sms("third", timeout=0.05)


def test_opting_out_at_the_network_is_told(url: str, listener: Listener) -> None:
    Phone(url, NUMBER).opt_out()
    assert listener.next("opt-outs")["phoneNumber"] == NUMBER


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "phones", {"number": "+250788000009"}, 200),
        ("POST", "phones", {"number": "12"}, 400),
        ("POST", "phones", {"number": 12}, 400),
        ("POST", "phones", {"number": "+250788000009", "operator": "pigeon"}, 400),
        ("POST", "phones", None, 400),
        ("POST", "phones", [], 400),
        ("GET", "phones/abc", None, 400),
        ("PUT", "faults", {"send": [{"name": "earthquake"}]}, 400),
        ("PUT", "faults", {"send": [{"shape": "round"}]}, 400),
        ("PUT", "faults", {"reports": "sometimes"}, 400),
        ("GET", "nothing", None, 404),
        ("DELETE", "faults", None, 405),
    ],
)
def test_wrong_questions_get_a_reason(
    url: str, method: str, path: str, body: object, status: int
) -> None:
    answer = requests.request(method, f"{url}/simulator/api/{path}", json=body, timeout=5)
    assert answer.status_code == status


@pytest.mark.parametrize("path", ["", "/", "/page/phones.js", "/page/phones.css"])
def test_the_page_is_there_and_asks_nobody_else_for_anything(url: str, path: str) -> None:
    answer = requests.get(f"{url}/simulator{path}", timeout=5)
    assert answer.status_code == 200
    assert "http://" not in answer.text
    assert "https://" not in answer.text


def test_a_load_test_does_not_drown_the_page(url: str) -> None:
    for number in range(30):
        sms(url, "hello", to=f"+2507880001{number:02}")
    for number in range(60):
        sms(url, f"text {number}")
    state = requests.get(f"{url}/simulator/api/phones", timeout=5).json()
    assert [phone["name"] for phone in state["phones"][:2]] == ["Farmer", "Officer"]
    assert len(state["phones"]) == 12
    assert state["phones"][-1]["number"] == NUMBER
    assert state["phones"][-1]["messages"][-1]["text"] == "text 59"
    assert len(state["phones"][-1]["messages"]) == 50
    assert len(Phone(url, NUMBER).inbox()) == 60
