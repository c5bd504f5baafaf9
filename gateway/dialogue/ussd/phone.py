"""A phone that dials: for tests, for the terminal, and for the figures."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Self

from gateway.dialogue import gsm7
from gateway.dialogue.catalogue import SCREEN_LIMIT
from gateway.dialogue.ussd.networks import NETWORKS
from gateway.dialogue.ussd.service import UssdRequest

Call = list[tuple[str, str]]
"""One session: what was typed, beginning with the code, and the screen that came."""


def as_test(number: str, operator: str, calls: Sequence[Call]) -> str:
    """These calls of a phone as the source of a test, ready to be put into tests/dialogue."""
    lines = ["def test_recorded_session(dial: Dial) -> None:"]
    lines.append(f"    phone = dial({number!r}, operator={operator!r})")
    for call in calls:
        for hop, (typed, screen) in enumerate(call):
            first = screen.splitlines()[0] if screen else ""
            step = f"answer({typed!r})" if hop else f"dial({typed!r})"
            lines.append(f"    phone.{step}.expect({first!r})")
    return "\n".join(lines)


class Phone:
    """Plays one number: `Phone(answer, "+250788000001").dial().answer("1").expect("Advice")`.

    Every reply is checked as the network would take it: prefix first, GSM letters, length.
    """

    def __init__(
        self,
        network: Callable[[UssdRequest], str],
        number: str,
        *,
        code: str = "*384*123#",
        operator: str = "sandbox",
    ) -> None:
        """`network` carries a request to Leafline and returns the body of the reply."""
        self._network = network
        self.number = number
        self.code = code
        self.operator = operator
        self.session_id = ""
        self.dialled = code
        self.text = ""
        self.screen = ""
        self.ended = True
        self._calls: list[Call] = []

    def dial(self, code: str = "") -> Self:
        """Begin a session; a longer code than the service's own dials deep."""
        self.session_id = f"ATUid_{secrets.token_hex(16)}"
        extra = code.removeprefix(self.code.removesuffix("#")).strip("*#") if code else ""
        in_code = NETWORKS[self.operator].deep == "code"
        self.dialled = code if in_code and extra else self.code
        self.text = "" if in_code else extra
        self._calls.append([])
        return self._post(code or self.code)

    def answer(self, typed: str) -> Self:
        """Type an answer on the screen that is open."""
        assert not self.ended, f"the session has ended: {self.screen!r}"
        typed = typed[: NETWORKS[self.operator].answer]
        self.text = f"{self.text}*{typed}" if self.text else typed
        return self._post(typed)

    def repeat(self) -> Self:
        """The network posts the last hop once more; nothing new was typed."""
        return self._post(self._calls[-1].pop()[0])

    def drop(self) -> Self:
        """The call is cut off; Leafline hears nothing of it."""
        self.ended = True
        return self

    def expect(self, *words: str) -> Self:
        """The screen shows each of these. Raises: AssertionError."""
        for word in words:
            assert word in self.screen, f"{word!r} is not on the screen:\n{self.screen}"
        return self

    def expect_end(self, *words: str) -> Self:
        """The session has ended with these words. Raises: AssertionError."""
        assert self.ended, f"the session goes on:\n{self.screen}"
        return self.expect(*words)

    def dump(self) -> str:
        """All calls of this phone as the source of a test."""
        return as_test(self.number, self.operator, self._calls)

    def _post(self, typed: str) -> Self:
        network_code = NETWORKS[self.operator].network_code
        body = self._network(
            UssdRequest(self.session_id, self.number, self.dialled, network_code, self.text)
        )
        prefix, self.screen = body[:4], body[4:]
        assert prefix in ("CON ", "END "), f"no CON or END at the start of {body!r}"
        assert gsm7.septets(self.screen) <= SCREEN_LIMIT, f"too long: {self.screen!r}"
        self.ended = prefix == "END "
        self._calls[-1].append((typed, self.screen))
        return self
