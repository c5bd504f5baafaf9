"""Every log line of a test run is searched for phone numbers, keys and tokens.

Lines of this process are looked at as they are written, before anything is masked: the mask is a
net, and no room may lean on it. Tracebacks are left to it, for they repeat what others wrote. Lines
of whole houses are looked at as they came out, tracebacks too.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

from rig.house import KEY, House
from rig.storm import site

OURS = ("gateway", "inference", "leafline", "rq", "waitress")
"""Whose lines a house writes from INFO on."""
SECRETS = (KEY, site.SECRET, "channel-key-for-tests", "a secret for tests")
TOLD = re.compile(
    r"\+\d{9,15}\b"  # as we keep numbers
    r"|%2[Bb]\d{9,15}"
    r"|(?<![\w.])(?:25[046]|255|0)7\d{8}(?!\w)"  # as people and vendors write ours
    r"|\blf[ck]_[\w-]{20,}"
    r"|\$argon2"
    r"|csrf_token=\S"
    r"|" + "|".join(map(re.escape, SECRETS))
)
LINE = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]+Z? |\s(?!\s*(?:\w+ +)?https?://)|Traceback|[\w.]+(?:Error|Exception)\b|\{\""
)
"""A log line, or a line of a traceback; other lines of a house are what it prints to its owner."""


def told(text: str) -> list[str]:
    """Lines that tell of somebody, or open a door."""
    return [line for line in text.splitlines() if LINE.match(line) and TOLD.search(line)]


class Watch(logging.Handler):
    """Lines of this process."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if TOLD.search(line):
            self.told.append(f"{record.name}: {line}")

    def take(self) -> list[str]:
        found, self.told = self.told, []
        return found


class Houses:
    """Lines of the houses that were started, each looked at once."""

    def __init__(self) -> None:
        self._read: dict[int, tuple[House, int]] = {}

    def started(self, house: House) -> None:
        self._read[id(house)] = house, 0

    def take(self) -> list[str]:
        found = []
        for key, (house, seen) in list(self._read.items()):
            output = house.output
            found += told(output[seen:])
            self._read[key] = house, output.rfind("\n") + 1
        return found


def watching() -> Iterator[Watch]:
    """A watch over the loggers that write in a house, at the level at which they write there."""
    watch, loggers = Watch(), [logging.getLogger(name) for name in OURS]
    for logger in loggers:
        logger.addHandler(watch)
        logger.setLevel(logging.INFO)
    yield watch
    for logger in loggers:
        logger.removeHandler(watch)
        logger.setLevel(logging.NOTSET)
