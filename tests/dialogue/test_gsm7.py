"""Counting, splitting, folding and cutting, checked against two independent implementations."""

import codecs

import gsm0338
import pytest
import smsutil
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.dialogue import gsm7

ALPHABET = sorted(gsm7.BASIC | gsm7.EXTENSION)
gsm_texts = st.text(st.sampled_from(ALPHABET), max_size=700)
border_texts = st.builds(
    lambda n, tail: "a" * n + tail,
    st.integers(140, 320),
    st.text(st.sampled_from("a€[\n"), max_size=40),
)
CODEC: codecs.Codec = gsm0338.Codec()


def test_the_alphabet_has_127_letters_and_10_in_the_extension() -> None:
    assert (len(gsm7.BASIC), len(gsm7.EXTENSION)) == (127, 10)


@given(st.text(max_size=200))
def test_membership_and_count_agree_with_gsm0338(text: str) -> None:
    try:
        expected = len(CODEC.encode(text)[0])
    except UnicodeEncodeError:
        with pytest.raises(gsm7.NotGsm):
            gsm7.septets(text)
    else:
        assert "\x1b" in text or gsm7.septets(text) == expected


@given(gsm_texts)
def test_every_letter_counts_as_in_gsm0338(text: str) -> None:
    assert gsm7.septets(text) == len(CODEC.encode(text)[0])


@given(st.one_of(gsm_texts, border_texts).filter(bool))
@example("a" * 152 + "€" + "a" * 152)
@example("a" * 160)
@example("a" * 161)
def test_parts_agree_with_smsutil(text: str) -> None:
    ours = gsm7.parts(text)
    assert ours == [part.content for part in smsutil.split(text).parts]
    assert "".join(ours) == text
    assert all(gsm7.septets(part) <= (160 if len(ours) == 1 else 153) for part in ours)


def test_an_escape_pair_is_not_split() -> None:
    lengths = [len(part) for part in gsm7.parts("a" * 152 + "€" + "a" * 152)]
    assert lengths == [152, 152, 1]


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ng’ombe", "ng'ombe"),
        ("n’ubuzima", "n'ubuzima"),
        ("“maïs” – brûlure…", '"mais" - brulure...'),
        ("ŋŋenda", "ng'ng'enda"),
        ("ɗan ƙasa ƴa", "dan kasa 'ya"),
        ("garçon cœur ÇA", "garcon coeur ÇA"),
        ("é è à ù É", "é è à ù É"),
        ("e\u0301", "é"),
        ("ẹ\u0301kọ́", "eko"),
        ("zero\u200bwidth\u00a0space", "zerowidth space"),
        ("`tick`", "'tick'"),
        ("10\u00a0000\u202f₦", "10 000 NGN "),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert gsm7.fold(text) == folded


def test_what_cannot_be_folded_is_named() -> None:
    with pytest.raises(gsm7.NotGsm) as caught:
        gsm7.fold("ሰላም 🌽 ok ሰ\x07")
    assert caught.value.letters == "ሰላም🌽\x07"
    assert "U+1F33D" in str(caught.value)
    assert "U+0007" in str(caught.value)


@given(st.text(max_size=200))
def test_folding_gives_gsm_or_refuses_and_is_idempotent(text: str) -> None:
    try:
        folded = gsm7.fold(text)
    except gsm7.NotGsm as error:
        refused = error.letters
    else:
        refused = gsm7.outside(folded)
        assert refused == ""
        assert gsm7.fold(folded) == folded
    assert not set(refused) & (gsm7.BASIC | gsm7.EXTENSION)


@given(gsm_texts)
def test_gsm_text_folds_to_itself(text: str) -> None:
    assert gsm7.fold(text) == text


@given(st.text(st.sampled_from("ab €\n"), max_size=80), st.integers(1, 60))
def test_cut_keeps_whole_words(text: str, limit: int) -> None:
    head = gsm7.cut(text, limit)
    assert gsm7.septets(head) <= limit
    assert text.startswith(head)
    rest = text[len(head) :]
    whole = not rest or rest[0].isspace()
    first_word_too_long = len(head.split()) <= 1
    assert whole or first_word_too_long


@pytest.mark.parametrize(
    ("text", "limit", "head"),
    [
        ("one two three", 13, "one two three"),
        ("one two three", 12, "one two"),
        ("one two three", 7, "one two"),
        ("one two three", 8, "one two"),
        ("uncuttable", 4, "uncu"),
        ("€€€", 5, "€€"),
        ("  lead", 3, "  l"),
        ("", 5, ""),
    ],
)
def test_cut_examples(text: str, limit: int, head: str) -> None:
    assert gsm7.cut(text, limit) == head
