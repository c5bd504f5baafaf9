from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cases import codes

CODES = st.builds(codes.new)


@given(CODES)
def test_a_new_code_is_read_back(code: str) -> None:
    assert len(code) == 7
    assert set(code) <= set(codes.ALPHABET)
    assert codes.parse(code) == code


@given(CODES, st.integers(0, 6), st.sampled_from(codes.ALPHABET))
def test_every_single_wrong_character_is_found(code: str, place: int, other: str) -> None:
    wrong = code[:place] + other + code[place + 1 :]
    if wrong != code:
        with pytest.raises(codes.BadCode):
            codes.parse(wrong)


@given(CODES, st.integers(0, 5))
def test_every_swap_of_neighbours_is_found(code: str, place: int) -> None:
    wrong = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    if wrong != code:
        with pytest.raises(codes.BadCode):
            codes.parse(wrong)


@given(CODES)
def test_how_people_write_it_does_not_matter(code: str) -> None:
    assert codes.parse(f" {code[:3].lower()}-{code[3:]}. ") == code
    assert codes.parse(code.replace("2", "Z").replace("5", "s").replace("8", "B")) == code


@pytest.mark.parametrize("typed", ["", "K7Q2M9", "K7Q2M9XX", "aeiouae", "1234567", "K" * 500])
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(codes.BadCode):
        codes.parse(typed)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(typed: str) -> None:
    with contextlib.suppress(codes.BadCode):
        assert len(codes.parse(typed)) == 7
