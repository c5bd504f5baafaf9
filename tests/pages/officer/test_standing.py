from __future__ import annotations

import pytest

from gateway.pages.officer.standing import Standing, standing
from gateway.store.base import now
from gateway.store.models import Escalation

ME, COLLEAGUE, OPERATOR = 1, 2, None


def _row(officer: int | None, outcome: str | None = None) -> Escalation:
    return Escalation(officer_id=officer, outcome=outcome, closed_at=now() if outcome else None)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], "not_yours"),
        ([(ME, None)], "mine"),
        ([(COLLEAGUE, None)], "not_yours"),
        ([(OPERATOR, None)], "not_yours"),
        ([(ME, "answered")], "answered"),
        ([(ME, "withdrawn")], "withdrawn"),
        ([(ME, "handed_over"), (COLLEAGUE, None)], "with_colleague"),
        ([(ME, "handed_over"), (OPERATOR, None)], "with_colleague"),
        ([(ME, "handed_over"), (COLLEAGUE, "answered")], "colleague_answered"),
        ([(ME, "handed_over"), (COLLEAGUE, "handed_over"), (ME, None)], "mine"),
        ([(ME, "answered"), (COLLEAGUE, None)], "answered"),
    ],
)
def test_how_an_officer_stands_to_a_case(
    rows: list[tuple[int | None, str | None]], expected: Standing
) -> None:
    assert standing([_row(*row) for row in rows], ME) == expected
