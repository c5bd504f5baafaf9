"""A page asks the store as often with many cases as with few: kiosk, officer, operator."""

from __future__ import annotations

import pytest

from benchmarks.pages_at_size import PAGES, house, queries_of

MOST = 12
"""Queries of any page, the one for who is signed in among them."""


@pytest.mark.parametrize("door", PAGES)
def test_queries_do_not_grow_with_the_data(redis_url: str, door: str) -> None:
    with house(600, "", redis_url) as few, house(1800, "", redis_url) as many:
        asked = {page: queries_of(few, door, page) for page in PAGES[door]}
        assert {page: queries_of(many, door, page) for page in PAGES[door]} == asked
    assert max(asked.values()) <= MOST
