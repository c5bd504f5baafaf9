"""Every page fits, nothing is lost, option lines stay whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialogue import gsm7
from gateway.dialogue.ussd.pages import Footer, paginate

FOOTERS = [
    Footer("98 More", "0 Back", "00 Menu"),
    Footer("98 Ibindi", "0 Subira inyuma", "00 Ahabanza"),
    Footer("98 More", "", ""),
]
words = st.text(st.sampled_from("abcé€["), min_size=1, max_size=30)
bodies = st.lists(words, min_size=1, max_size=60).map(" ".join)
option_lines = st.lists(words.map(lambda w: f"1 {w}"), max_size=20)


@given(bodies, option_lines, st.sampled_from(FOOTERS))
def test_pages_fit_and_hold_everything(body: str, lines: list[str], footer: Footer) -> None:
    pages = paginate(body, lines, footer)
    shown = []
    for number, page in enumerate(pages, 1):
        assert gsm7.septets(page) <= 156
        kept = page.split("\n")
        last = number == len(pages)
        assert (footer.more in kept) is not last
        assert not footer.back or footer.back in kept
        shown += [line for line in kept if line not in (footer.more, footer.back, footer.menu)]
    assert " ".join(shown).split() == " ".join([body, *lines]).split()
    assert all(line in shown for line in lines)


@pytest.mark.parametrize(("length", "pages"), [(156, 1), (157, 2), (140, 1)])
def test_a_page_is_filled_to_the_last_septet(length: int, pages: int) -> None:
    body = ("abc " * 50)[:length].rstrip().ljust(length, "x")
    assert len(paginate(body, [], Footer("98 More", "", ""))) == pages


def test_the_menu_key_is_left_out_where_it_would_cost_a_page() -> None:
    footer = Footer("98 More", "0 Back", "00 Menu")
    wide = "x" * 70 + " " + "y" * 74
    assert paginate(wide, [], footer) == [f"{wide}\n0 Back"]
    assert paginate("x" * 60, [], footer) == ["x" * 60 + "\n0 Back\n00 Menu"]
