"""What the tests that run for every provider need of one: its `samples.py` names a `SAMPLE`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway import channels
from gateway.outbox.network import Network, Outcome

PHONE = "+250788000001"
Form = Mapping[str, str]


@dataclass(frozen=True)
class Sample:
    """One provider, as the outside world meets it.

    `client` makes a sending half of a server at an address, with a secret that no log may hold and
    a timeout in seconds; `accepting` is that server's answer to a message it takes, and what of the
    answer or the request is then the message's id; `refusing`: an HTTP status and body to what they
    mean. `sms` makes a form from an id and a text of PHONE; `report` from an id and a status;
    `statuses`: status to the state of a message that was sent.
    """

    name: str
    client: Callable[[str, str, float], Network]
    accepting: tuple[int, str]
    refusing: Sequence[tuple[int, str, Outcome, str]]
    address: str
    """Of its callbacks, with KEY for the key."""
    sms: Callable[[str, str], tuple[str, Form]]
    report: Callable[[str, str], tuple[str, Form]]
    statuses: Mapping[str, str]
    failed: str
    """A status of a message that will never arrive."""
    taken: str = ""
    """What a callback is answered; empty: whatever."""
    nonsense: Sequence[tuple[str, Form]] = field(default_factory=list)
    """Last parts of addresses and forms that say nothing."""


def every() -> list[Sample]:
    found = []
    for name in channels.PROVIDERS:
        sample: Sample = importlib.import_module(f"tests.channels.{name}.samples").SAMPLE
        assert sample.name == name
        found.append(sample)
    return found
