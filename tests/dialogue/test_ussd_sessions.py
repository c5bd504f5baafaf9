"""What the network does to a session: repeats, stars, stale paths, lost state, drops, strangers."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace

import pytest
import redis
from sqlalchemy import func, select

from gateway.context import Context
from gateway.dialogue.ussd import UssdRequest, answer
from gateway.dialogue.ussd.service import REDIS_TIMEOUT, Line
from gateway.dialogue.ussd.sessions import Mark
from gateway.people import farmers
from gateway.people.areas import NO_UNITS
from gateway.store.models import Case, Event, Message
from tests.dialogue.conftest import FARMER, Dial, MakeCase


def post(context: Context, text: str, session: str = "ATUid_1", phone: str = FARMER) -> str:
    return answer(context.ussd, UssdRequest(session, phone, "*384*123#", "99999", text)).body


def count(context: Context, model: type[Case | Event | Message]) -> int:
    with context.store.reading() as session:
        return session.scalar(select(func.count(model.id))) or 0


@pytest.mark.parametrize(
    ("before", "text", "typed"),
    [
        ("", "1", "1"),
        ("1", "1*1", "1"),
        ("1*5", "1*5*0*x", "0*x"),
        ("1*1", "1*1*", ""),
        ("1*1", "1*2", None),
        ("1*1", "1", None),
        ("1", "11", None),
        ("", "", ""),
    ],
)
def test_an_answer_is_what_follows_the_path_so_far(
    before: str, text: str, typed: str | None
) -> None:
    assert Mark.of(before).answer_in(text) == typed


def test_a_first_dial_asks_language_and_consent_in_two_screens(dial: Dial) -> None:
    phone = dial().dial().expect("1 Ikinyarwanda", "2 Kiswahili", "3 English", "4 Francais")
    phone.answer("3").expect("a computer checks your photo", "1 Yes", "2 No")
    phone.answer("1").expect("Thank you.", "1 My results")


def test_a_repeated_hop_gets_the_same_bytes_and_acts_once(
    context: Context, dial: Dial, known: str
) -> None:
    phone = dial().dial().answer("4").answer("1").expect_end("officer")
    before, screen = count(context, Message), phone.screen
    for _ in range(3):
        assert phone.repeat().screen == screen
    assert count(context, Message) == before
    assert count(context, Case) == 1


def test_parallel_duplicates_of_one_hop_act_once(context: Context, known: str) -> None:
    post(context, "")
    post(context, "4")
    replies: list[str] = []
    gate = threading.Barrier(6)

    def hop() -> None:
        gate.wait()
        replies.append(post(context, "4*2"))

    threads = [threading.Thread(target=hop) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(replies)) == 1
    assert count(context, Case) == 1


def test_the_same_digit_twice_is_two_answers(context: Context) -> None:
    assert post(context, "1") != post(context, "1*1")


def test_a_star_typed_at_a_question_stays_in_the_answer(context: Context, known: str) -> None:
    for text in ("", "1", "1*9"):
        post(context, text)
    assert "mistake" in post(context, "1*9*0*x")
    assert "mistake" in post(context, "1*9*0*x*K7*2")
    assert "No case for this number" in post(context, "1*9*0*x*K7*2*0")


def test_a_stale_path_gets_its_stored_reply_and_moves_nothing(context: Context, known: str) -> None:
    main = post(context, "")
    crops = post(context, "2")
    diseases = post(context, "2*1")
    assert post(context, "2") == crops
    assert post(context, "") == main
    assert post(context, "2*1*0") == crops
    assert diseases != crops


def test_a_diverged_path_goes_to_the_main_menu(context: Context, known: str) -> None:
    main = post(context, "")
    post(context, "2")
    assert post(context, "7*7*7") == main
    assert "Which crop" in post(context, "7*7*7*2")


def test_lost_state_is_replayed_and_nobody_notices(context: Context, known: str) -> None:
    post(context, "")
    post(context, "2")
    context.redis.flushall()
    assert "common rust" in post(context, "2*1")
    context.redis.flushall()
    assert "Common rust" in post(context, "2*1*1")


def test_lost_state_of_a_first_dial_is_replayed_from_its_own_beginning(context: Context) -> None:
    for text in ("", "3", "3*1"):
        post(context, text)
    context.redis.flushall()
    assert "Which crop" in post(context, "3*1*2")
    with context.store.reading() as session:
        kinds = list(session.scalars(select(Event.kind)))
    assert kinds.count("consent") == 1


def test_a_yes_that_is_dialled_ahead_leads_nowhere_without_consent(
    context: Context, dial: Dial
) -> None:
    phone = dial().dial().answer("3").expect("Agree?")
    phone.answer("1*4").expect("Agree?").answer("1*4*1").expect("Agree?")
    assert count(context, Case) == 0
    phone.answer("1").expect("Thank you.")


@pytest.fixture
def no_list(context: Context) -> None:
    """A country of which there is no list of areas, so that nobody is asked for one."""
    line = context.ussd
    parts = replace(line.parts, areas=NO_UNITS)
    context.__dict__["ussd"] = replace(line, parts=parts)


@pytest.mark.usefixtures("no_list")
def test_lost_state_after_a_late_consent_is_replayed_through_the_same_screens(
    context: Context,
) -> None:
    for text in ("", "3", "3*2", "3*2*3", "3*2*3*1"):  # no at first, yes when a report needs it
        reply = post(context, text)
    assert "Which crop" in reply
    context.redis.flushall()
    assert "How old" in post(context, "3*2*3*1*1")


@pytest.mark.usefixtures("no_list")
def test_a_consent_that_a_program_of_before_took_down_is_found(context: Context) -> None:
    """It wrote the place in the path behind the way: `ussd:<session>:<screen>:<answers>`."""
    for text in ("", "3", "3*2", "3*2*3", "3*2*3*1"):
        post(context, text)
    with context.store.transaction() as session:
        farmer = farmers.find_or_create(session, FARMER)
        path = farmer.consent_path
        assert path is not None
        assert farmer.consent_by == f"ussd:{path['session']}"
        farmer.consent_by = f"ussd:{path['session']}:{path['began']}:{path['answers']}"
        farmer.consent_path = None
    context.redis.flushall()
    assert "How old" in post(context, "3*2*3*1*1")
    with context.store.transaction() as session:
        farmers.find_or_create(session, FARMER).consent_by = "kiosk:1"
    context.redis.flushall()
    assert "How old" not in post(context, "3*2*3*1*1")


def test_a_hop_that_left_no_state_at_a_question(
    context: Context, known: str, make_case: MakeCase
) -> None:
    code = make_case(FARMER, state="answered", label="maize_rust", crop="maize")
    for text in ("", "1", "1*9"):
        post(context, text)
    # The hop with the code was answered without Redis; what follows are two answers, not one.
    assert "next season" in post(context, f"1*9*{code}*1").lower()
    context.redis.flushall()
    assert "Type the" in post(context, "1*9*0*1*2")


def test_a_replay_does_not_act_again(context: Context, known: str) -> None:
    for text in ("", "7", "7*1"):
        post(context, text)
    with context.store.transaction() as session:
        farmer = farmers.find_or_create(session, FARMER)
        farmers.opt_in(session, farmer, by="test")
    context.redis.flushall()
    post(context, "7*1*1")
    with context.store.reading() as session:
        farmer = farmers.find_or_create(session, FARMER)
        assert farmer.opted_out_at is None


def test_the_last_answer_of_a_deep_dial_acts(context: Context, known: str) -> None:
    assert post(context, "7*1").startswith("END No more messages")
    with context.store.reading() as session:
        assert farmers.find_or_create(session, FARMER).opted_out_at is not None


def test_consent_cannot_be_dialled_ahead(context: Context) -> None:
    assert "kompyuta hukagua picha" in post(context, "2*1")
    with context.store.reading() as session:
        assert farmers.find(session, FARMER) is None
    assert "Asante." in post(context, "2*1*1")
    post(context, "", session="ATUid_2", phone="+250788000002")
    assert "Agree?" in post(context, "3*1", session="ATUid_2", phone="+250788000002")


@pytest.mark.parametrize("code", ["*384*123*2*1#", "*384*123*2*1"])
def test_dialling_deep_by_the_code_itself(context: Context, known: str, code: str) -> None:
    first = UssdRequest("ATUid_deep", FARMER, code, "99999", "")
    assert "common rust" in answer(context.ussd, first).body
    assert "powdery" in answer(context.ussd, replace(first, text="1")).body


def test_a_deep_path_stops_at_the_first_answer_that_does_not_fit(
    context: Context, known: str
) -> None:
    reply = post(context, "2*7*1")
    assert "Not understood" in reply
    assert "Which crop" in reply
    assert "common rust" in post(context, "2*7*1*1")


@pytest.mark.parametrize("typed", ["2#", " 2 ", "２", "٢", "2 #"])
def test_menu_numbers_are_read_forgivingly(context: Context, known: str, typed: str) -> None:
    post(context, "")
    assert "Which crop" in post(context, typed)


@pytest.mark.parametrize("typed", ["", "x", "77", "*", "#", "0", "-1", "9" * 90, "🌽", "²"])
def test_what_fits_nothing_shows_the_menu_again(context: Context, known: str, typed: str) -> None:
    post(context, "")
    reply = post(context, typed)
    assert reply.startswith("CON ")
    assert "My results" in reply


def test_a_pocket_that_dials_is_cut_off(dial: Dial, known: str) -> None:
    phone = dial().dial()
    for _ in range(7):
        phone.answer("55")
    assert not phone.ended
    phone.answer("55").expect_end("did not fit")


def test_another_number_on_the_same_session_is_refused(
    context: Context, known: str, caplog: pytest.LogCaptureFixture
) -> None:
    main = post(context, "")
    for text in ("", "1", "4*1"):
        reply = post(context, text, phone="+250788000002")
        assert reply.startswith("END This session belongs to another number")
    assert count(context, Case) == 0
    assert "+250788000002" not in caplog.text
    assert post(context, "") == main
    assert post(context, "2").startswith("CON Which crop")


def test_a_dropped_session_is_offered_again_on_redial(dial: Dial, known: str) -> None:
    phone = dial()
    phone.dial().answer("3").answer("1").expect("How old").drop()
    phone.dial().expect("cut off", "9 Go on").answer("9").expect("How old")
    phone.answer("2").expect("How many").drop()
    phone.dial().answer("00").expect("My results").drop()
    phone.dial().expect("My results")


def test_a_session_that_ended_is_not_offered(dial: Dial, known: str) -> None:
    phone = dial()
    phone.dial().answer("7").answer("1").expect_end()
    phone.dial().expect("My results")


@pytest.mark.parametrize("read", ["2*1*1", "8", "5", "7*4", "1"])
def test_hanging_up_after_reading_leaves_nothing(
    context: Context, dial: Dial, known: str, read: str
) -> None:
    phone = dial().dial()
    for typed in read.split("*"):
        phone.answer(typed)
    assert not list(context.redis.scan_iter("ussd-last:*"))


def test_going_on_is_for_the_same_number_only(dial: Dial, known: str) -> None:
    dial().dial().answer("3").answer("1").drop()
    dial("+250788000002").dial().expect("Ikinyarwanda")


def test_without_redis_every_hop_is_answered(
    context: Context, known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = redis.Redis.from_url("unix:///nowhere/redis.sock")
    for name in ("_open", "_close", "_release"):
        monkeypatch.setattr(getattr(context.ussd.sessions, name), "registered_client", broken)
    assert "My results" in post(context, "")
    assert "Which crop" in post(context, "2")
    assert "common rust" in post(context, "2*1")
    assert "Not understood" in post(context, "2*1*7")
    assert "powdery" in post(context, "2*1*7*1")
    assert post(context, "4*1").startswith("END ")
    assert post(context, "4*1").startswith("END ")
    assert count(context, Case) == 1


def test_a_redis_that_hangs_costs_less_than_a_second(
    context: Context, known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        line = Line.open(context.dialogue, url)
        monkeypatch.setitem(context.__dict__, "ussd", line)
        began = time.monotonic()
        assert "My results" in post(context, "")
        assert time.monotonic() - began < 1.0
    assert REDIS_TIMEOUT * 2 < 1.0


def test_what_is_kept_of_a_session_goes_by_itself(context: Context, dial: Dial, known: str) -> None:
    dial().dial().answer("2")
    left = {key.decode(): context.redis.ttl(key) for key in context.redis.scan_iter("ussd*")}
    assert len(left) == 2
    for key, seconds in left.items():
        assert 0 < seconds <= (600 if key.startswith("ussd-last") else 900)
        assert FARMER not in key


def test_on_both_kinds_of_store(any_context: Context) -> None:
    assert "1 Ikinyarwanda" in post(any_context, "")
    for text in ("3", "3*1", "3*1*4", "3*1*4*huye", "3*1*4*huye*tumba"):
        post(any_context, text)
    assert post(any_context, "3*1*4*huye*tumba*1").startswith("END No officer")
    assert count(any_context, Case) == 1
    assert "1 My results" in post(any_context, "", session="ATUid_2")
    assert "officer sought" in post(any_context, "1", session="ATUid_2")


def test_a_fault_of_ours_is_an_apology_in_the_farmers_language(
    context: Context, known: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with context.store.transaction() as session:
        farmers.set_language(session, farmers.find_or_create(session, FARMER), "sw", by="test")
    post(context, "")
    monkeypatch.setattr(context.ussd.menu, "show", lambda *_: 1 / 0)
    assert post(context, "2").startswith("END Samahani")
    assert "ZeroDivisionError" in caplog.text
    monkeypatch.undo()
    assert post(context, "2").startswith("CON ")


def test_a_megabyte_of_text_ends_politely(context: Context, known: str) -> None:
    assert post(context, "1*" * 500_000).startswith("END ")
