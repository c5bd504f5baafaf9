from __future__ import annotations

import errno
import os
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
import time_machine
from sqlalchemy.exc import IntegrityError, OperationalError

from gateway.settings import SettingsError
from gateway.spool import Replayer, Spool, SpoolError
from gateway.store.vault import Vault

VAULT = Vault("a secret for the spool's tests")
AWAY = OperationalError("INSERT", {}, Exception("the server closed the connection"))
REFUSED = IntegrityError("INSERT", {}, Exception("not null"))


class Taker:
    """Takes callbacks in, or fails with what is in `errors`, by the callback's id."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.errors: dict[str, Exception] = {}
        self.done = threading.Event()

    def __call__(self, kind: str, fields: Mapping[str, str]) -> None:
        if error := self.errors.get(fields["id"]):
            raise error
        self.taken.append(f"{kind} {fields['id']}")
        self.done.set()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", VAULT)


@pytest.fixture
def taker() -> Taker:
    return Taker()


def test_what_was_kept_is_taken_in_in_order(spool: Spool, taker: Taker) -> None:
    for number in range(12):
        spool.keep("sms", {"id": str(number)})
    assert spool.waits()
    assert spool.replay(taker)
    assert taker.taken == [f"sms {number}" for number in range(12)]
    assert not spool.waits()


def test_the_order_holds_when_the_clock_jumps_back(spool: Spool, taker: Taker) -> None:
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as traveller:
        spool.keep("sms", {"id": "first"})
        traveller.move_to("2026-03-01T11:00:00Z")
        spool.keep("sms", {"id": "second"})
        Spool(spool._waiting.parent, VAULT).keep("sms", {"id": "third"})  # another process
    spool.replay(taker)
    assert taker.taken == ["sms first", "sms second", "sms third"]


def test_while_the_store_is_away_nothing_is_taken_out(spool: Spool, taker: Taker) -> None:
    spool.keep("sms", {"id": "1"})
    spool.keep("sms", {"id": "2"})
    taker.errors["1"] = AWAY
    assert not spool.replay(taker)
    assert taker.taken == []
    del taker.errors["1"]
    assert spool.replay(taker)
    assert taker.taken == ["sms 1", "sms 2"]


@pytest.mark.parametrize("error", [REFUSED, KeyError("no such text")])
def test_a_callback_that_cannot_be_taken_in_stops_no_other(
    spool: Spool, taker: Taker, error: Exception
) -> None:
    for number in "123":
        spool.keep("sms", {"id": number})
    taker.errors["2"] = error
    assert spool.replay(taker)
    assert taker.taken == ["sms 1", "sms 3"]
    assert spool.failed() == 1


def test_a_damaged_file_stops_no_other(spool: Spool, taker: Taker) -> None:
    spool.keep("sms", {"id": "1"})
    next(spool._entries(spool._waiting)).write_bytes(b"\x01 half a sector")
    spool.keep("sms", {"id": "2"})
    assert spool.replay(taker)
    assert taker.taken == ["sms 2"]
    assert spool.failed() == 1


def test_a_replay_that_died_is_done_again(spool: Spool, taker: Taker) -> None:
    spool.keep("sms", {"id": "1"})

    def dies(kind: str, fields: Mapping[str, str]) -> None:
        taker(kind, fields)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spool.replay(dies)
    assert spool.replay(taker)
    assert taker.taken == ["sms 1", "sms 1"]  # takers are safe to run twice


def test_only_one_replays_at_a_time(spool: Spool, taker: Taker, tmp_path: Path) -> None:
    spool.keep("sms", {"id": "1"})
    other = Spool(tmp_path / "spool", VAULT)

    def while_another_tries(kind: str, fields: Mapping[str, str]) -> None:
        assert not other.replay(taker)
        taker(kind, fields)

    assert spool.replay(while_another_tries)
    assert taker.taken == ["sms 1"]


def test_numbers_and_texts_are_sealed(spool: Spool) -> None:
    spool.keep("sms", {"from": "+250788000001", "text": "my beans are ill"})
    data = next(spool._entries(spool._waiting)).read_bytes()
    assert b"788000001" not in data
    assert b"beans" not in data


def test_a_full_disk_is_said_and_leaves_nothing_behind(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SpoolError, match="No space left on device"):
        spool.keep("sms", {"id": "1"})
    with pytest.raises(SettingsError, match="make LEAFLINE_HOME a folder with room"):
        spool.check()
    assert list(spool._waiting.iterdir()) == []


def test_a_spool_that_can_be_written_passes_the_check(spool: Spool) -> None:
    spool.check()
    assert not spool.waits()
    assert list(spool._waiting.iterdir()) == []


def test_a_folder_that_is_a_file_fails_the_check(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("")
    with pytest.raises(SettingsError, match="cannot write to the spool"):
        Spool(tmp_path / "spool", VAULT).check()


def test_a_new_process_replays_what_the_last_one_left(spool: Spool, taker: Taker) -> None:
    spool.keep("sms", {"id": "left"})
    Replayer(spool, taker)
    assert taker.done.wait(10)
    assert taker.taken == ["sms left"]


def test_what_is_kept_later_is_replayed_too(spool: Spool, taker: Taker) -> None:
    replayer = Replayer(spool, taker)
    for number in "12":
        taker.done.clear()
        spool.keep("sms", {"id": number})
        replayer.nudge()
        assert taker.done.wait(10)
    assert taker.taken == ["sms 1", "sms 2"]
