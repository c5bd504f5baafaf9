"""The watch over log lines sees what it is there for, and nothing else."""

from __future__ import annotations

import logging

import pytest

from tests import telling

TELLING = [
    "sms to +250788000001", "dialled 0788000001", "from 250788000001 again", "%2B254712345678",
    "token lfk_" + "x" * 43, "POST /africastalking/channel-key-of-the-whole-tests/sms",
    "hash $argon2id$v=19$m=8", "GET /x?csrf_token=abc",
]  # fmt: skip
HARMLESS = [
    "photo 1234567890 took 0.7881234567 s", "case K7Q2M93", "officer=12", "lfk_short",
    "ATXid_4990568e85b44874aa5493f771c6b8ae", "digest 0788000001aa", "10.0.0.1:8000",
]  # fmt: skip


@pytest.mark.parametrize("text", TELLING)
def test_a_line_that_tells_of_somebody_is_seen(watch: telling.Watch, text: str) -> None:
    logging.getLogger("gateway.jobs.photos").info("%s", text)
    assert watch.take() == [f"gateway.jobs.photos: {text}"]
    assert telling.told(f"2026-11-28T18:10:20Z web       INFO    x: {text}\n") != []
    assert telling.told(f"sqlalchemy.exc.DataError: {text}\n    {text}\n") != []


@pytest.mark.parametrize("text", HARMLESS)
def test_other_figures_are_none(watch: telling.Watch, text: str) -> None:
    logging.getLogger("leafline.doors").warning("%s", text)
    assert watch.take() == []


def test_what_a_house_prints_to_its_owner_is_no_log_line() -> None:
    assert telling.told("  http://127.0.0.1:8000/africastalking/channel-key-for-tests/sms\n") == []
    assert telling.told("Webhooks: /africastalking/channel-key-for-tests/ussd\n") == []
