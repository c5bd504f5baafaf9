"""Forms that were refused: the words stay, and the notice stands at the field to be mended."""

from __future__ import annotations

from typing import Any

from flask import g, request

from gateway.pages.base.install import t
from gateway.pages.operator import door
from gateway.people import Code, PeopleError

FIELDS: dict[Code, str] = {
    "area_unknown": "area",
    "kiosk_name": "name",
    "kiosk_area": "area",
    "kiosk_taken": "name",
    "opening_long": "opening",
    "position_numbers": "latitude",
    "position_range": "latitude",
    "officer_fields": "name",
    "officer_taken": "phone",
    "phone_number": "phone",
    "no_work_day": "day",
    "work_hours": "from",
    "operator_name": "name",
    "operator_taken": "name",
    "password_length": "new",
}
"""Where a fault is mended, unless the error names a `field` itself."""


def refuse(field: str, text: str) -> None:
    """Show `text` at the field on the page of this request, with what was typed; the first field
    that is blamed gets the focus."""
    g.typed = request.form
    g.setdefault("faults", {}).setdefault(field, text)


def not_saved(error: PeopleError) -> None:
    """Say at the field why nothing was changed."""
    field = str(error.values.get("field") or FIELDS.get(error.code, ""))
    refuse(field, t("operator_not_saved", why=door.why(error)))


def names() -> dict[str, Any]:
    """For `field` of parts.html: what was typed, and what is wrong with it."""
    return {"typed": g.get("typed"), "faults": g.get("faults", {})}
