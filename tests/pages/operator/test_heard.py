"""What was not understood, by language, for operators to learn words from."""

from __future__ import annotations

from gateway.context import Context
from gateway.dialogue.sms import Incoming, receive
from gateway.store.base import now
from rig import things as house
from rig.desk import Person


def test_what_was_not_understood_is_listed_by_language(viewer: Person, context: Context) -> None:
    house.farmer(context.store)
    for number, text in enumerate(
        ("my maize looks strange", "mahindi yangu yana ugonjwa <b>gani</b>", "RESULT")
    ):
        receive(context.dialogue, Incoming(f"h{number}", house.FARMER, text, now()))
    viewer.get("/operator/heard")
    assert "my maize looks strange" in viewer.page
    assert "&lt;b&gt;gani" in viewer.page
    assert "RESULT" not in viewer.page
    assert house.FARMER not in viewer.page
    viewer.get("/operator/heard?language=sw")
    assert "mahindi yangu" in viewer.page
    assert "my maize" not in viewer.page
    viewer.get("/operator/heard?language=%00&before=nonsense")
    assert "my maize" in viewer.page
