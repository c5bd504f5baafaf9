"""The main job, end to end: real processes, real sockets, and what the phones received.

The client speaks plain HTTP from the standard library, and USSD as Africa's Talking posts it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import pytest

from gateway.agronomy import CROP_OF
from inference.drawn import draw_leaf, draw_thing
from rig.house import KEY, House, house_in, wait_until
from simulator.phone import Phone

pytestmark = [pytest.mark.whole, pytest.mark.timeout(300)]

FARMER, OTHER_FARMER, OFFICER = "+250788100001", "+250788100002", "+250788200001"
CODE = re.compile(r"[0-9A-Z]{7}")
GSM_SMS = 160


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house_in(tmp_path_factory.mktemp("journey")) as house:
        yield house


@pytest.fixture(scope="module")
def token(house: House) -> str:
    added = house.command("kiosk", "add", "Muhazi market", "--area", "Rwamagana/Muhazi")
    assert added.returncode == 0, added.stderr
    return added.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def officer(house: House) -> Phone:
    words = ("--name", "Officer", "--area", "Rwamagana", "--language", "en")
    added = house.command("officer", "add", "0788 200 001", *words)
    assert added.returncode == 0, added.stderr
    assert added.stdout.splitlines()[-1].isdigit()
    return Phone(house.simulator_url, OFFICER)


@pytest.fixture
def farmer(house: House) -> Phone:
    return Phone(house.simulator_url, FARMER)


def exchange(
    house: House, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", house.port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def upload(house: House, token: str, photo: bytes, **fields: str) -> tuple[int, dict[str, Any]]:
    """A multipart upload as a plain client writes it."""
    border = uuid.uuid4().hex
    parts = [
        f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = (
        f'--{border}\r\nContent-Disposition: form-data; name="photo"; filename="leaf.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    body = b"".join([*parts, head.encode(), photo, f"\r\n--{border}--\r\n".encode()])
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": f"multipart/form-data; boundary={border}",
    }
    status, answer = exchange(house, "POST", "/api/photos", body, headers)
    return status, json.loads(answer)


def case(house: House, token: str, code: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    status, answer = exchange(house, "GET", f"/api/cases/{code}", headers=headers)
    assert status == 200, answer
    shown: dict[str, Any] = json.loads(answer)
    return shown


class Call:
    """One USSD session, posted as Africa's Talking posts it: the whole path each time."""

    def __init__(self, house: House, phone: str) -> None:
        self._house, self._phone = house, phone
        self._session = f"ATUid_{uuid.uuid4().hex}"
        self._path: list[str] = []

    def hop(self, typed: str | None = None) -> str:
        self._path += [] if typed is None else [typed]
        return self.post()

    def post(self) -> str:
        """Post the path as it is; posting it again is what the network does after a time-out."""
        form = {
            "sessionId": self._session,
            "serviceCode": "*384*123#",
            "phoneNumber": self._phone,
            "networkCode": "63510",
            "text": "*".join(self._path),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        path = f"/africastalking/{KEY}/ussd"
        status, answer = exchange(self._house, "POST", path, urlencode(form).encode(), headers)
        screen = answer.decode()
        assert status == 200
        assert screen.startswith(("CON ", "END "))
        assert len(screen) <= GSM_SMS
        return screen


def option(screen: str, words: str) -> str:
    """The number to type for the line that holds the words."""
    found = re.search(rf"^(\d+)\W.*{re.escape(words)}", screen, re.MULTILINE)
    assert found, screen
    return found[1]


def confident_leaf(house: House, token: str) -> tuple[str, str, bytes]:
    """A drawn leaf of which the model is sure: its label, crop and bytes."""
    for label in CROP_OF:
        for seed in range(8):
            photo = draw_leaf(label, 100 + seed)
            headers = {"Content-Type": "image/jpeg"}
            status, answer = exchange(house, "POST", "/api/predict", photo, headers)
            predicted = json.loads(answer)
            assert status == 200, predicted
            if predicted["confidence"] > 0.9 and predicted["label"] == label:
                return label, CROP_OF[label], photo
    raise AssertionError("the model is sure of no drawn leaf")


def test_a_photo_becomes_an_sms_that_can_be_read_again(
    house: House, token: str, farmer: Phone
) -> None:
    label, crop, photo = confident_leaf(house, token)
    status, answer = upload(
        house, token, photo, phone="0788 100 001", crop=crop, language="en", place="Muhazi"
    )
    assert (status, answer["phone_last4"]) == (202, "0001")
    code = answer["case"]
    assert CODE.fullmatch(code)

    sms = farmer.wait_for_sms(code)
    assert len(sms.text) <= GSM_SMS
    assert "looks like" in sms.text
    shown = case(house, token, code)
    assert (shown["state"], shown["label"]) == ("answered", label)
    assert shown["message"] == sms.text

    call = Call(house, FARMER)
    screen = call.hop()
    for words in ("English", "Yes"):  # asked at a first dial only
        if re.search(rf"^\d+\W.*{words}", screen, re.MULTILINE):
            screen = call.hop(option(screen, words))
    screen = call.hop(option(screen, "My results"))
    answer_screen = call.hop(option(screen, code))
    assert "looks like" in answer_screen.lower()
    assert call.post() == answer_screen


def test_the_same_upload_gives_the_same_case_and_one_sms(
    house: House, token: str, farmer: Phone
) -> None:
    photo, newest = draw_leaf("bean_spot", 7), farmer.last_id()
    with ThreadPoolExecutor(6) as pool:
        fields = {"phone": FARMER, "crop": "beans", "language": "en"}
        answers = list(pool.map(lambda _: upload(house, token, photo, **fields), range(12)))
    assert {status for status, _ in answers} == {202}
    (code,) = {answer["case"] for _, answer in answers}
    farmer.wait_for_sms(code, after=newest)
    wait_until(lambda: case(house, token, code)["state"] != "received", "the diagnosis")
    assert len([sms for sms in farmer.inbox(newest) if code in sms.text]) == 1


def test_an_unclear_case_ends_with_an_officers_answer(
    house: House, token: str, officer: Phone
) -> None:
    farmer = Phone(house.simulator_url, OTHER_FARMER)
    fields = {"phone": OTHER_FARMER, "language": "en"}
    # A leaf that the machine takes for another crop's is not advised on by machine.
    label, crop, _ = confident_leaf(house, token)
    other_crop = "maize" if crop != "maize" else "cassava"
    photo = draw_leaf(label, 55)
    status, answer = upload(house, token, photo, crop=other_crop, **fields)
    assert status == 202
    code = answer["case"]
    wait_until(lambda: case(house, token, code)["state"] != "received", "the diagnosis")
    for seed in range(3):
        if case(house, token, code)["state"] != "photo_requested":
            break
        assert upload(house, token, draw_thing(seed), case=code, **fields)[0] == 202
        wait_until(lambda: case(house, token, code)["state"] != "photo_requested", "judging", 30)
    told = farmer.wait_for_sms("")
    assert len(told.text) <= GSM_SMS

    asked = officer.wait_for_sms(code)
    assert len(asked.text) <= GSM_SMS
    assert OTHER_FARMER in asked.text
    officer.send(f"{code.lower()} No spray. Weed the field on Friday.")
    # The officer may take it back for two minutes.
    relayed = farmer.wait_for_sms("Weed the field on Friday", after=told.id, timeout=200)
    assert code in relayed.text
    assert OFFICER in relayed.text
    wait_until(lambda: case(house, token, code)["state"] == "closed", "the case to close")


def test_a_worker_killed_in_the_middle_loses_nothing(house: House, token: str) -> None:
    phones = [f"+25078830{number:04d}" for number in range(12)]

    def send(index: int) -> str:
        fields = {"phone": phones[index], "crop": "maize", "language": "en"}
        status, answer = upload(house, token, draw_leaf("maize_rust", 300 + index), **fields)
        assert status == 202
        return str(answer["case"])

    worker = min(house.processes("worker"))
    os.kill(worker, signal.SIGSTOP)  # so that photos pile up before it
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(send, range(len(phones))))
    done = house.output.count("diagnosed")
    os.kill(worker, signal.SIGCONT)
    wait_until(lambda: house.output.count("diagnosed") >= done + 2, "it to be in the middle")
    os.kill(worker, signal.SIGKILL)
    for phone, code in zip(phones, codes, strict=True):
        handset = Phone(house.simulator_url, phone)
        handset.wait_for_sms(timeout=90)
        assert case(house, token, code)["state"] != "received"
        assert len(handset.inbox()) == 1


def test_no_log_line_tells_a_number_or_a_key(house: House) -> None:
    printed = house.output.partition("home       ")[2]
    assert "diagnosed" in printed
    assert KEY not in printed
    assert not re.search(r"\+?250\d{9}", printed)
    assert "Traceback" not in printed
