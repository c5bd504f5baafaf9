"""The auditor finds what it is there to find; the faults are the same for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import pytest

from rig.storm.audit import UNDELIVERED, CaseFacts, Evidence, Findings, Out, audit
from rig.storm.clients import Ledger
from rig.storm.faults import KINDS, plan

PHONE, OTHER = "+250780000001", "+250780000002"
ANSWER = Out(PHONE, "K: looks like rust", "delivered", "", "answer", case="K", to_farmer=True)
CASE = CaseFacts("K", PHONE, "answered", diagnoses=1, photos=1)
REPORT = ("ATXid_1", "Success")


def told() -> Ledger:
    ledger = Ledger()
    ledger.uploads["u1"].add("K")
    ledger.phones["u1"] = PHONE
    ledger.sms["s1"] = PHONE
    ledger.stops.add(PHONE)
    ledger.consents.add(PHONE)
    ledger.requests.add(PHONE)
    return ledger


def found() -> Evidence:
    return Evidence(
        cases={"K": CASE},
        uploads={"u1": ["K"]},
        received=Counter(s1=1),
        replies=Counter(s1=1),
        messages=[ANSWER],
        phones=Counter({(PHONE, ANSWER.text): 1}),
        consents={PHONE},
        opted_out={PHONE},
        requests=Counter({PHONE: 1}),
        reports_told={REPORT},
        reports={REPORT},
    )


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert audit(told(), found()) == Findings()


def case(**changes: object) -> Callable[[Evidence], None]:
    return lambda evidence: evidence.cases.update(K=replace(CASE, **changes))  # type: ignore[arg-type]


def message(**changes: object) -> Callable[[Evidence], None]:
    def change(evidence: Evidence) -> None:
        evidence.messages = [replace(ANSWER, **changes)]  # type: ignore[arg-type]

    return change


def held(count: int) -> Callable[[Evidence], None]:
    return lambda evidence: evidence.phones.update({(PHONE, ANSWER.text): count - 1})


def put(name: str, value: object) -> Callable[[Evidence], None]:
    return lambda evidence: setattr(evidence, name, value)


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (put("cases", {}), "lost"),
        (case(phone=OTHER), "lost"),
        (put("uploads", {}), "lost"),
        (put("bytes_missing", 1), "lost"),
        (put("received", Counter()), "lost"),
        (put("opted_out", set()), "lost"),
        (put("consents", set()), "lost"),
        (put("requests", Counter()), "lost"),
        (put("reports", set()), "lost"),
        (put("set_aside", 1), "lost"),
        (held(0), "lost"),
        (put("uploads", {"u1": ["K", "L"]}), "doubled"),
        (case(diagnoses=2), "doubled"),
        (case(closed_by_officer=2), "doubled"),
        (put("received", Counter(s1=2)), "doubled"),
        (put("replies", Counter(s1=2)), "doubled"),
        (put("requests", Counter({PHONE: 2})), "doubled"),
        (held(2), "doubled"),
        (case(waiting_photos=1), "stuck"),
        (put("on_queue", 1), "stuck"),
        (put("spooled", 1), "stuck"),
        (message(state="unknown"), "stuck"),
        (message(state="queued"), "stuck"),
        (message(case=""), "unanswered"),
        (message(to_farmer=False), "unanswered"),
        (message(kind="reply"), "unanswered"),
    ],
)
def test_each_wrong_is_found(wrong: Callable[[Evidence], None], kind: str) -> None:
    evidence = found()
    wrong(evidence)
    findings = audit(told(), evidence)
    assert len(getattr(findings, kind)) == 1, vars(findings)
    assert not findings.clean


def test_two_codes_for_one_upload_are_found() -> None:
    ledger, evidence = told(), found()
    ledger.uploads["u1"].add("L")
    evidence.cases["L"] = replace(CASE, code="L", held=True)
    assert audit(ledger, evidence).doubled == ["u1: told 2 cases"]


@pytest.mark.parametrize(
    ("change", "copies", "findings"),
    [
        ({"resent": True}, 2, Findings(twice_in_window=1)),
        ({"resent": True}, 1, Findings()),
        ({"state": "failed", "outcome": "absent"}, 0, Findings()),
        ({"state": "failed", "outcome": "absent"}, 1, Findings()),
    ],
)
def test_the_window_is_no_finding(
    change: dict[str, object], copies: int, findings: Findings
) -> None:
    evidence = found()
    message(**change)(evidence)
    held(copies)(evidence)
    assert audit(told(), evidence) == findings


REFUSED = replace(ANSWER, state="failed", outcome="no_route")


@pytest.mark.parametrize(
    ("messages", "state", "held", "incidents", "good"),
    [
        pytest.param([REFUSED], "answered", False, set(), False, id="nobody knows"),
        pytest.param([REFUSED], "escalated", True, set(), True, id="an officer has it"),
        pytest.param([ANSWER, REFUSED], "answered", False, set(), False, id="the last word"),
        pytest.param([REFUSED, ANSWER], "answered", False, set(), True, id="said since"),
        pytest.param([REFUSED], "closed", False, set(), False, id="an officer's answer"),
        pytest.param([REFUSED], "closed", False, {UNDELIVERED}, True, id="the operator knows"),
        pytest.param([REFUSED], "answered", False, {UNDELIVERED}, False, id="of another case"),
    ],
)
def test_a_refused_answer_needs_a_person(
    messages: list[Out], state: str, held: bool, incidents: set[str], good: bool
) -> None:
    evidence = found()
    evidence.messages, evidence.incidents = messages, incidents
    evidence.phones = Counter({(PHONE, ANSWER.text): messages.count(ANSWER)})
    case(state=state, held=held)(evidence)
    assert audit(told(), evidence).clean == good


def test_what_the_network_took_and_did_not_deliver_is_not_ours_to_lose() -> None:
    evidence = found()
    message(provider_id="ATXid_9", state="sent")(evidence)
    held(0)(evidence)
    assert audit(told(), evidence).lost
    evidence.undelivered = {"ATXid_9"}
    assert audit(told(), evidence) == Findings()


def test_a_person_is_as_good_as_an_answer() -> None:
    evidence = found()
    evidence.messages, evidence.phones = [], Counter()
    assert audit(told(), evidence).unanswered
    case(held=True)(evidence)
    assert audit(told(), evidence) == Findings()


def test_the_same_seed_gives_the_same_faults() -> None:
    first, again, other = ([*islice(plan(seed), 300)] for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert {fault.kind for fault in first} == set(KINDS)
