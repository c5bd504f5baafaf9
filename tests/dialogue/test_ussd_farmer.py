"""What a farmer can do on the phone, screen by screen, and what it leaves behind."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from gateway import outbox
from gateway.agronomy import CROP_OF, advice
from gateway.cases import codes, escalation, guesses, news
from gateway.cases.case import by_code
from gateway.context import Context
from gateway.dialogue import answers
from gateway.dialogue.sms import Incoming, receive
from gateway.dialogue.ussd import effects
from gateway.dialogue.ussd.facts import SendText
from gateway.dialogue.ussd.world import World
from gateway.outbox import claim, money
from gateway.people import farmers, kiosks, proof
from gateway.privacy import erasure
from gateway.store.base import now
from gateway.store.models import Case, Event, Farmer
from tests.dialogue.conftest import FARMER, OFFICER, Dial, MakeCase, Outbox

STRANGER = "+250788000077"


def farmer_of(context: Context, phone: str = FARMER) -> Farmer | None:
    with context.store.reading() as session:
        return farmers.find(session, phone)


def test_consent_is_recorded_with_its_language_and_way(context: Context, dial: Dial) -> None:
    dial().dial().answer("1").answer("1").expect("Murakoze.")
    farmer = farmer_of(context)
    assert farmer is not None
    assert farmer.language == "rw"
    assert farmer.consent_at is not None
    assert (farmer.consent_by or "").startswith("ussd:")
    assert (farmer.consent_path or {})["answers"] == 2


def test_without_consent_nothing_is_kept_and_advice_stays_open(
    context: Context, dial: Dial
) -> None:
    phone = dial().dial().answer("3").answer("2").expect("Nothing is kept.", "My results")
    phone.answer("2").answer("1").answer("1").expect("Common rust")
    assert farmer_of(context) is None
    phone.answer("00").answer("4").expect("a computer checks your photo")
    phone.answer("2").expect("My results")
    assert farmer_of(context) is None


def test_consent_asked_on_the_way_leads_on_to_what_was_wanted(dial: Dial) -> None:
    phone = dial().dial().answer("3").answer("2").answer("3").expect("Agree?")
    phone.answer("1").expect("Thank you.", "Where is your field?")
    phone.answer("huye").answer("tumba").expect("Which crop is sick?")


def test_a_farmer_registered_at_a_kiosk_starts_at_the_menu(dial: Dial, known: str) -> None:
    dial().dial().expect("Leafline", "1 My results", "8 Help")


def test_results_by_list_show_no_diagnosis_until_one_is_chosen(
    dial: Dial, make_case: MakeCase
) -> None:
    code = make_case(state="answered", label="maize_rust", crop="maize")
    phone = dial().dial().answer("1").expect(code, "answered")
    assert "rust" not in phone.screen
    phone.answer("1").expect("Maize common rust?", "1 Next season", "2 Officer")


@pytest.mark.parametrize("typed", ["{code}", " {lower} ", "{first} {last}", "{code}#"])
def test_a_code_opens_its_case_however_it_is_typed(
    dial: Dial, make_case: MakeCase, typed: str
) -> None:
    code = make_case(state="answered", label="bean_spot")
    values = {"code": code, "lower": code.lower(), "first": code[:3], "last": code[3:]}
    phone = dial().dial().answer("1").answer("9").expect("Type the case code")
    phone.answer(typed.format(**values)).expect("Bean angular leaf spot?")


def test_a_code_on_a_borrowed_phone_shows_the_result_and_acts_on_nothing(
    dial: Dial, make_case: MakeCase
) -> None:
    code = make_case(state="answered", label="bean_spot")
    phone = dial(STRANGER).dial().answer("3").answer("2").answer("1").answer("9").answer(code)
    phone.expect("Bean angular leaf spot?", "1 Next season")
    for absent in ("2 Officer", "3 Wrong", "4 Did it"):
        assert absent not in phone.screen
    phone.answer("2").expect("Not understood.")


@pytest.mark.parametrize(("typed", "said"), [("K7Q2M9X", "mistake"), ("234", "mistake")])
def test_a_mistyped_code_is_refused_and_asked_again(
    dial: Dial, known: str, typed: str, said: str
) -> None:
    dial().dial().answer("1").answer("9").answer(typed).expect(said, "Type the case code")


@pytest.mark.parametrize(
    ("state", "label", "words"),
    [
        ("received", None, "being judged"),
        ("photo_requested", None, "second photo"),
        ("escalated", "maize_rust", "is with an officer"),
        ("accepted", None, "is with an officer"),
        ("answered", "cassava_mosaic", "Cassava mosaic?"),
        ("closed", None, "is closed"),
    ],
)
def test_every_state_of_a_case_is_told(
    dial: Dial, make_case: MakeCase, state: str, label: str | None, words: str
) -> None:
    values = {"state": state} | ({"label": label} if label else {})
    make_case(**values)
    dial().dial().answer("1").answer("1").expect(words)


def test_a_long_list_passes_over_the_number_of_an_option(dial: Dial, make_case: MakeCase) -> None:
    codes = [make_case(state="answered", label="maize_rust") for _ in range(12)][::-1]
    phone = dial().dial().answer("1")
    lines = phone.screen
    while "98 " in phone.screen:
        lines += phone.answer("98").screen
    numbers = re.findall(r"^(\d+) ", lines, re.MULTILINE)
    assert [n for n in numbers if numbers.count(n) > 1 and n not in ("0", "00", "98")] == []
    assert f"10 {codes[8]}" in lines
    phone.answer("10").answer("4").answer("1").expect_end()
    dial().dial().answer("1").answer("9").expect("Type the case code")


@pytest.mark.parametrize("number", [FARMER, "+250788000002"])
def test_advice_names_no_key_that_a_borrowed_phone_lacks(
    dial: Dial, make_case: MakeCase, number: str
) -> None:
    code = make_case(state="answered", label="maize_rust", crop="maize")
    if number != FARMER:
        make_case(number)
    phone = dial(number).dial().answer("1").answer("9").answer(code).expect("flowering: officer.")
    assert "press" not in phone.screen


def test_wrong_and_outcome_are_recorded(
    context: Context, dial: Dial, make_case: MakeCase, outbox: Outbox, officer: str
) -> None:
    code = make_case(state="answered", label="maize_rust", crop="maize")
    dial().dial().answer("1").answer("1").answer("4").answer("3").expect_end("Thank you, noted")
    dial().dial().answer("1").answer("1").answer("3").expect_end("went to an officer")
    with context.store.reading() as session:
        case = session.scalars(select(Case).where(Case.code == code)).one()
    assert case.state == "escalated"
    assert (case.answers or {})["better"] == "worse"
    assert any(code in text for text in outbox(OFFICER))


def test_advice_and_prevention_by_sms(dial: Dial, known: str, outbox: Outbox) -> None:
    phone = dial().dial().answer("2").answer("3").answer("1").expect("Mosaic")
    phone.answer("1").expect("next planting")
    if "98 More" in phone.screen:
        phone.answer("98")
    phone.answer("1").expect_end("SMS")
    assert outbox() == [text for text in outbox() if text.startswith("Cassava mosaic, next")]
    assert len(outbox()) == 1


def test_a_sick_crop_without_a_photo_goes_to_the_nearest_kiosk(
    context: Context, dial: Dial, known: str, outbox: Outbox
) -> None:
    with context.store.transaction() as session:
        kiosks.add(session, "Far", "Huye/Tumba", "Mon")
        kiosks.add(session, "Near", "Rwamagana/Muhazi", "Tue, Fri")
        farmers.find_or_create(session, FARMER).area = "Rwamagana/Muhazi"
    phone = dial().dial().answer("3").answer("1").answer("1").answer("2").answer("4").answer("1")
    phone.expect("Sounds like fall armyworm", "3 Near")
    assert "Far" not in phone.screen
    phone.answer("98" if "98 " in phone.screen else "1").answer("1").expect_end("SMS")
    assert "Near" in outbox()[0]
    dial().dial().answer("5").expect("1 Near", "2 Far").answer("2").expect("Huye/Tumba")


@pytest.mark.parametrize(
    "answers", ["4111", "11441", "12341", "21442", "11191", "11132", "31131", "21191"]
)
def test_a_grave_report_goes_to_an_officer_with_what_was_told(
    context: Context, dial: Dial, known: str, officer: str, answers: str
) -> None:
    with context.store.transaction() as session:
        kiosks.add(session, "Near", "Rwamagana", "Tue")
    phone = dial().dial().answer("3")
    for typed in answers:
        phone.answer(typed)
    phone.expect_end("went to an officer")
    with context.store.reading() as session:
        case = session.scalars(select(Case)).one()
    assert case.source == "ussd"
    told = case.answers or {}
    assert set(told) >= {"stage", "plants", "reason"}
    assert "sprayed" in told or "sign" in told


def test_where_no_kiosk_is_known_to_be_near_the_farmer_chooses(
    context: Context, dial: Dial, known: str
) -> None:
    with context.store.transaction() as session:
        kiosks.add(session, "Far", "Huye/Tumba", "Mon")
    phone = dial().dial().answer("3").answer("1").answer("1").answer("2").answer("1").answer("1")
    phone.expect("Sounds like common rust", "to a kiosk", "3 Far")


def test_without_a_kiosk_or_an_officer_the_farmer_is_told_so(
    dial: Dial, known: str, outbox: Outbox
) -> None:
    dial().dial().answer("5").expect("No kiosk is open near you")
    phone = dial().dial().answer("00").answer("4").answer("4")
    phone.expect_end("No officer is on duty now")
    assert "No officer on duty" in outbox()[0]


def test_asking_for_an_officer_twice_is_one_request(
    context: Context, dial: Dial, known: str, officer: str, outbox: Outbox
) -> None:
    for _ in range(2):
        dial().dial().answer("4").answer("1").expect_end("went to an officer")
    assert len(outbox(OFFICER)) == 1


def test_language_can_be_changed(context: Context, dial: Dial, known: str) -> None:
    dial().dial().answer("6").answer("4").expect("Langue chang", "Mes r")
    farmer = farmer_of(context)
    assert farmer is not None
    assert farmer.language == "fr"
    dial().dial().expect("Conseils")


def test_stopping_and_starting_messages(context: Context, dial: Dial, known: str) -> None:
    phone = dial().dial().answer("7")
    assert "Start messages" not in phone.screen
    phone.answer("1").expect_end("No more messages")
    farmer = farmer_of(context)
    assert farmer is not None
    assert farmer.opted_out_at is not None
    phone = dial().dial().answer("7").expect("2 Start messages again")
    assert "1 Stop" not in phone.screen
    phone.answer("2").expect_end("again")
    farmer = farmer_of(context)
    assert farmer is not None
    assert farmer.opted_out_at is None


def test_photos_teach_only_after_a_yes_of_their_own(
    context: Context, dial: Dial, known: str
) -> None:
    for answer, allowed in (("1", True), ("2", False)):
        phone = dial().dial().answer("7")
        phone = phone if "6 Teach" in phone.screen else phone.answer("98")
        phone.answer("6").expect("without your number").answer(answer).expect_end("Noted")
        farmer = farmer_of(context)
        assert farmer is not None
        assert (farmer.training_consent_at is not None) is allowed


def test_consent_is_taken_back_as_easily_as_it_was_given(
    context: Context, dial: Dial, known: str
) -> None:
    dial().dial().answer("7").answer("3").answer("1").expect_end("Consent taken back")
    farmer = farmer_of(context)
    assert farmer is not None
    assert farmer.consent_at is None
    dial().dial().expect("Agree?")


def test_deleting_asks_for_a_code_that_only_the_phone_gets(
    context: Context, dial: Dial, make_case: MakeCase, outbox: Outbox
) -> None:
    other = make_case("+250788000005")
    code = make_case()
    phone = dial().dial().answer("7").answer("4").expect("1 cases").answer("0").answer("5")
    phone.expect("type the code that comes to this phone by SMS")
    (sent,) = outbox()
    digits = re.findall(r"\b\d{5}\b", sent)[0]
    wrong = "00000" if digits != "00000" else "11111"
    for typed in (other, code, code.lower(), wrong, "", digits[:4]):  # codes of cases are on menu 1
        phone.answer(typed)
        assert "Delete your number" not in phone.screen
    assert farmer_of(context) is not None
    phone.drop()
    phone.dial().expect("cut off").answer("9").answer(f" {digits}# ").expect("Delete your number")
    phone.answer("1").expect_end("being deleted")
    assert farmer_of(context) is None
    assert farmer_of(context, "+250788000005") is not None
    assert outbox()[-1].startswith("Data deleted")
    with context.store.reading() as session:
        assert "erased" in session.scalars(select(Event.kind)).all()


def test_deleting_without_cases_needs_no_code(context: Context, dial: Dial, known: str) -> None:
    dial().dial().answer("7").answer("5").expect("Delete your number").answer("2").expect("Advice")
    assert farmer_of(context) is not None
    dial().dial().answer("7").answer("5").answer("1").expect_end("being deleted")
    assert farmer_of(context) is None


def test_pages_turn_forward_and_back(dial: Dial, make_case: MakeCase) -> None:
    for _ in range(12):
        make_case()
    phone = dial().dial().answer("1").expect("98 More")
    first = phone.screen
    phone.answer("98").expect("0 Back")
    assert phone.screen != first
    phone.answer("0")
    assert phone.screen == first
    phone.answer("12").expect("being judged")


def test_a_number_has_a_few_guesses_a_day_whatever_its_sessions(
    context: Context, dial: Dial, make_case: MakeCase
) -> None:
    code = make_case(state="answered", label="bean_spot")
    for turn in range(guesses.A_DAY):
        with World(context.dialogue, STRANGER, f"session {turn}") as world:
            assert world.look_up(codes.new()) == "none"
    erasure.erase(context.store, context.photos, STRANGER, by="ussd")
    at = dial(STRANGER).dial().answer("3").answer("2").answer("1").answer("9")
    at.answer(code).expect("Too many codes today.")
    dial().dial().answer("1").answer("9").answer(code).expect("Bean")  # hers is no guess
    with World(context.dialogue, "+250788000078", "session") as world:
        assert world.look_up(code) == "found"


def test_texts_that_nobody_pays_for_do_not_pile_up(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effects, "MOST_HELD", 3)
    limits = money.Limits(number=2)
    for turn in range(8):
        hand = effects.Hand(context.dialogue, STRANGER, f"session {turn}", "en", 1)
        assert hand.carry_out((SendText("prevent_maize_rust"),))
        with context.store.transaction() as session:
            lease = timedelta(minutes=1)
            claim.claim(session, limit=9, lease=lease, now=now(), limits=limits)
    with context.store.reading() as session:
        assert outbox.held(session, STRANGER) == 3
        assert outbox.depth(session) == 0


def test_nobody_tries_codes_for_deleting_one_after_the_other(
    context: Context, dial: Dial, make_case: MakeCase, outbox: Outbox
) -> None:
    make_case()
    wrong = 0
    for _ in range(2):
        phone = dial().dial().answer("00").answer("7").answer("5")
        right = re.findall(r"\b\d{5}\b", outbox()[-1])[0]
        for _ in range(6):
            wrong += str(wrong).zfill(5) == right
            phone.answer(str(wrong).zfill(5))
            wrong += 1
    phone.expect("Too many codes today").answer(right).expect("Too many codes today")
    assert farmer_of(context) is not None


def test_a_code_for_deleting_is_of_one_number_and_ends(context: Context) -> None:
    vault, began = context.store.vault, datetime(2026, 11, 1, 9, 59, tzinfo=UTC)
    digits = proof.code(vault, FARMER, began)
    assert proof.right(vault, FARMER, digits, began + timedelta(hours=1))
    assert not proof.right(vault, FARMER, digits, began + timedelta(hours=2))
    assert proof.code(vault, STRANGER, began) != digits
    for typed in ("", "é" * 5, "\ud800", digits + "0"):
        assert not proof.right(vault, FARMER, typed, began)


def test_the_only_case_opens_on_dialling(dial: Dial, make_case: MakeCase) -> None:
    code = make_case(state="escalated")
    phone = dial().dial().expect(f"Case {code} is with an officer", "1 My results")
    phone.answer("00").expect("1 My results")
    assert code not in phone.screen


def test_a_path_by_heart_means_the_same_whether_there_is_news_or_not(
    dial: Dial, make_case: MakeCase
) -> None:
    make_case(state="answered", label="maize_rust", crop="maize")
    dial().dial("*384*123*2*1#").expect("common rust").answer("00")
    dial().dial().expect("Maize common rust?").answer("2").expect("Which crop?").answer("00")
    dial().dial().answer("1").answer("1").answer("1").expect("next season")


def answered(context: Context, code: str, words: str) -> None:
    with context.store.transaction() as session:
        case = by_code(session, code)
        assert case is not None
        escalation.escalate(session, context.desk, case, "unknown", actor="machine")
        escalation.answer(session, context.desk, None, case, words)


def test_what_the_operator_promised_is_told_too(
    context: Context, dial: Dial, make_case: MakeCase
) -> None:
    code = make_case()
    with context.store.transaction() as session:
        case = by_code(session, code)
        assert case is not None
        escalation.escalate(session, context.desk, case, "unknown", actor="machine")
        said = "I will call you tomorrow"
        answers.answer(session, context.catalogue, context.desk, None, case, said)
    dial().dial().expect(f"Case {code}: Leafline will call you by")
    dial().dial().answer("1").expect("officer will come")


def test_a_new_answer_opens_once(context: Context, dial: Dial, make_case: MakeCase) -> None:
    make_case()
    older, code = make_case(), make_case()
    dial().dial().expect("1 My results")
    answered(context, older, "Bury the worst leaves.")
    answered(context, code, "Weed between the rows.")
    dial().dial().expect(f"Officer, case {code}: Weed between")
    dial().dial().expect(f"Officer, case {older}: Bury")
    dial().dial().expect("Leafline", "1 My results")
    with context.store.transaction() as session:
        case = by_code(session, code)
        assert case is not None
        escalation.go_on(
            session, context.desk, None, case, "And mulch them.",
            [escalation.Said("officer_closing", {"note": "And mulch them."})],
        )  # fmt: skip
    dial().dial().answer("1").answer("1").expect("mulch them")
    dial().dial().expect("Leafline")  # read by the list is read too


def test_a_lost_session_finds_its_news_again(
    context: Context, dial: Dial, make_case: MakeCase
) -> None:
    make_case()
    code = make_case()
    answered(context, code, "Weed between the rows, and then pull the sick plants out, all of them")
    phone = dial().dial().expect("Weed between")
    context.redis.flushall()
    phone.answer("98")
    assert "Not understood" not in phone.screen
    context.redis.flushall()
    phone.answer("2").expect("Which crop?")


def test_consent_comes_before_any_news(context: Context, dial: Dial, make_case: MakeCase) -> None:
    make_case(state="answered", label="maize_rust", crop="maize")
    dial().dial().answer("7").answer("3").answer("1").expect_end("Consent taken back")
    phone = dial().dial().expect("Agree?")
    assert "rust" not in phone.screen


@pytest.mark.parametrize("read", ["1", "1*1", "1*1*1", "2*1*1", "2*1*1*1", "5", "7*4", "8"])
def test_hanging_up_after_reading_is_no_cut_off(dial: Dial, make_case: MakeCase, read: str) -> None:
    make_case(state="answered", label="maize_rust", crop="maize")
    phone = dial().dial()
    for typed in read.split("*"):
        phone.answer(typed)
    phone.drop().dial().expect("Maize common rust?")


@pytest.mark.parametrize("language", ["1", "2", "3", "4"])
def test_more_is_understood_after_a_wrong_key(
    dial: Dial, make_case: MakeCase, language: str
) -> None:
    """Whatever stands above a screen, turning pages shows every line that was pushed on."""
    for _ in range(9):
        make_case()
    dial().dial().answer("6").answer(language)
    wrong_at, last = 0, False
    while not last:
        phone = dial().dial().answer("1")
        seen = phone.screen
        for _ in range(wrong_at):
            seen += "\n" + phone.answer("98").screen
        last = "\n98 " not in phone.screen
        seen += "\n" + phone.answer("77").screen
        while "\n98 " in phone.screen:
            seen += "\n" + phone.answer("98").screen
        numbers = re.findall(r"^(\d+) ", seen, re.MULTILINE)
        assert {*map(str, range(1, 9)), "9", "10"} <= set(numbers)
        wrong_at += 1
    assert wrong_at > 1


def test_more_is_understood_below_a_thanks(dial: Dial) -> None:
    phone = dial().dial().answer("1").answer("1").expect("Murakoze.")
    seen = phone.screen
    while "\n98 " in phone.screen:
        seen += phone.answer("98").screen
    assert [f"\n{n} " in seen for n in range(1, 9)] == [True] * 8


def test_a_new_answer_comes_before_an_offer_to_go_on(
    context: Context, dial: Dial, make_case: MakeCase
) -> None:
    code = make_case()
    phone = dial()
    phone.dial().answer("3").answer("1").drop()
    phone.dial().expect("cut off").drop()
    answered(context, code, "Weed between the rows.")
    phone.dial().expect("Weed between")


@pytest.mark.parametrize(
    ("label", "answers", "says"),
    [
        ("maize_rust", {"stage": "filling"}, "This late it rarely costs much"),
        ("maize_rust", {"stage": "young", "plants": "few"}, "before flowering"),
        ("maize_blight", {"stage": "flowering"}, "by the cob"),
        ("cassava_mosaic", {"stage": "filling"}, "Older crop"),
        ("bean_spot", {"stage": "filling"}, "Look at the pods"),
        ("bean_spot", {"sprayed": "yes"}, "angular leaf spot?"),
        ("maize_blight", {"sprayed": "yes", "stage": "filling"}, "You sprayed already"),
    ],
)
def test_a_result_is_read_again_as_it_was_told(
    context: Context,
    dial: Dial,
    make_case: MakeCase,
    outbox: Outbox,
    label: str,
    answers: dict[str, str],
    says: str,
) -> None:
    code = make_case(state="answered", label=label, crop=CROP_OF[label])
    with context.store.transaction() as session:
        case = by_code(session, code)
        assert case is not None
        case.answers = answers
    dial().dial().expect(says)
    at = datetime(2026, 11, 1, tzinfo=UTC)
    receive(context.dialogue, Incoming("again", FARMER, "RESULT", at))
    text = context.catalogue.text(f"diag_{advice.text_of(label, answers)}", "en")
    assert outbox()[-1].startswith(text.partition(":")[0].replace("{disease}", "")[:12])
    assert "{" not in outbox()[-1]


def test_a_result_is_shown_though_nobody_can_note_that_it_was_read(
    context: Context, dial: Dial, make_case: MakeCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = make_case()
    answered(context, code, "Weed between the rows.")

    def busy(*_: object) -> None:
        raise OperationalError("INSERT", None, Exception("database is locked"))

    monkeypatch.setattr(news, "read", busy)
    dial().dial().expect("Weed between").answer("2").expect("Which crop?")
