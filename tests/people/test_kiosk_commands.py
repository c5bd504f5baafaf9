"""`leafline kiosk add`, `pair` and `unpair`, as an operator and a script see them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.context import Context
from gateway.people import kiosks
from gateway.settings import Settings
from gateway.store.base import now


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("LEAFLINE_PUBLIC_URL", "https://leaf.example.rw/")
    return CliRunner()


def _run(runner: CliRunner, *words: str) -> Result:
    return runner.invoke(main, ["kiosk", *words])


def test_adding_prints_a_qr_code_a_link_and_the_token_alone_on_the_last_line(
    run: CliRunner,
) -> None:
    lines = _run(run, "add", "Nyagasambu", "--area", "Rwamagana").output.splitlines()
    assert re.fullmatch(r"lfk_[\w-]{43}", lines[-1])
    link = r"https://leaf\.example\.rw/kiosk/pair\?code=[2-9C-X]{5}-[2-9C-X]{5}"
    assert any(re.search(link, line) for line in lines)
    assert sum("█" in line for line in lines) > 10


def test_one_more_phone_and_all_of_them_out(run: CliRunner) -> None:
    _run(run, "add", "Nyagasambu", "--area", "Rwamagana")
    code = _run(run, "pair", "Nyagasambu").output.splitlines()[-1]
    assert re.fullmatch(r"[2-9C-X]{5}-[2-9C-X]{5}", code)
    assert "2 phones or codes" in _run(run, "unpair", "1").output


def test_a_rotated_token_is_taken_beside_the_new_one_for_a_while(run: CliRunner) -> None:
    store = Context.open(Settings.read()).store

    def known(token: str) -> bool:
        with store.reading() as session:
            return kiosks.by_token(session, token) is not None

    first = _run(run, "add", "Nyagasambu", "--area", "Rwamagana").output.splitlines()[-1]
    second = _run(run, "rotate", "Nyagasambu").output.splitlines()[-1]
    assert [known(first), known(second)] == [True, True]
    assert "old token until" in _run(run, "list").output
    with time_machine.travel(now() + timedelta(hours=25)):
        assert [known(first), known(second)] == [False, True]
    third = _run(run, "rotate", "Nyagasambu").output.splitlines()[-1]
    assert [known(first), known(second), known(third)] == [False, True, True]
    leaked = _run(run, "rotate", "1", "--keep-hours", "0")
    assert "refused from now on" in leaked.output
    assert [known(second), known(third)] == [False, False]
    assert "old token" not in _run(run, "list").output
    store.close()


def test_an_unknown_kiosk_is_one_clear_line(run: CliRunner) -> None:
    answer = _run(run, "pair", "Elsewhere")
    assert answer.exit_code == 1
    assert "there is no kiosk 'Elsewhere'" in answer.output


def test_a_terminal_without_block_letters_still_gets_the_link(
    run: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = CliRunner(charset="ascii")
    answer = _run(runner, "add", "Nyagasambu", "--area", "Rwamagana")
    assert answer.exit_code == 0
    assert "/kiosk/pair?code=" in answer.output


def test_an_area_is_one_of_the_list(run: CliRunner) -> None:
    refused = _run(run, "add", "Nyagasambu", "--area", "Rwamagama")
    assert refused.exit_code == 1
    assert "near it: Rwamagana" in refused.output
    assert "Traceback" not in refused.output
    _run(run, "add", "Nyagasambu", "--area", "rwamagana/muhazi")
    assert "Rwamagana/Muhazi" in _run(run, "list").output
