"""One case: what is shown, what may be done, and what happens when it is done twice."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import func, select

from gateway.cases import escalation
from gateway.context import Context
from gateway.dialogue import gsm7
from gateway.store.models import Case, Escalation, Event, Label, Message, Officer
from rig import desk
from rig import things as house
from rig.desk import Person

RUST = "note_maize_rust"


@pytest.fixture
def code(context: Context, keza: desk.Officer) -> str:
    return desk.case(context)


@pytest.fixture
def signed(person: Person, keza: desk.Officer) -> Person:
    person.sign_in(keza)
    return person


def _sent(context: Context, template: str) -> list[str]:
    with context.store.reading() as session:
        found = session.scalars(
            select(Message.text).where(Message.template == template).order_by(Message.id)
        )
        return [text or "" for text in found]


def _labels(context: Context) -> list[tuple[str, bool, str | None, str | None]]:
    with context.store.reading() as session:
        rows = session.scalars(select(Label).order_by(Label.id)).all()
        return [(row.label, row.agreed, row.machine_label, row.words) for row in rows]


def _case(context: Context, code: str) -> Case:
    with context.store.reading() as session:
        return session.scalars(select(Case).where(Case.code == code)).one()


def _events(context: Context, kind: str) -> int:
    with context.store.reading() as session:
        count = select(func.count()).select_from(Event).where(Event.kind == kind)
        return session.scalar(count) or 0


def test_the_page_says_all_that_is_known_and_masks_the_number(signed: Person, code: str) -> None:
    page = signed.get(f"/officer/case/{code}").get_data(as_text=True)
    for part in (code, "common rust", "62%", "N. leaf blight", "25%", "blurred", "Kanyangese"):
        assert part in page
    for told in ("Stage of the crop", "Sick plants", "Sprayed already"):
        assert told in page
    assert "+250*****0001" in page
    assert house.FARMER not in page


def test_agreeing_keeps_an_example_and_suggests_the_advice(
    context: Context, signed: Person, code: str
) -> None:
    signed.get(f"/officer/case/{code}")
    signed.act(code, "label", label="maize_rust")
    assert _labels(context) == [("maize_rust", True, "maize_rust", None)]
    assert re.search(rf'value="{RUST}"[^>]*checked', signed.page)
    assert _case(context, code).state == "accepted"


@pytest.mark.parametrize(
    ("label", "words", "kept"),
    [
        ("maize_blight", "", ("maize_blight", False, "maize_rust", None)),
        ("none", " grey  leaf spot ", ("none", False, "maize_rust", "grey leaf spot")),
        ("none", "", ("none", False, "maize_rust", None)),
        ("maize_blight", "not asked for", ("maize_blight", False, "maize_rust", None)),
        ("none", "x" * 200, ("none", False, "maize_rust", "x" * 80)),
    ],
)
def test_correcting_keeps_an_example(
    context: Context, signed: Person, code: str, label: str, words: str, kept: object
) -> None:
    signed.get(f"/officer/case/{code}")
    signed.act(code, "label", label=label, words=words)
    assert _labels(context) == [kept]


@pytest.mark.parametrize("label", ["", "tomato", "__class__"])
def test_what_is_no_label_is_not_kept(
    context: Context, signed: Person, code: str, label: str
) -> None:
    signed.get(f"/officer/case/{code}")
    assert signed.act(code, "label", label=label).status_code == 200
    assert "choose what the leaf shows" in signed.page
    assert _labels(context) == []


def test_the_same_label_twice_is_one_and_another_replaces_it(
    context: Context, signed: Person, code: str
) -> None:
    signed.get(f"/officer/case/{code}")
    for label in ("maize_rust", "maize_rust", "maize_blight"):
        signed.act(code, "label", label=label)
    assert _labels(context) == [("maize_blight", False, "maize_rust", None)]
    assert _events(context, "label") == 2


def test_a_case_that_the_machine_knows_nothing_of_is_agreed_to_be_none(
    context: Context, keza: desk.Officer, person: Person
) -> None:
    code = desk.case(context, verdict="unknown")
    person.sign_in(keza)
    person.get(f"/officer/case/{code}")
    assert "Agree: none of these" in person.page
    person.act(code, "label", label="none")
    assert _labels(context) == [("none", True, "none", None)]


def test_chosen_advice_reaches_the_farmer_in_her_language_and_closes_the_case(
    context: Context, signed: Person, code: str
) -> None:
    signed.get(f"/officer/case/{code}")
    signed.act(code, "answer", choice=RUST)
    words = context.catalogue.text(RUST, "rw")
    (text,) = _sent(context, "officer_closing")
    assert words in text
    assert house.OFFICER in text
    assert gsm7.septets(text) <= 160
    assert _case(context, code).state == "closed"
    assert _labels(context) == [("maize_rust", True, "maize_rust", None)], (
        "choosing says what it is"
    )
    assert "on its way" in signed.page


def test_own_words_are_folded_and_arrive_as_the_preview_showed(
    context: Context, signed: Person, code: str
) -> None:
    signed.get(f"/officer/case/{code}")
    own = "Enlève “les pires”  feuilles…\r\nbientôt"
    assert signed.act(code, "preview", choice="own", own=own).status_code == 200
    seen = re.search(r'<blockquote class="sms" id="preview"[^>]*>([^<]*)<', signed.page)
    assert seen is not None
    signed.act(code, "answer", choice="own", own=own)
    (text,) = _sent(context, "officer_closing")
    assert 'Enlève "les pires" feuilles... bientot' in text
    assert seen[1].replace("&#39;", "'").replace("&#34;", '"') == text
    assert _labels(context) == [], "own words say nothing of the label"


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("", "Choose advice or write"),
        (" \n ", "Choose advice or write"),
        ("Ishyirahamwe 种", "cannot carry: 种"),
        ("x" * 325, "1 letters too many"),
        ("€" * 163, "2 letters too many"),
        ("Spray Dithane 20 ml in 15 l water", "names a product or a dose: dithane"),
    ],
)
def test_what_cannot_be_sent_is_said_and_kept(
    context: Context, signed: Person, code: str, own: str, said: str
) -> None:
    signed.get(f"/officer/case/{code}")
    assert signed.act(code, "answer", choice="own", own=own).status_code == 422
    assert said in signed.page
    assert f"{own.strip()}</textarea>" in signed.page.replace("\n", "")
    assert _sent(context, "officer_closing") == []
    assert _sent(context, "officer_words") == []
    assert _case(context, code).state == "escalated"


def test_a_product_that_is_meant_goes_out_with_the_safety_words(
    context: Context, signed: Person, code: str
) -> None:
    own = "Spray copper oxychloride in the morning"
    signed.get(f"/officer/case/{code}")
    assert signed.act(code, "answer", choice="own", own=own).status_code == 422
    assert 'name="safety"' in signed.page
    signed.act(code, "answer", choice="own", own=own, safety="1")
    assert len(_sent(context, "officer_closing")) == 1
    assert len(_sent(context, "officer_safety")) == 1
    assert _events(context, "product_named") == 1


def test_long_words_arrive_whole_as_the_preview_showed(
    context: Context, signed: Person, code: str
) -> None:
    own = "Uproot the sick plants of the lower field only when I have been there on Friday; " * 2
    signed.get(f"/officer/case/{code}")
    assert signed.act(code, "preview", choice="own", own=own).status_code == 200
    seen = re.search(r'<blockquote class="sms" id="preview"[^>]*>([^<]*)<', signed.page)
    assert seen is not None
    signed.act(code, "answer", choice="own", own=own)
    sent = _sent(context, "officer_words")
    assert len(sent) == 2
    assert seen[1].replace("&#39;", "'") == "\n\n".join(sent)


@pytest.mark.parametrize(
    ("choice", "own", "kind"),
    [
        ("note_visit", "", "visit"),
        ("note_call", "", "call"),
        ("own", "I will pass by the field next week", "visit"),
        ("own", "Keep a leaf; tomorrow I will call you", "call"),
    ],
)
def test_a_promise_keeps_the_case_open(
    context: Context, signed: Person, code: str, choice: str, own: str, kind: str
) -> None:
    signed.get(f"/officer/case/{code}")
    signed.act(code, "preview", choice=choice, own=own)
    seen = re.search(r'<blockquote class="sms" id="preview"[^>]*>([^<]*)<', signed.page)
    assert seen is not None
    for _ in range(2):  # the second tap changes nothing
        assert signed.act(code, "answer", choice=choice, own=own).status_code == 200
    assert "The case stays open" in signed.page
    assert _case(context, code).state == "promised"
    sent = [*_sent(context, f"promise_{kind}"), *_sent(context, "officer_words")]
    assert len(sent) == (2 if own else 1)
    assert seen[1].replace("&#39;", "'") == "\n\n".join(sent)
    signed.act(code, "answer", choice="own", own="We met. Bury the worst leaves.")
    assert _case(context, code).state == "closed"


def test_a_case_is_called_nothing_of_another_crop(
    context: Context, keza: desk.Officer, person: Person
) -> None:
    code = desk.case(context)
    with context.store.transaction() as session:
        session.merge(_case(context, code)).crop = "beans"
    person.sign_in(keza)
    person.get(f"/officer/case/{code}")
    assert "The photo looks like maize; the farmer said beans." in person.page
    assert 'value="maize_rust"' not in person.page
    person.act(code, "label", label="maize_rust")
    assert "choose what the leaf shows" in person.page
    assert _labels(context) == []


@pytest.mark.parametrize("choice", ["", "note_nothing", "crop_maize"])
def test_a_choice_that_is_none(context: Context, signed: Person, code: str, choice: str) -> None:
    signed.get(f"/officer/case/{code}")
    assert signed.act(code, "answer", choice=choice).status_code == 422
    assert _sent(context, "officer_closing") == []


def test_the_second_tap_says_that_it_is_sent(context: Context, signed: Person, code: str) -> None:
    signed.get(f"/officer/case/{code}")
    stale = signed.page
    for _ in range(2):
        signed.page = stale
        signed.act(code, "answer", choice=RUST)
        assert "on its way" in signed.page
    assert len(_sent(context, "officer_closing")) == 1


def test_another_tab_with_other_words_is_told_what_was_sent(
    context: Context, signed: Person, code: str
) -> None:
    signed.get(f"/officer/case/{code}")
    stale = signed.page
    signed.act(code, "answer", choice=RUST)
    signed.page = stale
    signed.act(code, "answer", choice="own", own="Something else.")
    assert "You answered before; this was not sent." in signed.page
    assert context.catalogue.text(RUST, "rw") in signed.page.replace("&#39;", "'")
    assert len(_sent(context, "officer_closing")) == 1


def test_many_taps_at_once_are_one_answer(
    app: Flask, context: Context, keza: desk.Officer, code: str
) -> None:
    people = [Person(app.test_client()) for _ in range(4)]
    for number, one in enumerate(people):
        one.sign_in(keza)
        one.get(f"/officer/case/{code}")
        one.own = f"Words {number}."  # type: ignore[attr-defined]

    def tap(one: Person) -> int:
        return one.act(code, "answer", choice="own", own=one.own).status_code  # type: ignore[attr-defined]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(tap, people)) == [200] * 4
    (text,) = _sent(context, "officer_closing")
    with context.store.reading() as session:
        (answer,) = session.scalars(select(Escalation.answer).where(Escalation.answer.isnot(None)))
    assert answer is not None
    assert answer in text, "what is kept is what was sent"


@pytest.mark.parametrize(
    ("action", "form"),
    [
        ("label", {"label": "maize_rust"}),
        ("answer", {"choice": RUST}),
        ("preview", {"choice": RUST}),
        ("photo", {}),
        ("call", {}),
        ("hand-over", {"reason": "far"}),
    ],
)
def test_a_case_that_a_colleague_has_meanwhile_is_left_alone(
    context: Context,
    signed: Person,
    keza: desk.Officer,
    code: str,
    action: str,
    form: dict[str, str],
) -> None:
    signed.get(f"/officer/case/{code}")
    colleague = desk.officer(context, desk.COLLEAGUE, "Uwase")
    with context.store.transaction() as session:
        me, case = session.get_one(Officer, keza.id), _case(context, code)
        case = session.merge(case)
        assert escalation.hand_over(session, context.desk, me, case, "far")
    before = _events(context, "case")
    signed.act(code, action, **form)
    assert "A colleague has this case now. Nothing was changed." in signed.page
    assert desk.held_by(context, code) == colleague.id
    assert _events(context, "case") == before
    assert "common rust" not in signed.page
    with context.store.transaction() as session:
        her = session.get_one(Officer, colleague.id)
        escalation.answer(session, context.desk, her, session.merge(_case(context, code)), "Done.")
    signed.get(f"/officer/case/{code}")
    assert "A colleague has answered this case." in signed.page


def test_asking_for_a_photo_once_and_hearing_that_it_came(
    context: Context, signed: Person, code: str
) -> None:
    signed.get(f"/officer/case/{code}")
    signed.act(code, "photo")
    assert "asked for another photo" in signed.page
    signed.act(code, "photo")
    assert "has not come yet" in signed.page
    assert len(_sent(context, "low_confidence")) == 1
    assert _case(context, code).state == "accepted"
    told = len(_sent(context, "escalation_officer_link"))
    from gateway.cases import judgement
    from gateway.cases.triage import Finding

    address = context.photos.put(desk.leaf("maize_blight"))
    with context.store.transaction() as session:
        case = session.merge(_case(context, code))
        desk.add_photo(context, case, address, "advice", "maize_blight")
        judgement.judge(session, context.desk, case, Finding("advice", "maize_blight", 0.9), 2)
    assert len(_sent(context, "escalation_officer_link")) == told + 1
    signed.get("/officer")
    assert "new photo" in signed.page
    signed.get(f"/officer/case/{code}")
    assert signed.page.count('class="photo card"') == 2
    signed.act(code, "photo")
    assert len(_sent(context, "low_confidence")) == 2, "a third may be asked for"


def test_each_look_at_the_number_is_written_down(
    context: Context, signed: Person, code: str
) -> None:
    signed.get(f"/officer/case/{code}")
    for looks in (1, 2):
        signed.act(code, "call")
        assert f'href="tel:{house.FARMER}"' in signed.page
        assert _events(context, "number_shown") == looks
    assert house.FARMER not in signed.get(f"/officer/case/{code}").get_data(as_text=True)


def test_handing_over(context: Context, signed: Person, code: str) -> None:
    signed.get(f"/officer/case/{code}")
    signed.act(code, "hand-over", reason="far")
    assert "No colleague is on duty here" in signed.page
    colleague = desk.officer(context, desk.COLLEAGUE, "Uwase")
    signed.act(code, "hand-over", reason="nonsense")
    assert "is with a colleague now" in signed.page
    assert desk.held_by(context, code) == colleague.id
    assert code not in signed.get("/officer").get_data(as_text=True)


@pytest.mark.parametrize("code", ["AAAAAAA", "x", "%00", "'; drop table case_"])
def test_codes_that_are_nobodys(signed: Person, code: str) -> None:
    assert signed.get(f"/officer/case/{code}").status_code == 404
    assert "No case of yours has this code" in signed.page


def test_another_officers_case_is_no_case_of_mine(
    context: Context, person: Person, code: str
) -> None:
    person.sign_in(desk.officer(context, desk.COLLEAGUE, "Uwase"))
    assert person.get(f"/officer/case/{code}").status_code == 404
    assert "No case of yours has this code" in person.page
    assert "Kanyangese" not in person.page


def test_a_page_made_by_an_action_can_be_opened_again(signed: Person, code: str) -> None:
    signed.get(f"/officer/case/{code}")
    signed.act(code, "call")
    again = signed.get(f"/officer/case/{code}/call?lang=fr")
    assert again.request.path == f"/officer/case/{code}"
    assert '<html lang="fr">' in signed.page


def test_neighbours_are_counted_and_nobody_is_named(
    context: Context, signed: Person, code: str
) -> None:
    desk.case(context, "+250788000002", label="maize_blight", place="Elsewhere")
    page = signed.get(f"/officer/case/{code}").get_data(as_text=True)
    near = page[page.index('id="neighbours"') :]
    assert "N. leaf blight 1" in near
    for person in ("Elsewhere", "0002", "+250"):
        assert person not in near


def test_an_answered_case_stays_readable(context: Context, signed: Person, code: str) -> None:
    signed.get(f"/officer/case/{code}")
    signed.act(code, "answer", choice=RUST)
    page = signed.get(f"/officer/case/{code}").get_data(as_text=True)
    assert context.catalogue.text(RUST, "rw") in page.replace("&#39;", "'")
    assert "Send to the farmer" not in page
    assert code in signed.get("/officer?show=answered").get_data(as_text=True)
