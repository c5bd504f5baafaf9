"""Farmers, kiosks, officers and operators: who they are, what they agreed to, how they prove it."""

from __future__ import annotations

from typing import Literal

Code = Literal[
    "area_unknown",
    "kiosk_name",
    "kiosk_area",
    "kiosk_taken",
    "kiosk_unknown",
    "kiosk_disabled",
    "opening_long",
    "position_numbers",
    "position_range",
    "pairing_refused",
    "officer_fields",
    "officer_taken",
    "officer_unknown",
    "no_work_day",
    "work_hours",
    "operator_name",
    "operator_role",
    "operator_taken",
    "operator_unknown",
    "password_length",
    "phone_number",
]
"""Each has a text `operator_why_<code>` in the pages' catalogues."""


class PeopleError(ValueError):
    """Somebody cannot be added, changed or found; its text is one line for whoever types commands.

    Args:
        code: stable, for whoever reads a page in another language.
        values: what the text of the page fills in.
    """

    def __init__(self, code: Code, message: str, **values: object) -> None:
        super().__init__(message)
        self.code = code
        self.values = values
