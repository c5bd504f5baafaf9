"""Strangers' software against the simulated network: the provider's own Node client and USSD
handler, and a menu library that many use. What they accept, the real network sends or takes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.mobile import simulator
from simulator.phone import Phone, set_faults

PACKAGES = ("africastalking@0.8.3", "ussd-menu-builder@1.2.0")
pytestmark = pytest.mark.node
SCRIPTS = Path(__file__).parent / "peers"
NUMBER = "+250788000001"


@pytest.fixture(scope="module")
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """Where node finds the strangers' packages; they are installed once and kept."""
    folder = Path(request.config.cache.mkdir("peers"))
    if not (folder / "node_modules" / "ussd-menu-builder").is_dir():
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder)]
        done = subprocess.run([*install, *PACKAGES], capture_output=True, text=True)
        if done.returncode:
            pytest.skip("npm could not install the packages")
    return os.environ | {"NODE_PATH": str(folder / "node_modules")}


@pytest.fixture
def strangers(environment: dict[str, str]) -> Iterator[str]:
    """Address of the strangers' USSD servers."""
    with subprocess.Popen(
        ["node", str(SCRIPTS / "server.js")], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def node_sends(environment: dict[str, str], url: str, **message: Any) -> dict[str, Any]:
    command = ["node", str(SCRIPTS / "sms.js"), url, json.dumps(message)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_the_provider_s_node_client_takes_our_answers(
    environment: dict[str, str], url: str
) -> None:
    for enqueue, code in ((True, 102), (False, 101)):
        told = node_sends(environment, url, to=NUMBER, message="maize & beans+", enqueue=enqueue)
        recipient = told["answer"]["SMSMessageData"]["Recipients"][0]
        assert (recipient["status"], recipient["statusCode"]) == ("Success", code)
    assert [sms.text for sms in Phone(url, NUMBER).inbox()] == ["maize & beans+"] * 2


def test_it_reads_several_recipients_and_refusals(environment: dict[str, str], url: str) -> None:
    told = node_sends(environment, url, to=[NUMBER, "+250788000002"], message="hello")
    assert len(told["answer"]["SMSMessageData"]["Recipients"]) == 2
    set_faults(url, send=[{"name": "status_406", "times": 1}])
    told = node_sends(environment, url, to=NUMBER, message="hello")
    assert told["answer"]["SMSMessageData"]["Recipients"][0]["status"] == "UserInBlacklist"
    set_faults(url, send=[{"name": "wrong_key", "times": 1}])
    assert "error" in node_sends(environment, url, to=NUMBER, message="hello")


def test_a_stranger_s_menu_reads_what_our_phone_types(strangers: str) -> None:
    with simulator(f"{strangers}/menu") as url:
        phone = Phone(url, NUMBER)
        assert phone.dial() == "Welcome\n1. Crop\n2. Leave"
        assert phone.answer("1") == "Which crop?"
        assert phone.answer("maize & beans") == f"maize & beans of {NUMBER}"
        assert not phone.open
        phone.dial("*384*123*2#")
        assert (phone.screen, phone.open) == ("Bye", False)


def test_the_provider_s_own_handler_reads_it_too(strangers: str) -> None:
    with simulator(f"{strangers}/handler") as url:
        phone = Phone(url, NUMBER)
        assert phone.dial() == "Say a word"
        assert phone.answer("ŋ+é") == "heard ŋ+é"
        assert phone.open
        assert phone.answer("1") == "heard ŋ+é*1"
        assert not phone.open
