"""The rules of what becomes of a message, as tables."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.outbox import decide
from gateway.outbox.decide import Attempted, Step
from gateway.outbox.kinds import POLICY, Kind
from gateway.outbox.network import Outcome, SendResult

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
FRESH = Attempted(Kind.ANSWER, NOW)
OLD = Attempted(Kind.ANSWER, NOW - POLICY[Kind.ANSWER].lifetime)


def seconds(count: float) -> datetime:
    return NOW + timedelta(seconds=count)


@pytest.mark.parametrize(
    ("result", "message", "step"),
    [
        (SendResult(Outcome.SENT), FRESH, Step("sent")),
        (SendResult(Outcome.REJECTED, "no_route"), FRESH, Step("failed", "no_route")),
        (
            SendResult(Outcome.UNKNOWN, "read_timeout"),
            FRESH,
            Step("unknown", "read_timeout", NOW + decide.UNKNOWN_FOR),
        ),
        (
            SendResult(Outcome.THROTTLED, "rate", retry_after=7),
            FRESH,
            Step("queued", "rate", seconds(7)),
        ),
        (
            SendResult(Outcome.DEFERRED, "do_not_disturb", retry_after=3600),
            FRESH,
            Step("queued", "do_not_disturb", seconds(3600)),
        ),
        (SendResult(Outcome.CHANNEL_DOWN, "no_credit"), FRESH, Step("queued", "no_credit", NOW)),
        (
            SendResult(Outcome.RETRYABLE, "no_connection"),
            Attempted(Kind.ANSWER, NOW, attempts=4),
            Step("queued", "no_connection", NOW),
        ),
        (
            SendResult(Outcome.RETRYABLE, "provider_error"),
            FRESH,
            Step("queued", "provider_error", seconds(2), counts=True),
        ),
        (
            SendResult(Outcome.RETRYABLE, "provider_error"),
            Attempted(Kind.ANSWER, NOW, attempts=decide.ATTEMPTS - 1),
            Step("failed", "provider_error", counts=True),
        ),
        (
            SendResult(Outcome.RETRYABLE, "rejected_by_gateway", most_attempts=2),
            Attempted(Kind.ANSWER, NOW, attempts=1),
            Step("failed", "rejected_by_gateway", counts=True),
        ),
        (SendResult(Outcome.CHANNEL_DOWN, "no_credit"), OLD, Step("queued", "no_credit", NOW)),
        (
            SendResult(Outcome.THROTTLED, "rate", retry_after=1),
            OLD,
            Step("failed", "expired"),
        ),
    ],
)
def test_a_result_decides_the_next_state(
    result: SendResult, message: Attempted, step: Step
) -> None:
    assert decide.after(result, message, NOW, jitter=0.5) == step


@pytest.mark.parametrize("outcome", list(Outcome))
def test_no_outcome_leaves_a_message_in_sending(outcome: Outcome) -> None:
    assert decide.after(SendResult(outcome), FRESH, NOW, 0.5).state != "sending"


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.SENT])
def test_what_may_have_gone_is_never_queued_again_at_once(outcome: Outcome) -> None:
    assert decide.after(SendResult(outcome), FRESH, NOW, 0.5).state != "queued"


@pytest.mark.parametrize(
    ("kind", "resent", "state"),
    [
        (Kind.ESCALATION, False, "queued"),
        (Kind.ANSWER, False, "queued"),
        (Kind.ANSWER, True, "failed"),
        (Kind.REPLY, False, "failed"),
        (Kind.NOTICE, False, "failed"),
        (Kind.REMINDER, False, "failed"),
    ],
)
def test_an_unknown_fate_is_sent_again_once_and_only_where_twice_is_better(
    kind: Kind, resent: bool, state: str
) -> None:
    assert decide.after_unknown(Attempted(kind, NOW, resent=resent), NOW).state == state


def test_retries_end() -> None:
    message, moment, count = FRESH, NOW, 0
    while True:
        step = decide.after(SendResult(Outcome.RETRYABLE, "gateway_error"), message, moment, 0.999)
        count += 1
        if step.state == "failed":
            break
        assert step.not_before is not None
        moment = step.not_before
        message = Attempted(message.kind, message.created_at, message.attempts + 1)
    assert count == decide.ATTEMPTS


@pytest.mark.parametrize(
    ("attempts", "jitter", "wait"),
    [(1, 0.0, 1.0), (1, 1.0, 4.0), (3, 0.5, 8.0), (60, 1.0, decide.BACKOFF_MOST)],
)
def test_backoff_doubles_with_full_jitter_up_to_a_limit(
    attempts: int, jitter: float, wait: float
) -> None:
    assert decide.backoff(attempts, jitter) == wait


def test_priorities_put_people_who_wait_first() -> None:
    order = sorted(Kind, key=lambda kind: POLICY[kind].priority)
    assert order == [Kind.ESCALATION, Kind.ANSWER, Kind.REPLY, Kind.NOTICE, Kind.REMINDER]
