"""A decoder that may be killed: what ends it, what that says, and who waits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from inference import guard as room
from inference.guard import DecoderBusy, DecoderDied, Guard


@pytest.fixture(scope="module")
def guard() -> Iterator[Guard]:
    guard = Guard(memory=100_000_000, cpu=1, tasks="rig.decoders")
    yield guard
    guard.stop()


def process(guard: Guard) -> int:
    return int(guard.run("seen", b"")[0]["shape"][0])


@pytest.mark.parametrize("end", ["forever", "hungry", "crashing"])
def test_a_photo_that_breaks_the_limits_ends_the_process_and_nothing_else(
    guard: Guard, end: str
) -> None:
    before = process(guard)
    with pytest.raises(DecoderDied):
        guard.run(end, b"photo")
    assert process(guard) != before


def test_the_seconds_of_one_photo_are_not_charged_to_the_next(guard: Guard) -> None:
    with pytest.raises(DecoderDied, match="SIGXCPU"):
        guard.run("forever", b"")
    first = process(guard)
    assert all(process(guard) == first for _ in range(20))


def test_what_a_photo_leaves_behind_is_not_taken_from_the_next(guard: Guard) -> None:
    for _ in range(5):
        guard.run("leaking", b"")


def test_a_decoder_killed_by_somebody_says_nothing_about_the_photo(guard: Guard) -> None:
    with pytest.raises(DecoderBusy, match=r"killed|wait"):
        guard.run("killed", b"photo")


def test_one_that_left_between_two_photos_is_replaced_unnoticed(guard: Guard) -> None:
    before = process(guard)
    assert guard._process is not None
    guard._process.kill()
    guard._process.wait()
    assert process(guard) != before


def test_it_is_a_fresh_python_without_secrets_model_or_threads(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAFLINE_ENCRYPTION_KEY", "a key that is nobody's business")
    guard.stop()
    answer, names = guard.run("seen", b"")
    assert answer["shape"][1:] == [1, 0]
    assert b"LEAFLINE" not in names


def test_it_can_write_no_file(guard: Guard, tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(DecoderDied):
        guard.run("writing", str(path).encode())
    assert not path.read_bytes()


def test_threads_share_one_process_and_take_turns(guard: Guard) -> None:
    with ThreadPoolExecutor(1 + room.WAITING) as threads:
        assert len(set(threads.map(lambda _: process(guard), range(40)))) == 1


def test_the_line_before_it_is_short(guard: Guard) -> None:
    with ExitStack() as line:
        for _ in range(1 + room.WAITING):
            line.enter_context(guard._seats.one(""))
        with pytest.raises(DecoderBusy, match=r"killed|wait"):
            guard.run("seen", b"")
    process(guard)


def test_one_sender_leaves_room_in_the_line_for_others(guard: Guard) -> None:
    """A kiosk whose token leaked holds two places, however many photos it sends at once."""
    with ExitStack() as line:
        for _ in range(room.MOST_OF_ONE):
            line.enter_context(guard._seats.one("kiosk:1"))
        with pytest.raises(DecoderBusy, match="one sender"), room.asked_by("kiosk:1"):
            guard.run("seen", b"")
        with room.asked_by("kiosk:2"):
            process(guard)
        process(guard)
    with room.asked_by("kiosk:1"):
        process(guard)


FORK = """
import os, sys
from inference.guard import guard
guard.tasks = "rig.decoders"
mine = guard.run("seen", b"")[0]["shape"][0]
if not (child := os.fork()):
    other = guard.run("seen", b"")[0]["shape"][0]
    guard.stop()
    os._exit(int(other == mine))
assert os.waitpid(child, 0)[1] == 0
assert guard.run("seen", b"")[0]["shape"][0] == mine
"""


def test_a_fork_gets_a_process_of_its_own() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", FORK], check=True)
