"""The officer's inbox: what waits, what is found, the next case, and one advice for several."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from gateway.context import Context
from gateway.pages.officer import facts
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Label, Message
from rig import desk
from rig.desk import Person


@pytest.fixture
def signed(person: Person, keza: desk.Officer) -> Person:
    person.sign_in(keza)
    return person


def _set(context: Context, code: str, **values: object) -> None:
    with context.store.transaction() as session:
        session.execute(update(Case).where(Case.code == code).values(**values))


def _closings(context: Context) -> list[tuple[str, str, str]]:
    with context.store.reading() as session:
        query = select(Message).where(Message.template == "officer_closing").order_by(Message.id)
        return [(row.state, row.language or "", row.text or "") for row in session.scalars(query)]


@pytest.fixture
def four(context: Context, keza: desk.Officer) -> list[str]:
    """Rust that is late, blight, an unknown cassava elsewhere, and a crop nobody told."""
    hours = (30, 9, 5, 1)
    codes = [
        desk.case(context, f"+2507882{n}{n + 4:04}", label=("maize_blight", "maize_rust")[n % 2],
                  verdict="unknown" if n == 2 else "second_photo",
                  opened_at=now() - timedelta(hours=hour))
        for n, hour in enumerate(hours)
    ]  # fmt: skip
    _set(context, codes[2], crop="cassava", area="Rwamagana/Kigabiro")
    _set(context, codes[3], crop=None)
    return codes


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [0, 1, 2, 3]),
        ("late=1", [0]),
        ("crop=cassava", [2]),
        ("crop=unknown", [3]),
        ("crop=' OR 1=1", [0, 1, 2, 3]),
        ("area=Rwamagana/Kigabiro", [2]),
        ("area=%00", [0, 1, 2, 3]),
        ("label=maize_blight", [0]),
        ("label=none", [2]),
        ("label=none&late=1", []),
        ("q=0005", [1]),
        ("q=%D9%A0%D9%A0%D9%A0%D9%A5", [1]),
        ("q=0788%2021-0005", [1]),
        ("q=005", []),
        ("q=Keza", []),
        ("q=%25", []),
        ("q=CODE0", [0]),
        ("q=code1", [1]),
    ],
)
def test_the_sieve(signed: Person, four: list[str], query: str, found: list[int]) -> None:
    query = query.replace("CODE0", four[0]).replace("code1", f"+{four[1].lower()} ")
    page = signed.get(f"/officer?{query}").get_data(as_text=True)
    assert [n for n, code in enumerate(four) if f'value="{code}" form' in page] == found


def test_how_many_wait_and_are_late_whatever_is_shown(signed: Person, four: list[str]) -> None:
    page = signed.get("/officer?crop=cassava").get_data(as_text=True)
    assert "4 wait" in page
    assert "1 late" in page


def test_a_number_finds_an_answered_case(signed: Person, four: list[str]) -> None:
    signed.get(f"/officer/case/{four[1]}")
    signed.act(four[1], "answer", choice="own", own="Bury the sick leaves")
    for query, there in ((f"q={four[1]}", True), ("q=210005", True), ("q=0004", False)):
        page = signed.get(f"/officer?show=answered&{query}").get_data(as_text=True)
        assert (f"/officer/case/{four[1]}" in page) is there, query


def test_the_next_case_is_the_longest_waiting_that_can_be_answered(
    context: Context, signed: Person, four: list[str]
) -> None:
    def following(after: str) -> str:
        return signed.get(f"/officer/next?after={after}").request.path.rpartition("/")[2]

    assert following("") == four[0]
    assert following("nonsense%00") == four[0]
    assert [following(code) for code in four] == [*four[1:], four[0]]
    signed.get(f"/officer/case/{four[1]}")
    signed.act(four[1], "photo")
    assert following(four[0]) == four[2], "her photo is awaited"
    signed.get("/officer")
    for code in (four[0], four[2], four[3]):
        signed.get(f"/officer/case/{code}")
        signed.act(code, "answer", choice="own", own="Bury the sick leaves")
    signed.get(f"/officer/next?after={four[3]}")
    assert "No other case waits for you." in signed.page


def test_diagnosis_and_answer_are_one_step(
    context: Context, signed: Person, four: list[str]
) -> None:
    signed.get(f"/officer/case/{four[0]}")
    signed.act(four[0], "answer", label="maize_blight")
    (sent,) = _closings(context)
    assert context.catalogue.text("note_maize_blight", "rw") in sent[2]
    signed.get(f"/officer/case/{four[1]}")
    own = "Come to the office"
    signed.act(four[1], "answer", label="none", words="hail", choice="own", own=own)
    with context.store.reading() as session:
        said = session.execute(select(Label.label, Label.agreed, Label.words).order_by(Label.id))
        assert said.all() == [("maize_blight", True, None), ("none", False, "hail")]


def test_a_disease_of_another_crop_is_refused_and_the_words_stay(
    context: Context, signed: Person, four: list[str]
) -> None:
    signed.get(f"/officer/case/{four[1]}")
    form = {"label": "cassava_mosaic", "choice": "own", "own": "Come to the office"}
    assert signed.act(four[1], "answer", **form).status_code == 422
    assert "Come to the office</textarea>" in signed.page
    assert _closings(context) == []


def test_several_are_answered_in_the_language_of_each(
    context: Context, signed: Person, keza: desk.Officer
) -> None:
    codes = [
        desk.case(context, f"+25078899000{n}", language=language)
        for n, language in enumerate(("rw", "fr"))
    ]
    stranger = desk.officer(context, desk.COLLEAGUE, "Uwase")
    signed.get(f"/officer/several?code={codes[0]}&code={codes[1]}&code={codes[0]}&code=x")
    assert "One advice for 2 cases" in signed.page
    signed.client.post(  # a colleague has one of them meanwhile
        f"/officer/case/{codes[0]}/hand-over",
        data={"reason": "far", "csrf_token": _token(signed.page)},
    )
    assert desk.held_by(context, codes[0]) == stranger.id
    signed.client.post(
        "/officer/several",
        data={"code": [*codes, "%00"], "label": "maize_rust", "csrf_token": _token(signed.page)},
    )
    ((state, language, text),) = _closings(context)
    assert (state, language) == ("queued", "fr")
    assert context.catalogue.text("note_maize_rust", "fr") in text
    signed.get("/officer?show=answered")
    assert f"{codes[0]}: A colleague has this case now." in signed.page
    assert "Answered: 1." in signed.page
    signed.act(codes[1], "undo")
    assert "Nothing was sent" in signed.page
    assert desk.held_by(context, codes[1]) == signed_id(context, codes[1])
    assert _closings(context)[0][0] == "cancelled"


def _token(page: str) -> str:
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]


def signed_id(context: Context, code: str) -> int | None:
    with context.store.reading() as session:
        query = select(Escalation.officer_id).join(Case).where(Case.code == code)
        return session.scalar(query.order_by(Escalation.id))


def test_several_of_different_crops_get_what_is_for_any(
    context: Context, signed: Person, four: list[str]
) -> None:
    signed.get(f"/officer/several?code={four[0]}&code={four[2]}")
    assert "note_maize_rust" not in signed.page
    assert 'name="label"' not in signed.page
    assert "note_visit" in signed.page
    assert signed.post("/officer/several", code=four[0], choice="own", own="10 ml Dithane",
                       ).status_code == 422  # fmt: skip
    assert "names a product or a dose" in signed.page
    assert "10 ml Dithane</textarea>" in signed.page
    assert _closings(context) == []


def test_several_that_are_promised_a_visit_are_not_called_answered(
    signed: Person, four: list[str]
) -> None:
    signed.get(f"/officer/several?code={four[0]}&code={four[2]}")
    signed.client.post(
        "/officer/several",
        data={"code": [four[0], four[2]], "choice": "note_visit",
              "csrf_token": _token(signed.page)},
    )  # fmt: skip
    signed.get("/officer")
    assert "Answered:" not in signed.page
    for code in (four[0], four[2]):
        assert f"{code}: The farmer was told that you call or come by" in signed.page
        assert f'value="{code}" form' in signed.page, "it waits on"


@pytest.mark.parametrize("query", ["", "?code=", "?code=AAAAAAA", "?code=%00&code=%F0%9F%8C%BD"])
def test_none_chosen(signed: Person, four: list[str], query: str) -> None:
    signed.get(f"/officer/several{query}")
    assert "Choose cases that wait for you first." in signed.page


def test_no_more_than_a_page_is_answered_at_once(
    context: Context, signed: Person, keza: desk.Officer
) -> None:
    codes = [desk.case(context, f"+25078844{n:04}") for n in range(facts.PAGE + 2)]
    signed.get("/officer/several?" + "&".join(f"code={code}" for code in codes))
    assert f"One advice for {facts.PAGE} cases" in signed.page


def test_an_answer_is_taken_back_in_time_or_not_at_all(
    context: Context, signed: Person, four: list[str]
) -> None:
    signed.get(f"/officer/case/{four[1]}")
    signed.act(four[1], "undo")
    assert "too late" in signed.page, "it was never answered"
    signed.act("AAAAAAA", "undo")
    signed.get(f"/officer/case/{four[0]}")
    signed.act(four[0], "answer", choice="own", own="Bury the sick leaves")
    assert "Take it back" in signed.page
    with time_machine.travel(now() + timedelta(minutes=6), tick=False):
        signed.act(four[0], "undo")
        assert "too late" in signed.page
        assert "Take it back" not in signed.page
    assert desk.held_by(context, four[0]) is None


def test_a_case_that_is_none_of_the_known_is_not_called_sure(
    context: Context, signed: Person, four: list[str]
) -> None:
    page = signed.get(f"/officer/case/{four[2]}").get_data(as_text=True)
    assert "Not sure. Nearest" not in page, "what came nearest is of another crop"
    assert "common rust" not in page
    _set(context, four[2], crop="maize")
    page = signed.get(f"/officer/case/{four[2]}").get_data(as_text=True)
    assert "Not sure. Nearest: N. leaf blight" in page
    assert "sure</span>" not in page
    assert "Why it came to you:</strong> unknown leaf" in page
