"""The officer's list: ages, deadlines, pages, duty; and how many questions each page asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import event

from gateway.context import Context
from gateway.pages.officer import facts
from gateway.store.base import now
from gateway.store.models import Event, Officer
from rig import desk
from rig.desk import Person

MOST_QUESTIONS = 10


@contextmanager
def questions(context: Context) -> Iterator[list[str]]:
    """The SQL that is asked meanwhile."""
    asked: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(context.store.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(context.store.engine, "before_cursor_execute", note)


def _fill(context: Context, code: str, officer: desk.Officer, number: int) -> None:
    """More of everything: waiting cases, neighbours, photos and history of one case."""
    for i in range(number):
        desk.case(context, f"+25078810{i:04}", opened_at=now() - timedelta(hours=i))
    with context.store.transaction() as session:
        case, _ = facts.case_by_code(session, code)
        assert case is not None
        for seed in range(4):
            address = context.photos.put(desk.leaf(seed=seed + 1))
            desk.add_photo(context, case, address, "second_photo", "maize_rust")
        session.add_all(
            Event(kind="number_shown", case_id=case.id, actor=f"officer:{officer.id}")
            for _ in range(50)
        )


def test_pages_ask_few_questions_whatever_there_is(
    context: Context, person: Person, keza: desk.Officer
) -> None:
    code = desk.case(context)
    person.sign_in(keza)
    pages = ("/officer", "/officer?show=answered", f"/officer/case/{code}")
    counts = []
    for round_ in range(2):
        for path in pages:
            with questions(context) as asked:
                assert person.get(path).status_code == 200
            counts.append(len([line for line in asked if not line.startswith(("BEGIN", "PRAGMA"))]))
        if round_ == 0:
            _fill(context, code, keza, facts.PAGE + 5)
    assert counts[:3] == counts[3:]
    assert max(counts) <= MOST_QUESTIONS


def test_the_longest_waiting_comes_first_and_lists_are_paged(
    context: Context, person: Person, keza: desk.Officer
) -> None:
    codes = [
        desk.case(context, f"+25078820{i:04}", opened_at=now() - timedelta(hours=i))
        for i in range(facts.PAGE + 1)
    ]
    person.sign_in(keza)
    first = person.get("/officer").get_data(as_text=True)
    second = person.get("/officer?page=2").get_data(as_text=True)
    assert codes[-1] in first
    assert codes[0] not in first
    assert first.index(codes[-1]) < first.index(codes[-2])
    assert codes[0] in second
    assert 'rel="next"' in first
    assert 'rel="next"' not in second
    for strange in ("0", "-3", "abc", "99999999999999999999999"):
        assert person.get(f"/officer?page={strange}").status_code == 200


@pytest.mark.parametrize(
    ("waited", "said"),
    [
        (timedelta(minutes=30), "23 h left"),
        (timedelta(hours=23), "60 min left"),
        (timedelta(hours=27), "3 h late"),
        (timedelta(days=5), "4 days late"),
    ],
)
def test_deadlines(
    context: Context, person: Person, keza: desk.Officer, waited: timedelta, said: str
) -> None:
    with time_machine.travel(now(), tick=False):
        desk.case(context, opened_at=now() - waited)
        person.sign_in(keza)
        assert said in person.get("/officer").get_data(as_text=True)


def test_duty(context: Context, person: Person, keza: desk.Officer) -> None:
    person.sign_in(keza)
    for on, said in (("0", "off duty"), ("0", "off duty"), ("1", "on duty")):
        person.post("/officer/duty", on=on)
        assert said in person.page
        with context.store.reading() as session:
            assert session.get_one(Officer, keza.id).on_duty == (on == "1")
