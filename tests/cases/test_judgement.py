from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from gateway.cases import escalation, judgement, life
from gateway.cases.case import open_case
from gateway.cases.triage import Finding
from gateway.context import Context
from gateway.people import farmers, officers
from gateway.store.models import Case, Diagnosis, Event, Message, Photo
from inference.card import Card
from inference.verdict import Decision, MixedModels, Verdict, unreadable
from rig import desk
from rig import things as house


def _case(context: Context, crop: str = "maize") -> int:
    with context.store.transaction() as session:
        farmer = farmers.find_or_create(session, house.FARMER)
        farmers.set_language(session, farmer, "rw", by="test")
        case = open_case(
            session, farmer, source="kiosk", crop=crop, area=house.AREA, place="Kanyangese"
        )
        return case.id


def _judge(context: Context, case_id: int, verdict: str, label: str | None, photos: int = 1) -> str:
    with context.store.transaction() as session:
        case = session.get_one(Case, case_id)
        finding = Finding(verdict, label, 0.8 if label else None)
        judgement.judge(session, context.desk, case, finding, photos)
        return case.state


def _messages(context: Context) -> list[tuple[str, str | None, str | None]]:
    with context.store.reading() as session:
        rows = session.scalars(select(Message).order_by(Message.id)).all()
        return [(row.address, row.template, row.language) for row in rows]


def test_a_sure_case_is_answered_with_its_advice(any_context: Context) -> None:
    case_id = _case(any_context)
    assert _judge(any_context, case_id, "advice", "maize_rust") == life.ANSWERED
    assert _messages(any_context) == [(house.FARMER, "diag_maize_rust", "rw")]
    with any_context.store.reading() as session:
        steps = session.execute(
            select(Event.from_state, Event.to_state).where(Event.kind == "case").order_by(Event.id)
        ).all()
    assert [tuple(step) for step in steps] == [
        (None, "received"),
        ("received", "diagnosed"),
        ("diagnosed", "answered"),
    ]


def test_an_unsure_case_asks_then_goes_to_an_officer(any_context: Context) -> None:
    house.officer(any_context.store)
    case_id = _case(any_context)
    assert _judge(any_context, case_id, "second_photo", "maize_rust") == life.PHOTO_REQUESTED
    assert _judge(any_context, case_id, "second_photo", "maize_rust", 2) == life.ESCALATED
    assert _messages(any_context) == [
        (house.FARMER, "low_confidence", "rw"),
        (house.OFFICER, "escalation_officer", "rw"),
        (house.FARMER, "escalation_farmer", "rw"),
    ]


def test_the_officers_message_says_all_that_is_known(any_context: Context) -> None:
    house.officer(any_context.store)
    case_id = _case(any_context)
    _judge(any_context, case_id, "unknown", "maize_rust")
    with any_context.store.reading() as session:
        case = session.get_one(Case, case_id)
        text = session.scalars(
            select(Message.text).where(Message.template == "escalation_officer")
        ).one()
    assert text is not None
    for part in (case.code, house.FARMER, "ibigori", "umugese", "80%", "Kanyangese"):
        assert part in text
    assert len(text) <= 160


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({}, "SMS ", id="the simulator takes replies"),
        pytest.param({"two_way_sms": "off"}, "*384*123#", id="switched off"),
        pytest.param({"simulator": "off"}, "*384*123#", id="Rwanda's bulk routes go one way"),
        pytest.param({"simulator": "off", "short_code": "5123"}, "SMS ", id="a short code"),
        pytest.param({"simulator": "off", "region": "KE"}, "SMS ", id="another country"),
    ],
)
def test_an_officer_is_told_a_way_to_answer_that_exists(
    context: Context, changes: dict[str, str], says: str
) -> None:
    context = replace(context, settings=context.settings.model_copy(update=changes))
    house.officer(context.store)
    _judge(context, _case(context), "unknown", None)
    with context.store.reading() as session:
        text = session.scalars(
            select(Message.text).where(Message.template == "escalation_officer_report")
        ).one()
    assert text is not None
    assert says in text
    assert "?:" not in text  # no disease is asked about where no photo speaks for one


def test_nobody_on_duty_goes_to_the_operator_and_is_told_honestly(any_context: Context) -> None:
    context = replace(
        any_context,
        settings=any_context.settings.model_copy(update={"operator_phone": "+250788000077"}),
    )
    assert _judge(context, _case(context), "unknown", None) == life.ESCALATED
    assert [(to, template) for to, template, _ in _messages(context)] == [
        ("+250788000077", "escalation_officer_report"),
        (house.FARMER, "no_officer"),
    ]


def test_without_an_operator_the_farmer_is_still_told(any_context: Context) -> None:
    assert _judge(any_context, _case(any_context), "unknown", None) == life.ESCALATED
    assert [template for _, template, _ in _messages(any_context)] == ["no_officer"]


def test_a_better_photo_takes_the_case_back_from_an_officer_who_has_not_taken_it(
    any_context: Context,
) -> None:
    house.officer(any_context.store)
    case_id = _case(any_context)
    _judge(any_context, case_id, "unreadable", None)
    assert _judge(any_context, case_id, "advice", "maize_rust", 2) == life.ANSWERED
    with any_context.store.reading() as session:
        case = session.get_one(Case, case_id)
        assert escalation.open_one(session, case) is None


def test_a_case_in_an_officers_hands_stays_there(any_context: Context) -> None:
    officer = house.officer(any_context.store)
    case_id = _case(any_context)
    _judge(any_context, case_id, "unknown", None)
    with any_context.store.transaction() as session:
        escalation.accept(session, officer, session.get_one(Case, case_id))
    before = _messages(any_context)
    assert _judge(any_context, case_id, "advice", "maize_rust", 2) == life.ACCEPTED
    assert _messages(any_context) == before


def test_an_officers_answer_reaches_the_farmer_and_closes_the_case(any_context: Context) -> None:
    officer = house.officer(any_context.store)
    case_id = _case(any_context)
    _judge(any_context, case_id, "unknown", None)
    with any_context.store.transaction() as session:
        case = session.get_one(Case, case_id)
        escalation.answer(session, any_context.desk, officer, case, "Bury the worst leaves.")
        assert case.state == life.CLOSED
    with any_context.store.reading() as session:
        sent = session.scalars(select(Message).where(Message.template == "officer_closing")).one()
        assert sent.address == house.FARMER
        assert sent.text is not None
        assert "Bury the worst leaves." in sent.text
        assert house.OFFICER in sent.text
    with any_context.store.transaction() as session:
        case = session.get_one(Case, case_id)
        with pytest.raises(escalation.NotYours):
            escalation.answer(session, any_context.desk, officer, case, "Once more.")


def test_a_photo_that_an_answer_overtook_changes_nothing(any_context: Context) -> None:
    officer = house.officer(any_context.store)
    case_id = _case(any_context)
    _judge(any_context, case_id, "unknown", None)
    with any_context.store.transaction() as session:
        case = session.get_one(Case, case_id)
        escalation.answer(session, any_context.desk, officer, case, "Bury the worst leaves.")
    before = _messages(any_context)
    assert _judge(any_context, case_id, "advice", "maize_rust", 2) == life.CLOSED
    with any_context.store.transaction() as session:
        judgement.failed(session, any_context.desk, session.get_one(Case, case_id), "test")
    assert _messages(any_context) == before


def test_a_colleague_cannot_answer_and_may_be_handed_the_case(any_context: Context) -> None:
    first = house.officer(any_context.store)
    case_id = _case(any_context)
    _judge(any_context, case_id, "unknown", None)
    with any_context.store.transaction() as session:
        case = session.get_one(Case, case_id)
        assert not escalation.hand_over(session, any_context.desk, first, case, "away")
    second = house.officer(any_context.store, "+250788000098")
    with any_context.store.transaction() as session:
        case = session.get_one(Case, case_id)
        with pytest.raises(escalation.NotYours):
            escalation.answer(session, any_context.desk, second, case, "Mine?")
        assert escalation.hand_over(session, any_context.desk, first, case, "away")
        assert escalation.open_cases_of(session, second) == [case]
        assert escalation.open_cases_of(session, first) == []


def test_an_opted_out_farmer_still_gets_the_answer_she_asked_for(any_context: Context) -> None:
    case_id = _case(any_context)
    with any_context.store.transaction() as session:
        farmer = farmers.find_or_create(session, house.FARMER)
        farmers.opt_out(session, farmer, by="sms")
    _judge(any_context, case_id, "advice", "maize_rust")
    assert [template for _, template, _ in _messages(any_context)] == ["diag_maize_rust"]


def test_asking_for_an_officer_twice_is_one_request(any_context: Context) -> None:
    officer = house.officer(any_context.store)
    with any_context.store.transaction() as session:
        farmer = farmers.find_or_create(session, house.FARMER)
        desk = any_context.desk
        first = escalation.request_officer(session, desk, farmer, "asked", crop="beans")
        again = escalation.request_officer(session, desk, farmer, "asked", crop="beans")
        assert first.id == again.id
        assert escalation.open_cases_of(session, officer) == [first]


def test_a_photo_has_one_diagnosis(any_context: Context) -> None:
    case_id = _case(any_context)
    with any_context.store.transaction() as session:
        photo = Photo(
            case_id=case_id, address="0" * 64, upload_digest="1" * 64, source="kiosk:1",
            width=10, height=10,
        )  # fmt: skip
        session.add(photo)
        session.flush()
        verdict = desk.word("advice", "maize_rust")
        assert judgement.record(session, photo, verdict)
        assert not judgement.record(session, photo, verdict)
        assert len(session.scalars(select(Diagnosis)).all()) == 1


def test_a_step_that_a_case_does_not_have_is_an_error(any_context: Context) -> None:
    case_id = _case(any_context)
    with any_context.store.transaction() as session, pytest.raises(life.WrongStep):
        life.move(session, session.get_one(Case, case_id), life.CLOSED, actor="test")


def test_duty_ends_and_no_more_cases_come(any_context: Context) -> None:
    officer = house.officer(any_context.store)
    with any_context.store.transaction() as session:
        officers.set_duty(session, session.merge(officer), False)
    _judge(any_context, _case(any_context), "unknown", None)
    assert [template for _, template, _ in _messages(any_context)] == ["no_officer"]


SURE = desk.word("advice", "maize_rust")
OLDER = replace(SURE, model="an older one")
NEWER = Card("newer", (*SURE.labels, "sorghum_smut"), Card.read().thresholds)


def _of_newer(verdict: Verdict) -> Verdict:
    more = (*verdict.probabilities, 0.0)
    return replace(verdict, model=NEWER.version, labels=NEWER.labels, probabilities=more)


def test_photos_of_the_model_in_use_are_weighed_together() -> None:
    sure = _of_newer(replace(SURE, unknown_score=0.01))
    found = judgement.together([sure, sure], NEWER)
    assert (found.verdict, found.label) == ("advice", "maize_rust")


@pytest.mark.parametrize(
    "verdicts",
    [
        pytest.param([OLDER, SURE], id="two versions with the same labels"),
        pytest.param([SURE, _of_newer(SURE)], id="five labels and six"),
        pytest.param([SURE, SURE], id="both of a model that is not in use"),
    ],
)
def test_verdicts_of_different_models_are_never_averaged(verdicts: list[Verdict]) -> None:
    card = Card.read() if OLDER in verdicts else NEWER
    with pytest.raises(MixedModels):
        judgement.together(verdicts, card)


def test_one_photo_stands_as_its_own_model_judged_it() -> None:
    broken = unreadable("truncated", "Cut off.", NEWER.version)
    found = judgement.together([OLDER, broken], NEWER)
    assert (found.verdict, found.label, found.poor) == ("advice", "maize_rust", True)


def _with_verdicts(context: Context, details: list[dict[str, object]]) -> int:
    case_id = _case(context)
    with context.store.transaction() as session:
        for number, detail in enumerate(details):
            photo = Photo(
                case_id=case_id, address=f"{number:064}", upload_digest=f"{number:064}",
                source="kiosk:1", width=10, height=10,
            )  # fmt: skip
            session.add(photo)
            session.flush()
            judgement.record(session, photo, SURE)
            row = session.scalars(select(Diagnosis).where(Diagnosis.photo_id == photo.id)).one()
            row.detail = detail
    return case_id


def _without_labels(verdict: Verdict) -> dict[str, object]:
    """As it was stored before verdicts carried their labels."""
    return {name: value for name, value in verdict.to_detail().items() if name != "labels"}


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        pytest.param([_without_labels(SURE)] * 2, "mixed_models", id="five labels, six now"),
        pytest.param([_without_labels(OLDER), _of_newer(SURE).to_detail()], "mixed_models",
                     id="half of each"),
        pytest.param([{"probabilities": [1.0]}, SURE.to_detail()], "verdict_damaged",
                     id="no verdict at all"),
    ],
)  # fmt: skip
def test_a_case_that_cannot_be_judged_together_goes_to_a_person(
    any_context: Context, details: list[dict[str, object]], reason: str
) -> None:
    house.officer(any_context.store)
    case_id = _with_verdicts(any_context, details)
    with any_context.store.transaction() as session:
        case = session.get_one(Case, case_id, with_for_update={"of": Case})
        judgement.judge_together(session, any_context.desk, case, NEWER)
        assert case.state == life.ESCALATED
        held = escalation.open_one(session, case)
        assert held is not None
        assert held.reason == reason


def test_a_leaf_after_a_photo_of_none_is_judged_afresh(any_context: Context) -> None:
    """It is the first that shows one: weighed alone, and asked for again before a person is."""
    house.officer(any_context.store)
    case_id = _case(any_context)
    card = Card.read()
    states = []
    verdicts: tuple[Decision, ...] = ("no_leaf", "second_photo", "second_photo")
    for verdict in verdicts:
        with any_context.store.transaction() as session:
            case = session.get_one(Case, case_id)
            digest = f"photo-{len(states)}"
            desk.add_photo(any_context, case, digest, verdict, "maize_rust")
            judgement.judge_together(session, any_context.desk, case, card)
            states.append((case.state, case.verdict))
    assert [state for state, _ in states] == ["photo_requested", "photo_requested", "escalated"]
    assert states[1][1] == "second_photo"
