"""What a farmer wrote of a case, on its officer's page."""

from __future__ import annotations

from gateway.context import Context
from gateway.dialogue.sms import Incoming, receive
from gateway.store.base import now
from rig import desk
from rig import things as house
from rig.desk import Person


def test_a_farmers_words_are_on_the_page_as_text(
    context: Context, keza: desk.Officer, person: Person
) -> None:
    code = desk.case(context)
    text = "the <i>lower</i> leaves are gone"
    receive(context.dialogue, Incoming("w1", house.FARMER, text, now()))
    person.sign_in(keza)
    person.get(f"/officer/case/{code}")
    assert "the &lt;i&gt;lower&lt;/i&gt; leaves are gone" in person.page
    assert "farmer wrote" in person.page
