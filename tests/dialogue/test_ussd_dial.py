"""The phone in the terminal, and the phone that tests hold."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from gateway.commands import dialogue as commands
from gateway.dialogue.ussd import UssdRequest
from gateway.dialogue.ussd.networks import NETWORKS
from gateway.dialogue.ussd.phone import Phone
from gateway.settings import Settings
from tests.dialogue.conftest import Dial


def in_terminal(settings: Settings, typed: str, *words: str) -> str:
    environment = {
        "LEAFLINE_HOME": str(settings.home),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
    }
    result = CliRunner().invoke(
        commands.ussd, ["dial", *words], input=typed, env=environment, catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.output


def test_a_session_in_the_terminal(settings: Settings) -> None:
    shown = in_terminal(settings, "3\n2\n2\n1\n!\n+\n=\n", "0788 123 456", "--operator", "mtn-rw")
    assert "1 Ikinyarwanda" in shown
    assert "What does it look like?" in shown
    assert "(the session has ended; + dials again)" in shown
    assert "cut off" in shown
    assert "phone.answer('2').expect('Which crop?')" in shown


def test_a_bad_number_is_wrong_usage() -> None:
    result = CliRunner().invoke(commands.ussd, ["dial", "12"])
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_recorded_session_is_a_test_that_passes(dial: Dial, known: str) -> None:
    phone = dial(operator="airtel-rw")
    phone.dial().answer("2").answer("1").answer("00").drop()
    phone.dial("*384*123*2*1#").expect("common rust").answer("00")
    source = phone.dump()
    names: dict[str, object] = {"Dial": Dial}
    exec(source, names)
    replay = names["test_recorded_session"]
    assert callable(replay)
    replay(dial)


@pytest.mark.parametrize("body", ["", " CON x", "con x", "HTTP", "CON " + "x" * 157, "END ê"])
def test_the_phone_takes_only_what_a_network_would(body: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        Phone(lambda request: body, "+250788000001").dial()


def test_the_phone_posts_as_the_network_does() -> None:
    posted: list[UssdRequest] = []

    def network(request: UssdRequest) -> str:
        posted.append(request)
        return "CON x"

    phone = Phone(network, "+250788000001", operator="airtel-rw").dial()
    phone.answer("1").answer("1").answer("a*b").repeat()
    assert [p.text for p in posted] == ["", "1", "1*1", "1*1*a*b", "1*1*a*b"]
    assert {p.network_code for p in posted} == {NETWORKS["airtel-rw"].network_code}
    assert len({p.session_id for p in posted}) == 1
    phone.dial()
    assert posted[-1].session_id != posted[0].session_id
