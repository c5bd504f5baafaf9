"""Counting agrees with counting by hand, on both stores, at a fixed number of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from gateway.figures import counts
from gateway.figures.counts import Count, Share
from gateway.store import Store
from gateway.store.models import (
    Case,
    Diagnosis,
    Escalation,
    Farmer,
    Label,
    Message,
    Officer,
    Photo,
)
from rig import crowd

NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
END = datetime(2026, 11, 25, tzinfo=UTC)


class Field:
    """Makes cases with one photo each."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.number = 0
        self.officer = Officer(
            name="Keza", phone="+250788000099", phone_digest="o", area="*", languages="rw"
        )
        session.add(self.officer)

    def case(
        self,
        at: datetime = NOW,
        label: str | None = "maize_rust",
        verdict: str = "advice",
        area: str | None = "Rwamagana/Muhazi",
        officers: str | None = None,
        confidence: float | None = 0.9,
        answered: float | None = None,
    ) -> Case:
        self.number += 1
        farmer = Farmer(phone="+250788000001", phone_digest=f"f{self.number}")
        case = Case(
            code=f"{self.number:07}",
            farmer=farmer,
            source="kiosk",
            language="rw",
            area=area,
            state="answered",
            label=label,
            verdict=verdict,
            confidence=confidence,
            created_at=at,
        )
        self.session.add(case)
        self.session.flush()
        photo = Photo(
            case=case,
            address="a",
            upload_digest="u",
            source="kiosk:1",
            width=1,
            height=1,
            received_at=at,
        )
        self.session.add(photo)
        self.session.flush()
        self.session.add(
            Diagnosis(
                photo_id=photo.id,
                case_id=case.id,
                label=label,
                confidence=confidence,
                verdict=verdict,
                detail={},
                created_at=at,
            )
        )
        if officers:
            self.session.add(
                Label(
                    case_id=case.id,
                    photo_id=photo.id,
                    officer_id=self.officer.id,
                    label=officers,
                    agreed=officers == label,
                    plot_digest="p",
                    created_at=at,
                    updated_at=at,
                )
            )
        if answered is not None:
            self.session.add(
                Message(
                    key=f"m{self.number}",
                    direction="out",
                    address="+250788000001",
                    address_digest="x",
                    farmer_id=farmer.id,
                    case_id=case.id,
                    state="sent",
                    sent_at=at + timedelta(seconds=answered),
                )
            )
        return case


@pytest.fixture
def field(store: Store) -> Iterator[Field]:
    with store.transaction() as session:
        yield Field(session)


def test_the_day_ends_at_midnight() -> None:
    assert counts.end_of_day(NOW) == END
    assert counts.end_of_day(END) == END + timedelta(days=1)


@pytest.mark.parametrize(
    ("before", "week"),
    [
        (timedelta(seconds=1), 0),
        (timedelta(days=7), 1),
        (timedelta(days=7, seconds=-1), 0),
        (timedelta(days=13, hours=23), 1),
        (timedelta(days=21, seconds=-1), 2),
    ],
)
def test_weeks_are_counted_back_from_the_end(field: Field, before: timedelta, week: int) -> None:
    field.case(END - before)
    found = counts.diseases(field.session, END, 3)
    assert found == [Count(week, "Rwamagana", "maize_rust", 1)]


def test_diseases_by_district_however_it_is_spelt(field: Field) -> None:
    for area in ("Rwamagana/Muhazi", " rwamagana /Kigabiro", "Rwamagana", "Huye/Ngoma", None, "/"):
        field.case(area=area)
    field.case(END)  # tomorrow's
    field.case(END - timedelta(weeks=4, seconds=1))  # too old
    found = {
        (count.district.casefold(), count.count) for count in counts.diseases(field.session, END, 4)
    }
    assert found == {("rwamagana", 3), ("huye", 1), ("", 2)}


@pytest.mark.parametrize(
    ("verdict", "label", "officers", "counted"),
    [
        ("advice", "maize_rust", None, "maize_rust"),
        ("unknown", "maize_rust", None, counts.UNKNOWN),
        ("second_photo", "maize_rust", None, counts.UNKNOWN),
        ("unreadable", None, None, counts.UNKNOWN),
        ("advice", "maize_rust", "maize_rust", "maize_rust"),
        ("advice", "maize_rust", "maize_blight", "maize_blight"),
        ("unknown", "maize_rust", "bean_spot", "bean_spot"),
        ("unreadable", None, "bean_spot", "bean_spot"),
        ("advice", "maize_rust", "none", counts.OTHER),
    ],
)
def test_what_counts_as_which_disease(
    field: Field, verdict: str, label: str | None, officers: str | None, counted: str
) -> None:
    field.case(verdict=verdict, label=label, officers=officers)
    found = [count.label for count in counts.diseases(field.session, END, 1)]
    assert found == [counted]


def test_the_newest_of_two_officers_labels_counts_once(field: Field) -> None:
    case = field.case(officers="maize_blight")
    second = Officer(name="Ali", phone="+250788000098", phone_digest="p", area="*", languages="rw")
    field.session.add(second)
    field.session.flush()
    photo = field.session.query(Photo).one()
    field.session.add(
        Label(
            case_id=case.id,
            photo_id=photo.id,
            officer_id=second.id,
            label="none",
            agreed=False,
            plot_digest="p",
        )
    )
    found = counts.diseases(field.session, END, 1)
    assert [(count.label, count.count) for count in found] == [(counts.OTHER, 1)]


@pytest.mark.parametrize(
    ("confidence", "bin_"),
    [(None, 0), (0.0, 0), (0.09999, 0), (0.1, 1), (0.7, 7), (0.95, 9), (1.0, 9)],
)
def test_bins_of_confidence(field: Field, confidence: float | None, bin_: int) -> None:
    field.case(confidence=confidence)
    (found,) = counts.verdicts(field.session, END, 1)
    assert (found.bin, found.count, found.verdict) == (bin_, 1, "advice")
    assert found.confidence == pytest.approx(confidence or 0)


def test_disagreements(field: Field) -> None:
    field.case(officers="maize_rust")
    field.case(officers="bean_spot")
    field.case(officers="none")
    field.case()
    assert counts.disagreements(field.session, END, 1) == [Share(0, 3, 2)]


def test_answers_in_time(field: Field) -> None:
    for seconds in (1.0, 59.9, 60.0, 61.5, None):
        field.case(answered=seconds)
    field.case(answered=-5.0)  # an earlier message of the case is no answer to this photo
    assert counts.answered_in_time(field.session, END, 1) == [Share(0, 6, 3)]


def test_escalations_in_time(field: Field) -> None:
    hour = timedelta(hours=1)
    for opened, closed in [
        (NOW - 30 * hour, NOW - 10 * hour),  # answered in time
        (NOW - 30 * hour, NOW - 2 * hour),  # late
        (NOW - 30 * hour, None),  # late and open
        (NOW - 20 * hour, None),  # has its day still
        (NOW - 20 * hour, NOW - 19 * hour),  # not yet counted
    ]:
        field.session.add(
            Escalation(case=field.case(), reason="unknown", opened_at=opened, closed_at=closed)
        )
    found = counts.escalations_in_time(field.session, END, 1, NOW)
    assert found == [Share(0, 3, 1)]


@contextmanager
def queries(store: Store) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    yield seen
    event.remove(store.engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("ask", "most"),
    [
        (lambda s: counts.diseases(s, counts.end_of_day(), 26), 2),
        (lambda s: counts.verdicts(s, counts.end_of_day(), 26), 1),
        (lambda s: counts.disagreements(s, counts.end_of_day(), 26), 1),
        (lambda s: counts.answered_in_time(s, counts.end_of_day(), 8), 1),
        (
            lambda s: counts.escalations_in_time(s, counts.end_of_day(), 8, counts.end_of_day()),
            1,
        ),
    ],
)
def test_queries_are_few_whatever_the_data(
    store: Store, ask: Callable[[Session], list[object]], most: int
) -> None:
    crowd.fill(store, 300)
    with queries(store) as seen, store.reading() as session:
        assert ask(session)
    assert len(seen) == most


def test_a_label_that_was_changed_later_is_the_newest(field: Field) -> None:
    case = field.case(officers="maize_blight")
    first = field.session.query(Label).one()
    ali = Officer(name="Ali", phone="+250788000098", phone_digest="p", area="*", languages="rw")
    field.session.add(ali)
    field.session.flush()
    field.session.add(
        Label(
            case_id=case.id,
            photo_id=first.photo_id,
            officer_id=ali.id,
            label="none",
            agreed=False,
            plot_digest="p",
            updated_at=NOW + timedelta(hours=1),
        )
    )
    first.label, first.updated_at = "bean_spot", NOW + timedelta(hours=2)
    found = counts.diseases(field.session, END, 1)
    assert [(count.label, count.count) for count in found] == [("bean_spot", 1)]
