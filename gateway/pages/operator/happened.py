"""The history in sentences, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.agronomy import CROP_OF
from gateway.context import Context
from gateway.dialogue.catalogue import CatalogueError
from gateway.pages.base.install import has_text, spoken, t, text_or_name
from gateway.people import operators
from gateway.store.models import Event, Kiosk, Officer, Operator


@dataclass(frozen=True)
class Names:
    """What the people and kiosks of some lines of history are called, by actor."""

    known: Mapping[str, str]

    @classmethod
    def read(
        cls, session: Session, events: Iterable[Event], them: Iterable[Operator] = ()
    ) -> Names:
        """In two queries, whatever the lines.

        Args:
            them: the operators, as listed.
        """
        wanted: dict[str, set[int]] = {"officer": set(), "kiosk": set()}
        for event in events:
            kind, _, number = event.actor.partition(":")
            if kind in wanted and number.isdecimal():
                wanted[kind].add(int(number))
        known = {operators.actor(row): row.name for row in them}
        officers = select(Officer.id, Officer.name).where(Officer.id.in_(wanted["officer"]))
        kiosks = select(Kiosk.id, Kiosk.name).where(Kiosk.id.in_(wanted["kiosk"]))
        known |= {f"officer:{id_}": name for id_, name in session.execute(officers)}
        known |= {f"kiosk:{id_}": name for id_, name in session.execute(kiosks)}
        return cls(known)

    def of(self, actor: str) -> str:
        if (name := self.known.get(actor)) is not None:
            return name
        key = f"operator_actor_{actor.partition(':')[0]}"
        return t(key) if has_text(key) else actor


def sentence(event: Event, names: Names) -> str:
    """What happened, by whom and why. A kind that has no text, as of a newer program, is said by
    its name."""
    data = event.data or {}
    what = event.kind
    if event.kind == "case" and event.to_state:
        what = t(f"operator_state_{event.to_state}")
    elif has_text(f"operator_did_{event.kind}"):
        values = {
            "label": label(str(data.get("label", ""))),
            "machine": label(str(data.get("machine") or "none")),
        }
        what = t(f"operator_did_{event.kind}", **values)
    said = t("operator_did_by", what=what, who=names.of(event.actor))
    if event.reason:
        said += f" ({text_or_name('operator_reason', event.reason)})"
    return said


def facts(event: Event) -> str:
    """What the sentence leaves out: facts without personal data, as they are kept."""
    said = {"label", "machine", "agreed"} if event.kind == "label" else set()
    return ", ".join(
        f"{name.replace('_', ' ')} {value}"
        for name, value in (event.data or {}).items()
        if name not in said
    )


def label(name: str | None) -> str:
    if name in CROP_OF:
        return t(f"operator_label_{name}")
    return t("operator_label_none") if name in (None, "", "none") else str(name)


def crop(context: Context, code: str | None) -> str:
    code = code or "unknown"
    try:
        return context.catalogue.text(f"crop_{code}", spoken())
    except CatalogueError:
        return code
