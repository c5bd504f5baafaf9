from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from gateway.people import officer_links
from gateway.store.models import OfficerLink

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROOM = 39


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [
        ("", ""),
        ("https://leaf.rw", "https://leaf.rw/o/"),
        ("https://leaf.rw/", "https://leaf.rw/o/"),
        ("https://" + "x" * 17 + ".rw", "https://" + "x" * 17 + ".rw/o/"),
        ("https://" + "x" * 18 + ".rw", ""),
    ],
)
def test_a_link_is_sent_where_it_fits(
    public_url: str, expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert officer_links.base(public_url, ROOM) == expected
    assert ("links_too_long" in caplog.text) == (bool(public_url) and not expected)


@pytest.mark.parametrize(
    ("used", "ends", "expected"),
    [
        (None, NOON + timedelta(seconds=1), "open"),
        (None, NOON, "expired"),
        (NOON - timedelta(days=1), NOON + timedelta(days=1), "used"),
        (NOON - timedelta(days=9), NOON - timedelta(days=1), "used"),
    ],
)
def test_the_state_of_a_link(used: datetime | None, ends: datetime, expected: str) -> None:
    link = OfficerLink(used_at=used, expires_at=ends)
    assert officer_links.state(link, NOON) == expected
