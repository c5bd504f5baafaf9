"""A case, found and held."""

from __future__ import annotations

import pytest

from gateway import outbox
from gateway.cases import escalation, life
from gateway.cases.case import by_code, hold
from gateway.context import Context
from gateway.pages.officer.actions import holding
from gateway.people import farmers
from gateway.store import patience
from gateway.store.models import Case, Officer
from rig import things as house

ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def officer(any_context: Context) -> Officer:
    return house.officer(any_context.store)


@pytest.fixture
def case(any_context: Context, officer: Officer) -> Case:
    """One that the officer has."""
    with any_context.store.transaction() as session:
        farmer = farmers.find_or_create(session, house.FARMER)
        return escalation.request_officer(session, any_context.desk, farmer, "spreading")


def _message_about(context: Context, case: Case) -> bool:
    with patience(1.0), context.store.transaction() as session:
        return outbox.post(
            session,
            key="about the case",
            to=house.FARMER,
            text="Words",
            kind=outbox.Kind.REPLY,
            case_id=case.id,
        )


@ON_POSTGRESQL
def test_a_held_case_is_seen_as_it_is_by_then(any_context: Context, case: Case) -> None:
    with any_context.store.transaction() as session:
        seen = by_code(session, case.code)
        assert seen is not None
        with any_context.store.transaction() as other:
            held = hold(other, case.id)
            assert held is not None
            life.move(other, held, life.ACCEPTED, actor="test")
        assert hold(session, case.id) is seen
        assert seen.state == life.ACCEPTED


@ON_POSTGRESQL
def test_what_only_names_a_held_case_need_not_wait(any_context: Context, case: Case) -> None:
    with any_context.store.transaction() as session:
        assert hold(session, case.id) is not None
        with any_context.store.transaction() as other:
            assert hold(other, case.id, wait=False) is None
        assert _message_about(any_context, case)


@ON_POSTGRESQL
def test_nor_while_an_officer_is_at_it_on_the_page(
    any_context: Context, officer: Officer, case: Case
) -> None:
    with holding(any_context, officer, case.code):
        assert _message_about(any_context, case)


def test_a_case_that_is_gone_is_not_held(any_context: Context) -> None:
    with any_context.store.transaction() as session:
        assert hold(session, 404) is None
        assert by_code(session, "K7Q2M9X") is None
