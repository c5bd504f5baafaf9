"""Faults that the simulated network can be told to have. All of them happen in real ones."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from typing import Any

# Answers to a send. Those marked True take the message all the same.
SEND: dict[str, bool] = {
    "http_500": False,
    "http_500_accepted": True,
    "http_502": False,
    "http_503": False,
    "throttled": False,
    "slow": True,
    "timeout": False,
    "timeout_accepted": True,
    "reset": False,
    "reset_accepted": True,
    "cut_json": True,
    "wrong_json": True,
    "charset": True,
    "text_plain": True,
    "not_json": True,
    "empty_recipients": False,
    "redirect": False,
    "wrong_key": False,
    "do_not_disturb": False,
    "status_100": True,
    "status_101": True,
    "status_102": True,
    "status_401": False,
    "status_402": False,
    "status_403": False,
    "status_404": False,
    "status_405": False,
    "status_406": False,
    "status_407": False,
    "status_409": False,
    "status_500": False,
    "status_501": False,
    "status_502": False,
    "status_999": False,
}

REPORTS = (
    "success",
    "never",
    "duplicated",
    "out_of_order",
    "before_answer",
    "absent_then_success",
    "unknown_id",
    "unknown_status",
    "failed",
    "rejected",
    "blacklisted",
)


class UnknownFault(ValueError):
    """No fault has this name; the text lists those that exist."""


@dataclass
class SendFault:
    """`times`: how often it still happens (None: until taken away). `share`: of how many sends.
    `to`: only for this number, or for all when empty. `seconds`: for those that take time."""

    name: str
    times: int | None = None
    share: float = 1.0
    to: str = ""
    seconds: float = 30.0


class Faults:
    """What is switched on now. `seed` makes the shares repeatable."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self.send: list[SendFault] = []
            self.reports = "success"
            self.report_delay = 0.2
            self._random = random.Random(0)  # noqa: S311 - repeatable faults, no secret

    def set(self, wanted: dict[str, Any]) -> None:
        """Replace all faults by those of a JSON object.

        `{"send": [{"name", "times", "share", "to", "seconds"}], "reports", "report_delay",
        "seed"}`; what is left out is as it is without faults.

        Raises:
            UnknownFault: a name or a value is not known.
        """
        try:
            send = [SendFault(**fault) for fault in wanted.get("send", [])]
            delay = float(wanted.get("report_delay", 0.2))
            reports = wanted.get("reports", "success")
        except (TypeError, ValueError):
            raise UnknownFault(
                "give {send: [{name, times, share, to, seconds}], reports, report_delay, seed}"
            ) from None
        for fault in send:
            if fault.name not in SEND:
                raise UnknownFault(f"{fault.name}: one of {', '.join(SEND)}")
        if reports not in REPORTS:
            raise UnknownFault(f"{reports}: one of {', '.join(REPORTS)}")
        with self._lock:
            self.send, self.reports, self.report_delay = send, reports, delay
            self._random = random.Random(wanted.get("seed", 0))  # noqa: S311

    def next_for(self, to: str) -> SendFault | None:
        """The fault that meets a send to this number, if any."""
        with self._lock:
            for fault in self.send:
                if fault.times == 0 or (fault.to and fault.to != to):
                    continue
                if fault.share < 1 and self._random.random() >= fault.share:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def to_json(self) -> dict[str, Any]:
        with self._lock:
            return {
                "send": [vars(fault) for fault in self.send],
                "reports": self.reports,
                "report_delay": self.report_delay,
            }
