import pytest

from gateway.outbox.network import Outcome, SendResult
from gateway.outbox.pause import ALARMING, TOLERATED, Pause

GOOD = SendResult(Outcome.SENT)
NO_CREDIT = SendResult(Outcome.CHANNEL_DOWN, "no_credit")
REFUSED = SendResult(Outcome.RETRYABLE, "no_connection")
LOST = SendResult(Outcome.UNKNOWN, "read_timeout")


@pytest.mark.parametrize(
    ("results", "rest"),
    [
        ([GOOD], 0),
        ([NO_CREDIT], 30),
        ([SendResult(Outcome.THROTTLED, "rate")], 1),
        ([SendResult(Outcome.THROTTLED, "rate", retry_after=45)], 45),
        ([SendResult(Outcome.REJECTED, "no_route")] * 9, 0),
        ([SendResult(Outcome.RETRYABLE, "provider_error")] * 9, 0),
        ([SendResult(Outcome.DEFERRED, "do_not_disturb", retry_after=60)] * 9, 0),
        ([REFUSED] * (TOLERATED - 1), 0),
        ([REFUSED] * TOLERATED, 1),
        ([LOST] * (TOLERATED - 1), 0),
        ([LOST] * TOLERATED, 5),
        ([LOST, LOST, GOOD, LOST, LOST], 0),
        ([NO_CREDIT, GOOD], 30),
    ],
)
def test_results_make_the_channel_rest(results: list[SendResult], rest: float) -> None:
    pause = Pause()
    for result in results:
        pause.note(result, at=100.0)
    assert pause.remaining(at=100.0) == rest


def test_rests_double_up_to_a_limit_and_then_one_message_goes_ahead() -> None:
    pause, at, rests = Pause(), 0.0, []
    for _ in range(7):
        pause.note(NO_CREDIT, at)
        rests.append(pause.remaining(at))
        at += rests[-1]
        assert pause.probing
    assert rests == [30, 60, 120, 240, 480, 900, 900]
    pause.note(GOOD, at)
    assert not pause.probing
    assert pause.remaining(at) == 0


def test_the_echo_of_what_made_it_rest_does_not_lengthen_the_rest() -> None:
    pause = Pause()
    for _ in range(8):  # eight requests were in flight
        pause.note(NO_CREDIT, at=1.0)
    assert pause.remaining(at=1.0) == 30


def test_a_person_is_called_at_once_for_credit_and_later_for_a_network_that_is_away() -> None:
    pause = Pause()
    pause.note(NO_CREDIT, at=0)
    assert pause.alarm == "no_credit"
    pause.note(GOOD, at=1)
    assert pause.alarm == ""
    at, alarms = 100.0, []
    for _ in range(TOLERATED + ALARMING):
        pause.note(REFUSED, at)
        at += pause.remaining(at)
        alarms.append(pause.alarm)
    assert alarms[0] == ""
    assert alarms[-1] == "no_connection"
