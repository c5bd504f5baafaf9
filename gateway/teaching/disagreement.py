"""Where officers and the machine disagree, class by class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.store.models import Label
from gateway.teaching.labels import CHOICES

NOTHING = "nothing"
"""The machine had no word on the case."""


@dataclass
class Row:
    """What officers said of the cases of which the machine said one thing."""

    machine: str
    cases: int = 0
    agreed: int = 0
    instead: Counter[str] = field(default_factory=Counter)
    """The officers' labels where they did not agree."""

    def add(self, label: str) -> None:
        self.cases += 1
        if label == self.machine:
            self.agreed += 1
        else:
            self.instead[label] += 1


def said(session: Session) -> list[tuple[str | None, str]]:
    """(machine's word, officer's label) of each labelled case; of several labels the newest."""
    rows = session.execute(
        select(Label.case_id, Label.machine_label, Label.label).order_by(Label.updated_at, Label.id)
    )
    newest = {case_id: (machine, label) for case_id, machine, label in rows}
    return list(newest.values())


def by_class(pairs: Iterable[tuple[str | None, str]]) -> list[Row]:
    """A row for each word of the machine that occurs, in the order of the classes."""
    rows = {name: Row(name) for name in (*CHOICES, NOTHING)}
    for machine, label in pairs:
        rows[machine or NOTHING].add(label)
    return [row for row in rows.values() if row.cases]


def report(rows: list[Row]) -> Iterator[str]:
    """The rows as lines of a table, and the share of all cases in which officers disagreed."""
    if not rows:
        yield "no officer has labelled a case yet"
        return
    yield f"{'machine said':16} {'cases':>6} {'agreed':>7} {'share':>6}  officers said instead"
    for row in rows:
        instead = ", ".join(f"{name} {count}" for name, count in row.instead.most_common())
        share = f"{row.agreed / row.cases:.0%}"
        yield f"{row.machine:16} {row.cases:6} {row.agreed:7} {share:>6}  {instead}".rstrip()
    judged = [row for row in rows if row.machine != NOTHING]
    cases, agreed = sum(row.cases for row in judged), sum(row.agreed for row in judged)
    if cases:
        wrong = cases - agreed
        yield f"officers disagreed on {wrong} of {cases} cases ({wrong / cases:.1%})"
