"""Failed messages, broadcasts, texts and the history, as an operator meets them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from gateway.broadcasts import broadcast
from gateway.context import Context
from gateway.pages.operator import paging
from gateway.people import farmers
from gateway.store.base import now
from gateway.store.models import Broadcast, Event, Message
from rig.desk import Person

TEXT = "Meeting on Friday at the sector office."


def failed(context: Context, count: int) -> None:
    with context.store.transaction() as session:
        for number in range(count):
            session.add(
                Message(
                    key=f"k{number}",
                    direction="out",
                    address=f"+25078800{number:04}",
                    address_digest="x",
                    kind="answer",
                    text="secret words",
                    state="failed",
                    outcome="no_route",
                    final_at=now() - timedelta(minutes=number // 2),
                )
            )


def test_failed_messages_are_paged_and_sent_again_once(admin: Person, context: Context) -> None:
    failed(context, paging.ROWS + 3)
    admin.get("/operator/messages")
    assert admin.page.count("/resend") == paging.ROWS
    assert "secret words" not in admin.page
    assert "+2507880000" not in admin.page
    more = admin.page.split('href="/operator/messages?')[1].split('"')[0]
    admin.get(f"/operator/messages?{more}")
    assert admin.page.count("/resend") == 3
    with context.store.reading() as session:
        id_ = session.scalars(select(Message.id).order_by(Message.id)).first()
    admin.post(f"/operator/messages/{id_}/resend")
    assert "goes out once more" in admin.page
    admin.post(f"/operator/messages/{id_}/resend")
    assert "already" in admin.page
    with context.store.reading() as session:
        copies = session.scalars(select(Message).where(Message.state == "queued")).all()
        event = session.scalars(select(Event).where(Event.kind == "message_resent")).one()
    assert [copy.key for copy in copies] == [f"resend:{id_}"]
    assert event.actor == "operator:1"


def farmer(context: Context, number: int, language: str = "rw") -> None:
    with context.store.transaction() as session:
        row = farmers.find_or_create(session, f"+2507880{number:05}")
        row.area, row.language, row.consent_at = "Rwamagana/Muhazi", language, now()


def test_a_broadcast_takes_two_people(admin: Person, second: Person, context: Context) -> None:
    for number in range(3):
        farmer(context, number)
    form = {"area": "Rwamagana", "text_en": TEXT, "text_rw": "Inama kuwa gatanu."}
    admin.get("/operator/broadcasts")
    admin.post("/operator/broadcasts/dry-run", **form)
    assert "Nothing has been sent" in admin.page
    assert "<dd>3</dd>" in admin.page
    assert "no message has had a price" in admin.page
    with context.store.reading() as session:
        assert session.scalars(select(Broadcast)).all() == []
    kept = admin.post("/operator/broadcasts", **form)
    path = kept.request.path
    assert "/approve" not in admin.page
    admin.post(f"{path}/approve")
    assert "another admin must approve" in admin.page
    with context.store.reading() as session:
        assert session.scalars(select(Broadcast.state)).one() == "draft"
    second.get(path)
    second.post(f"{path}/approve")
    assert "Being sent" in second.page
    with context.store.transaction() as session:
        assert broadcast.post_some(session, 10) == 3
    with context.store.reading() as session:
        texts = session.scalars(select(Message.text)).all()
    assert texts == ["Inama kuwa gatanu. Kubihagarika, subiza STOP cyangwa kanda *384*123#"] * 3
    second.get("/operator/audit")
    for kind in ("broadcast_drafted", "broadcast_approved"):
        assert kind in second.page


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"area": " "}, "Name a district"),
        ({"text_en": ""}, "must be an English text"),
        ({"text_en": "x" * 117}, "161 letters"),
        ({"text_en": "€" * 59}, "162 letters"),
        ({"text_sw": "привет"}, "cannot be sent"),
    ],
)
def test_a_wrong_broadcast_is_explained_and_kept(
    admin: Person, context: Context, wrong: dict[str, str], said: str
) -> None:
    farmer(context, 1)
    form = {"area": "Rwamagana", "text_en": TEXT} | wrong
    admin.get("/operator/broadcasts")
    for path in ("/operator/broadcasts/dry-run", "/operator/broadcasts"):
        assert admin.post(path, **form).status_code == 422
        assert said in admin.page
        assert form["text_en"] in admin.page
    with context.store.reading() as session:
        assert session.scalars(select(Broadcast)).all() == []


def test_line_ends_of_a_browser_cost_one_septet(admin: Person, context: Context) -> None:
    farmer(context, 1)
    admin.get("/operator/broadcasts")
    text = "\r\n".join(["x" * 55, "y" * 60])
    admin.post("/operator/broadcasts/dry-run", area="Rwamagana", text_en=text)
    assert "160 of 160" in admin.page
    admin.post("/operator/broadcasts", area="Rwamagana", text_en=text)
    with context.store.reading() as session:
        assert session.scalars(select(Broadcast.texts)).one() == {
            "en": text.replace("\r", "") + " To stop these, reply STOP or dial *384*123#"
        }


def test_a_broadcast_for_nobody(admin: Person) -> None:
    admin.get("/operator/broadcasts")
    admin.post("/operator/broadcasts/dry-run", area="Huye", text_en=TEXT)
    assert "Nobody there" in admin.page
    assert admin.post("/operator/broadcasts", area="Huye", text_en=TEXT).status_code == 422


def test_the_catalogue_with_lengths_and_review(viewer: Person, context: Context) -> None:
    viewer.get("/operator/texts?of=rw")
    assert "/160" in viewer.page
    seen, pages = set(), 0
    while True:
        seen |= set(context.catalogue.keys_of()) & _keys(viewer.page)
        pages += 1
        if 'rel="next"' not in viewer.page:
            break
        link = viewer.page.split('href="/operator/texts?')[1].split('"')[0]
        viewer.get("/operator/texts?" + link.replace("&amp;", "&"))
    assert pages > 1
    assert len(seen) == context.catalogue.review_state()["rw"][1]


def _keys(page: str) -> set[str]:
    return {part.split("</code>")[0] for part in page.split("<code>")[1:]}


def test_the_history_of_one_case_and_of_all(viewer: Person, context: Context) -> None:
    with context.store.transaction() as session:
        for number in range(paging.ROWS + 5):
            session.add(Event(kind="consent", actor="ussd", data={"n": number}))
    viewer.get("/operator/audit")
    assert "Signed in: vera" in viewer.page
    assert "Consent" not in viewer.page
    viewer.get("/operator/audit?who=all")
    assert viewer.page.count("Consent given: ussd") == paging.ROWS
    more = viewer.page.split('href="/operator/audit?')[-1].split('"')[0].replace("&amp;", "&")
    viewer.get(f"/operator/audit?{more}")
    assert viewer.page.count("Consent given: ussd") == 5
