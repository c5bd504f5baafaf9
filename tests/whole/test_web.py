"""The web processes as they run: drips, an upgrade, a process that dies, a stop.

The tests stand in this order: the last one ends the processes that all of them share.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest
import requests

from rig.house import KEY, House, wait_until
from rig.things import photo

pytestmark = [pytest.mark.xdist_group("whole"), pytest.mark.timeout(300)]

CLOSE = {"Connection": "close"}
HEADER = "POST /api/photos HTTP/1.1\r\nHost: leaf\r\n"
PROMISED = f"{HEADER}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 90000\r\n\r\n"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_server_url: str) -> Iterator[House]:
    """`leafline web` alone, on a store and a Redis that are there."""
    house = House(
        tmp_path_factory.mktemp("web"),
        LEAFLINE_PROCESS="web",
        REDIS_URL=redis_server_url,
        LEAFLINE_WEB_PROCESSES=2,
        LEAFLINE_WEB_DRAIN=10,
    )
    assert house.command("db", "upgrade", seconds=120).returncode == 0
    house.launch("web")
    try:
        wait_until(lambda: ready(house), "the doors to be open", 150)
        yield house
    finally:
        house.stop(signal.SIGKILL)
        for pid in house.processes():
            os.kill(pid, signal.SIGKILL)
        sys.stdout.write(house.output)


def ready(house: House) -> bool:
    try:
        answer = requests.get(f"{house.url}/health/ready", headers=CLOSE, timeout=60)
    except requests.ConnectionError:
        return False
    return answer.status_code == 200


def dial(house: House, session: str) -> requests.Response:
    form = {"sessionId": session, "phoneNumber": "+250730000001", "text": ""}
    address = f"{house.url}/africastalking/{KEY}/ussd"
    return requests.post(address, data=form, headers=CLOSE, timeout=60)


def live(house: House) -> requests.Response:
    return requests.get(f"{house.url}/health/live", headers=CLOSE, timeout=60)


@pytest.mark.parametrize("dripped", [HEADER, PROMISED], ids=["headers", "bodies"])
def test_sixty_drips_and_farmers_are_answered(house: House, dripped: str) -> None:
    with ExitStack() as stack:
        clients = []
        for _ in range(60):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", house.port), 30))
            client.sendall(dripped.encode())
            clients.append(client)
        for round_ in range(5):
            assert live(house).status_code == 200
            assert dial(house, f"drip-{len(dripped)}-{round_}").text.startswith("CON ")
            for client in clients:
                client.sendall(b"x")
        assert requests.get(f"{house.url}/health/ready", timeout=60).status_code == 200


def test_a_locked_store_holds_up_no_call(house: House) -> None:
    """More uploads than there are threads for wait for the store; calls are answered or kept."""
    told = house.command("kiosk", "add", "Nyagasambu", "--area", "Rwamagana/Muhazi", seconds=120)
    token = re.search(r"^[\w-]{20,}$", told.stdout, re.MULTILINE | re.ASCII)
    assert token is not None, told.stdout

    def upload(number: int) -> requests.Response:
        return requests.post(
            f"{house.url}/api/photos",
            headers={"Authorization": f"Bearer {token[0]}"} | CLOSE,
            data={"phone": "+250780000001", "crop": "maize", "client_id": f"locked-{number}"},
            files={"photo": ("leaf.jpg", photo(90 + number), "image/jpeg")},
            timeout=120,
        )

    sms = {"from": "+250730000001", "id": "locked", "text": "HELP", "to": "384"}
    with ThreadPoolExecutor(20) as pool:
        with closing(sqlite3.connect(house.home / "leafline.sqlite3", isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            uploads = [pool.submit(upload, number) for number in range(20)]
            for round_ in range(3):
                assert dial(house, f"locked-{round_}").text.startswith(("CON ", "END "))
                answer = requests.post(
                    f"{house.url}/africastalking/{KEY}/sms", data=sms, headers=CLOSE, timeout=60
                )
                assert answer.status_code == 200
                assert live(house).status_code == 200
            first = uploads[0].result()
            assert (first.status_code, first.json()["code"]) == (503, "store_away")
        answers = [upload.result() for upload in uploads]
    assert {answer.status_code for answer in answers} <= {202, 503}
    wait_until(
        lambda: not any((house.home / "spool" / "waiting").iterdir()), "the SMS to be taken in"
    )


def test_an_upgrade_refuses_and_loses_no_call(house: House) -> None:
    minder = min(house.processes("web"))
    before = set(house.processes("web")) - {minder}
    over = threading.Event()
    troubles: list[str] = []
    calls = 0

    def farmers() -> None:
        nonlocal calls
        while not over.is_set():
            try:
                answer = dial(house, f"upgrade-{calls}")
                calls += 1
                if not answer.text.startswith("CON "):
                    troubles.append(answer.text)
            except requests.RequestException as error:
                troubles.append(repr(error))

    thread = threading.Thread(target=farmers)
    thread.start()
    try:
        os.kill(minder, signal.SIGHUP)
        wait_until(
            lambda: len(now := set(house.processes("web")) - {minder}) == 2 and not now & before,
            "new processes to have taken over",
        )
        wait_until(lambda: calls > 20, "some calls")
    finally:
        over.set()
        thread.join(60)
    assert troubles == []
    assert min(house.processes("web")) == minder


def test_a_dead_process_is_replaced_and_the_other_serves_on(house: House) -> None:
    _, *serving = sorted(house.processes("web"))
    os.kill(serving[0], signal.SIGKILL)
    assert live(house).status_code == 200
    wait_until(
        lambda: len(house.processes("web")) == 3 and serving[0] not in house.processes("web"),
        "another to be started",
    )
    assert live(house).status_code == 200


def test_a_reload_that_cannot_start_changes_nothing(house: House) -> None:
    before = set(house.processes("web"))
    spool = house.home / "spool"
    aside = spool.rename(house.home / "aside")
    spool.write_text("")
    try:
        os.kill(min(before), signal.SIGHUP)
        wait_until(lambda: "not renewed" in house.output, "the refusal")
    finally:
        spool.unlink()
        aside.rename(spool)
    # The one that tried may still be ending, and readers of /proc see it until then.
    wait_until(lambda: set(house.processes("web")) == before, "the same processes as before")
    assert live(house).status_code == 200


def test_a_stop_is_announced_before_it_comes(house: House) -> None:
    os.kill(min(house.processes("web")), signal.SIGTERM)

    def announced() -> bool:
        answer = requests.get(f"{house.url}/health/ready", headers=CLOSE, timeout=60)
        return answer.status_code == 503 and answer.json()["checks"]["running"] is False

    wait_until(announced, "readiness to say no")
    assert live(house).status_code == 200
    assert dial(house, "while-it-stops").text.startswith("CON ")
    assert house.stop(signal.SIGTERM) == 0
    assert house.processes("web") == {}
