"""Where in its path a session was when consent was given in it. A session whose state is lost goes
along its path once more, and must find the question asked again that was asked then."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.store.models import Farmer


@dataclass(frozen=True)
class Agreed:
    began: str = ""
    """The screen that the session began on; empty when consent was given elsewhere."""
    answers: int = 0
    """How many the path had with the yes."""

    def to_row(self, session_tag: str) -> dict[str, str | int]:
        """What `Farmer.consent_path` keeps."""
        return {"session": session_tag, "began": self.began, "answers": self.answers}


def agreed_in(farmer: Farmer, session_tag: str) -> Agreed:
    """The place in the path of this very session; nothing where it was another, or none."""
    kept = farmer.consent_path or _before_it_had_a_column(farmer.consent_by or "")
    if kept.get("session") != session_tag:
        return Agreed()
    return Agreed(str(kept["began"]), int(kept["answers"]))


def _before_it_had_a_column(consent_by: str) -> dict[str, str | int]:
    """`ussd:<session>:<screen>:<answers>`, as a program of before writes it."""
    way, *told = consent_by.split(":")
    if way != "ussd" or len(told) != 3 or not told[2].isdecimal():
        return {}
    return {"session": told[0], "began": told[1], "answers": int(told[2])}
