"""From a number to what it counts: cases, farmers, kiosks, officers, messages, costs."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, select, update

from gateway.context import Context
from gateway.pages.operator import costs, paging, start
from gateway.people import kiosks
from gateway.store.base import now
from gateway.store.models import Case, DeliveryReport, Escalation, Event, Message
from rig import crowd, desk
from rig import things as house
from rig.desk import Person


@pytest.fixture
def keza(context: Context) -> desk.Officer:
    return desk.officer(context)


@pytest.fixture
def cases(context: Context, keza: desk.Officer) -> list[str]:
    """Late, new, answered; the last of another crop and district, from a kiosk."""
    made = [
        desk.case(context, f"+25078820{n}001", opened_at=now() - timedelta(hours=hours))
        for n, hours in enumerate((30, 1, 2))
    ]
    with context.store.transaction() as session:
        kiosk, _ = kiosks.add(session, "Muhanga kiosk", "Muhanga/Nyamabuye")
        values = {"crop": "beans", "label": "bean_spot", "verdict": "unknown",
                  "area": "Muhanga/Nyamabuye", "kiosk_id": kiosk.id, "state": "closed"}  # fmt: skip
        session.execute(update(Case).where(Case.code == made[2]).values(**values))
        last = session.scalars(select(Case).where(Case.code == made[2])).one()
        held = session.scalars(select(Escalation).where(Escalation.case_id == last.id)).one()
        held.closed_at, held.outcome = now(), "answered"
        session.add(_failed(last.id))
    return made


def _failed(case_id: int) -> Message:
    return Message(
        key="failed:1", direction="out", address="+250788200001", address_digest="x", kind="answer",
        case_id=case_id, template="officer_closing", text="secret words", state="failed",
        outcome="no_route", cost=Decimal("12.5"), currency="RWF", sent_at=now(), final_at=now(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [0, 1, 2]),
        ("state=open", [0, 1]),
        ("state=closed", [2]),
        ("state=nonsense", []),
        ("age=late", [0]),
        ("age=today", [0, 1, 2]),
        ("age=soon", [0, 1, 2]),
        ("crop=beans", [2]),
        ("crop=none", []),
        ("label=bean_spot&verdict=unknown", [2]),
        ("verdict=second_photo", [0, 1]),
        ("district=Muhanga", [2]),
        ("district=Muhang", []),
        ("district=Muhanga/Nyamabuye", [2]),
        ("district=none", []),
        ("kiosk=1", [2]),
        ("kiosk=x", []),
        ("kiosk=99999999999999999999999", []),
        ("officer=1", [0, 1, 2]),
        ("officer=1&state=open", [0, 1]),
        ("officer=nobody", []),
        ("officer=2", []),
        ("failed=1", [2]),
        ("failed=1&state=open", []),
        ("case=%20CODE1%20", [1]),
        ("case=AAAAAAA", []),
        ("before=nonsense", [0, 1, 2]),
        ("before=1.1", []),
        ("district=%00%27;drop", []),
    ],
)
def test_the_list_of_cases(viewer: Person, cases: list[str], query: str, found: list[int]) -> None:
    answer = viewer.get(f"/operator/cases/list?{query}".replace("CODE1", cases[1].lower()))
    assert answer.status_code == 200
    listed = [n for n, code in enumerate(cases) if f'/operator/cases/{code}"' in viewer.page]
    assert listed == found


def test_a_long_list_is_read_on_with_its_sieve(viewer: Person, context: Context) -> None:
    crowd.fill(context.store, 3 * paging.ROWS, days=20)
    with context.store.reading() as session:
        query = select(Case.code).where(Case.verdict == "advice").order_by(Case.created_at.desc())
        wanted = session.scalars(query).all()
    address, seen = "/operator/cases/list?verdict=advice", []
    while address:
        viewer.get(address)
        seen += [part.split('"')[0] for part in viewer.page.split('href="/operator/cases/')[1:]]
        rest = viewer.page.partition('class="button quiet" href="/operator/cases/list?')[2]
        address = "/operator/cases/list?" + rest.split('"')[0].replace("&amp;", "&") if rest else ""
        seen = [code for code in seen if len(code) == 7]
        assert "verdict=advice" in address or not address
    assert seen == list(wanted)


def test_one_case_says_all_but_no_number_and_no_words(
    viewer: Person, context: Context, cases: list[str]
) -> None:
    viewer.get(f"/operator/cases/{cases[2]}")
    for part in ("Keza", "Muhanga kiosk", "no way to this network", "RWF 12.5", "Given to a person",
                 "/photo/"):  # fmt: skip
        assert part in viewer.page, part
    assert "+250788202001" not in viewer.page
    assert "secret words" not in viewer.page
    assert "hand-over" not in viewer.page, "a viewer changes nothing"
    assert viewer.get("/operator/cases/AAAAAAA").status_code == 404
    assert viewer.client.get("/operator/photo/1/thumb.jpg").status_code == 200
    assert viewer.get("/operator/photo/99/thumb.jpg").status_code == 404
    assert viewer.get("/operator/photo/1/huge.jpg").status_code == 404


def test_a_case_is_given_to_another_officer(
    admin: Person, viewer: Person, context: Context, cases: list[str]
) -> None:
    uwase = desk.officer(context, desk.COLLEAGUE, "Uwase")
    address = f"/operator/cases/{cases[0]}"
    admin.get(address)
    assert 'value="1"' not in admin.page.partition('id="officer"')[2].partition("</select>")[0]
    admin.post(f"{address}/hand-over", officer=str(uwase.id))
    assert "Uwase has the case now" in admin.page
    assert desk.held_by(context, cases[0]) == uwase.id
    assert "Given to another officer: ines" in admin.page
    for nonsense in (str(uwase.id), "99", "x", "", "9" * 30):
        admin.post(f"{address}/hand-over", officer=nonsense)
        assert "Not given" in admin.page, nonsense
    admin.get(f"/operator/cases/{cases[2]}")
    admin.post(f"/operator/cases/{cases[2]}/hand-over", officer=str(uwase.id))
    assert "Not given" in admin.page, "it waits for nobody"
    viewer.get("/operator/account")
    assert viewer.post(f"{address}/hand-over", officer="1").status_code == 403
    with context.store.reading() as session:
        told = select(Message).where(Message.officer_id == uwase.id)
        assert len(session.scalars(told).all()) == 1


def test_each_look_at_a_farmer_is_written_down(
    viewer: Person, context: Context, cases: list[str]
) -> None:
    viewer.get("/operator/farmers")
    viewer.post("/operator/farmers", phone="0788 201 001")
    assert viewer.client.get("/operator/farmers").status_code == 200
    assert cases[1] in viewer.page
    assert cases[0] not in viewer.page
    assert "+250788201001" not in viewer.page
    with context.store.reading() as session:
        (look,) = session.scalars(select(Event).where(Event.kind == "farmer_shown"))
    assert look.actor == "operator:1"
    viewer.get("/operator/farmers")
    for typed, status in (("0788299999", 404), ("12", 422), ("", 422), ("x" * 200, 422)):
        assert viewer.post("/operator/farmers", phone=typed).status_code == status, typed
    for nobody in ("nobody", "0" * 32, "x" * 200, "%00"):
        assert viewer.get(f"/operator/farmers/{nobody}").status_code == 404, nobody
    viewer.get("/operator/audit?who=all")
    assert "Looked up a farmer by number: vera" in viewer.page


def test_kiosk_and_officer_tell_of_their_work(viewer: Person, cases: list[str]) -> None:
    viewer.get("/operator/officers/1")
    for part in ("state=open", "age=late", "Answered in 30 days"):
        assert part in viewer.page
    viewer.get("/operator/kiosks/1")
    for part in ("Photos today", "Phones paired", "kiosk=1"):
        assert part in viewer.page


def test_messages_of_any_state(admin: Person, context: Context, cases: list[str]) -> None:
    with context.store.transaction() as session:
        row = session.scalars(select(Message).where(Message.state == "failed")).one()
        session.add(
            DeliveryReport(provider_id="p1", status="Failed", reason="absent", message_id=row.id)
        )
    admin.get(f"/operator/messages/{row.id}")
    for part in ("no way to this network", "RWF", "the phone was off", cases[2], "Failed"):
        assert part in admin.page, part
    assert "secret words" not in admin.page
    admin.get("/operator/messages?state=all")
    assert f'/operator/messages/{row.id}"' in admin.page
    admin.get("/operator/messages?state=queued")
    assert f'/operator/messages/{row.id}"' not in admin.page
    admin.get("/operator/messages?state=nonsense")
    assert f'/operator/messages/{row.id}"' in admin.page
    assert admin.get("/operator/messages/999999").status_code == 404


def test_a_test_sms_is_posted_once_a_press(admin: Person, viewer: Person, context: Context) -> None:
    admin.get("/operator/messages")
    assert admin.post("/operator/messages/test", phone="nonsense").status_code == 422
    assert 'id="phone-fault"' in admin.page
    admin.post("/operator/messages/test", phone=house.FARMER)
    assert "This page looks again by itself" in admin.page
    with context.store.transaction() as session:
        (row,) = session.scalars(select(Message).where(Message.template == "test_sms"))
        assert session.scalars(select(Event).where(Event.kind == "test_sent")).one()
        row.state, row.final_at = "delivered", now()
    admin.get(f"/operator/messages/{row.id}")
    assert "The test arrived" in admin.page
    viewer.get("/operator/account")
    assert viewer.post("/operator/messages/test", phone=house.FARMER).status_code == 403


def test_costs_and_the_budget(viewer: Person, context: Context, cases: list[str]) -> None:
    for by in ("day", "week", "nonsense"):
        viewer.get(f"/operator/costs?by={by}")
        assert "RWF 12.50" in viewer.page
        assert "answer" in viewer.page
    assert "No budget is set" in viewer.page
    with context.store.reading() as session:
        tones = [
            (budget.tone if (budget := costs.of_month(session, most, now())) else None)
            for most in ("", "RWF 100", "RWF 15", "RWF 12.5", "KES 1")
        ]
    assert tones == [None, "", "warn", "bad", ""]


def test_what_is_left_to_do(admin: Person, context: Context) -> None:
    admin.get("/operator/start")
    assert "Left: 8." in admin.page
    desk.officer(context)
    admin.get("/operator/start")
    assert "Left: 7." in admin.page
    assert "Look at every part" not in admin.page, "no doctor without who serves it"
    admin.client.application.extensions["leafline_doctor"] = lambda: iter(())
    admin.get("/operator/start")
    assert "Look at every part" in admin.page
    assert admin.post("/operator/start/doctor").status_code == 200


def test_a_test_that_was_delivered_is_ticked(admin: Person, context: Context) -> None:
    def done() -> list[str]:
        with context.store.reading() as session:
            return [step.name for step in start.list_of(context, session) if step.done]

    admin.get("/operator/messages")
    admin.post("/operator/messages/test", phone=house.FARMER)
    assert "sms" not in done()
    for key, ticked in (("test:ffffffffffffffff", True), ("other:1", False)):
        with context.store.transaction() as session:
            sent = session.scalars(select(Message).where(Message.template == "test_sms")).one()
            sent.key, sent.state, sent.final_at = key, "delivered", now()
        assert ("sms" in done()) is ticked, key


def test_a_test_is_found_among_any_number_of_messages(context: Context) -> None:
    if context.store.engine.dialect.name != "sqlite":
        return  # its planner tells only of what the tables hold now
    crowd.fill(context.store, 300, days=60)
    asked: list[tuple[str, object]] = []
    event.listen(
        context.store.engine, "before_cursor_execute", lambda *given: asked.append(given[2:4])
    )
    with context.store.reading() as session:
        start.list_of(context, session)
        (query,) = [one for one in asked if " message" in one[0]]
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query[0]}", query[1])
        steps = [step for *_, step in plan if " message " in step]
    assert ["(key>? AND key<?)" in step for step in steps] == [True], steps
