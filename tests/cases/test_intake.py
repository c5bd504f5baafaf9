from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.cases import codes, escalation, intake, life
from gateway.cases.case import open_case
from gateway.cases.intake import Upload
from gateway.context import Context
from gateway.people import farmers, profiles
from gateway.privacy import consent, erasure, person
from gateway.store.base import now
from gateway.store.models import Case, Event, Farmer, Photo, Profile
from inference.picture import PictureError
from rig import things as house


@pytest.fixture
def upload(any_context: Context) -> Upload:
    kiosk, _ = house.kiosk(any_context.store)
    return Upload(
        photo=house.photo(),
        source=f"kiosk:{kiosk.id}",
        phone=house.FARMER,
        crop="maize",
        language="rw",
        place="Kanyangese",
        area=kiosk.area,
        kiosk_id=kiosk.id,
    )


def _accept(context: Context, upload: Upload, **changes: object) -> intake.Accepted:
    return intake.accept(context.store, context.photos, replace(upload, **changes))  # type: ignore[arg-type]


def _count(context: Context, model: type[Case] | type[Photo]) -> int:
    with context.store.reading() as session:
        return session.scalar(select(func.count(model.id))) or 0


def test_a_photo_becomes_a_case_with_its_history_and_consent(
    any_context: Context, upload: Upload
) -> None:
    accepted = _accept(any_context, upload)
    with any_context.store.reading() as session:
        case = session.scalars(select(Case)).one()
        photo = session.scalars(select(Photo)).one()
        assert (case.code, case.state, case.crop) == (accepted.case, life.RECEIVED, "maize")
        assert (case.area, case.place, case.language) == (house.AREA, "Kanyangese", "rw")
        assert case.farmer.phone == house.FARMER
        assert case.farmer.consent_by == upload.source
        kinds = [event.kind for event in session.scalars(select(Event).order_by(Event.id))]
        assert kinds.count("case") == 1
        assert "consent" in kinds
        kept = Image.open(io.BytesIO(any_context.photos.get(photo.address)))
        assert (kept.format, kept.size) == ("JPEG", (320, 240))


def test_metadata_does_not_survive(any_context: Context, upload: Upload) -> None:
    picture = Image.new("RGB", (320, 240), (40, 120, 40))
    exif = picture.getexif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    exif.get_ifd(0x8825)[2] = (1.0, 56.0, 12.0)  # a latitude
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif, comment=b"taken by somebody")
    _accept(any_context, upload, photo=out.getvalue())
    with any_context.store.reading() as session:
        address = session.scalars(select(Photo.address)).one()
    data = any_context.photos.get(address)
    kept = Image.open(io.BytesIO(data))
    assert kept.size == (240, 320)
    assert not kept.getexif()
    assert b"taken by somebody" not in data


@pytest.mark.parametrize("client_id", ["upload-1", None])
def test_the_same_upload_in_parallel_is_one_case(
    any_context: Context, upload: Upload, client_id: str | None
) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(
            pool.map(lambda _: _accept(any_context, upload, client_id=client_id), range(16))
        )
    assert len({result.case for result in results}) == 1
    assert sum(not result.again for result in results) == 1
    assert _count(any_context, Case) == _count(any_context, Photo) == 1


def test_the_same_bytes_are_another_case_for_another_farmer_or_another_day(
    any_context: Context, upload: Upload
) -> None:
    first = _accept(any_context, upload)
    other = _accept(any_context, upload, phone="+250788000002")
    assert other.case != first.case
    with time_machine.travel(now() + timedelta(hours=25), tick=False):
        assert _accept(any_context, upload).case not in (first.case, other.case)


def test_a_client_id_cannot_name_two_photos(any_context: Context, upload: Upload) -> None:
    _accept(any_context, upload, client_id="one")
    with pytest.raises(intake.UploadRefused) as refused:
        _accept(any_context, upload, client_id="one", photo=house.photo(99))
    assert refused.value.code == "client_id_reused"


def test_a_second_photo_joins_its_case_without_the_number(
    any_context: Context, upload: Upload
) -> None:
    first = _accept(any_context, upload)
    second = _accept(any_context, upload, photo=house.photo(99), case=first.case, phone=None)
    assert second.case == first.case
    assert second.photo_id != first.photo_id
    assert _count(any_context, Case) == 1


NOBODYS = codes.new()
MISTYPED = NOBODYS[:-1] + ("2" if NOBODYS[-1] != "2" else "3")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"case": MISTYPED}, "bad_case_code", id="a code with a typing error"),
        pytest.param({"case": NOBODYS}, "case_not_found", id="a code that nobody has"),
        pytest.param({"kiosk_id": 999}, "case_not_found", id="another kiosk's case"),
        pytest.param({"phone": "+250788000002"}, "phone_mismatch", id="another farmer's case"),
        pytest.param({"case": None, "phone": None}, "missing_phone", id="neither case nor phone"),
    ],
)
def test_photos_that_cannot_join(
    any_context: Context, upload: Upload, changes: dict[str, object], code: str
) -> None:
    first = _accept(any_context, upload)
    with pytest.raises(intake.UploadRefused) as refused:
        _accept(any_context, upload, **({"case": first.case, "photo": house.photo(99)} | changes))
    assert refused.value.code == code


def test_a_case_is_full_at_six_photos_and_closed_when_closed(
    any_context: Context, upload: Upload
) -> None:
    first = _accept(any_context, upload)
    for shade in range(5):
        _accept(any_context, upload, photo=house.photo(shade), case=first.case)
    with pytest.raises(intake.UploadRefused, match="at most 6"):
        _accept(any_context, upload, photo=house.photo(200), case=first.case)
    with any_context.store.transaction() as session:
        session.scalars(select(Case)).one().state = life.CLOSED
    with pytest.raises(intake.UploadRefused, match="closed"):
        _accept(any_context, upload, photo=house.photo(201), case=first.case)


def test_what_is_no_picture_leaves_no_trace(any_context: Context, upload: Upload) -> None:
    with pytest.raises(PictureError):
        _accept(any_context, upload, photo=b"%PDF-1.7 not a leaf")
    assert _count(any_context, Case) == 0
    assert list(any_context.photos.addresses()) == []
    with any_context.store.reading() as session:
        assert farmers.find(session, house.FARMER) is None


def test_what_was_said_with_a_later_photo_is_kept(any_context: Context, upload: Upload) -> None:
    said = {"plants": "few", "stage": "young"}
    first = _accept(any_context, upload, crop=None, answers=said)
    more = {"plants": "most", "sprayed": "no"}
    _accept(any_context, upload, photo=house.photo(98), case=first.case, crop="bean", answers=more)
    _accept(any_context, upload, photo=house.photo(99), case=first.case, crop="maize", answers=None)
    with any_context.store.reading() as session:
        case = session.scalars(select(Case)).one()
        assert case.answers == {"plants": "most", "stage": "young", "sprayed": "no"}
        assert case.crop == "bean"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_case_that_is_closed_meanwhile_takes_no_photo(
    any_context: Context, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _accept(any_context, upload)
    look = intake._farmer_and_case

    def look_and_close(session: Session, upload: Upload) -> tuple[Farmer, Case | None]:
        found = look(session, upload)
        with any_context.store.transaction() as other:
            other.scalars(select(Case)).one().state = life.CLOSED
        return found

    monkeypatch.setattr(intake, "_farmer_and_case", look_and_close)
    with pytest.raises(intake.UploadRefused, match="closed"):
        _accept(any_context, upload, photo=house.photo(99), case=first.case)
    assert _count(any_context, Photo) == 1


CORRECTIONS = {
    "crop": "beans",
    "language": "sw",
    "place": "Rwinkwavu",
    "answers": {"stage": "flowering"},
}


@pytest.mark.parametrize("client_id", [None, "one"])
@pytest.mark.parametrize("name", [*CORRECTIONS])
def test_the_same_bytes_again_correct_what_was_said_until_the_case_is_judged(
    any_context: Context, upload: Upload, name: str, client_id: str | None
) -> None:
    first = _accept(any_context, upload, client_id=client_id)
    assert first.correction is None
    plain = _accept(any_context, upload, client_id=client_id)
    assert (plain.again, plain.correction) == (True, None)
    corrected = {name: CORRECTIONS[name], "client_id": client_id}
    again = _accept(any_context, upload, **corrected)
    assert (again.case, again.again, again.correction) == (first.case, True, intake.TAKEN)
    with any_context.store.reading() as session:
        case = session.scalars(select(Case)).one()
        assert getattr(case, name) == CORRECTIONS[name]
        assert case.farmer.language == case.language
    assert _accept(any_context, upload, **corrected).correction is None
    with any_context.store.transaction() as session:
        life.move(session, session.scalars(select(Case)).one(), life.DIAGNOSED, actor="machine")
    late = _accept(any_context, upload, client_id=client_id)
    assert late.correction == (None if name == "answers" else intake.NOT_TAKEN)
    with any_context.store.reading() as session:
        assert getattr(session.scalars(select(Case)).one(), name) == CORRECTIONS[name]


def test_a_photo_does_not_go_to_another_number_by_its_client_id(
    any_context: Context, upload: Upload
) -> None:
    first = _accept(any_context, upload, client_id="one")
    again = _accept(any_context, upload, client_id="one", phone="+250788999888", crop="beans")
    assert (again.case, again.phone, again.correction) == (
        first.case,
        house.FARMER,
        intake.NOT_TAKEN,
    )
    with any_context.store.reading() as session:
        assert session.scalars(select(Case)).one().crop == "maize"


def test_any_kiosk_adds_the_photo_that_was_asked_for(any_context: Context, upload: Upload) -> None:
    code = _accept(any_context, upload).case
    other, _ = house.kiosk(any_context.store, "Karenge")
    foreign = {"case": code, "kiosk_id": other.id, "source": f"kiosk:{other.id}", "phone": None}
    photo = house.photo(7)
    with pytest.raises(intake.UploadRefused, match="no case of yours"):
        _accept(any_context, upload, photo=photo, **foreign, last4=house.FARMER[-4:])
    with any_context.store.transaction() as session:
        session.scalars(select(Case)).one().state = life.PHOTO_REQUESTED
    for last4 in ("", "9" + house.FARMER[-3:]):
        with pytest.raises(intake.UploadRefused, match="no case of yours"):
            _accept(any_context, upload, photo=photo, **foreign, last4=last4)
    again = _accept(any_context, upload, photo=photo, **foreign, last4=house.FARMER[-4:])
    assert (again.case, again.phone) == (code, house.FARMER)
    assert _count(any_context, Photo) == 2


def test_a_report_without_a_photo_gets_one_at_any_kiosk(
    any_context: Context, upload: Upload
) -> None:
    farmer = house.farmer(any_context.store)
    with any_context.store.transaction() as session:
        case = open_case(session, session.merge(farmer), source="ussd", crop="maize")
        code = case.code
    _accept(any_context, upload, case=code, phone=None, last4=house.FARMER[-4:])
    with any_context.store.reading() as session:
        assert session.scalars(select(Case)).one().kiosk_id == upload.kiosk_id


def test_photos_of_one_go_come_in_at_another_kiosk(any_context: Context, upload: Upload) -> None:
    code = _accept(any_context, upload).case
    other, _ = house.kiosk(any_context.store, "Karenge")
    officer = house.officer(any_context.store)
    with any_context.store.transaction() as session:
        case = session.scalars(select(Case)).one()
        escalation.escalate(session, any_context.desk, case, "unknown", actor="test")
        escalation.ask_photo(session, any_context.desk, session.merge(officer), case)
    there = {"case": code, "kiosk_id": other.id, "source": f"kiosk:{other.id}", "phone": None}
    there["last4"] = house.FARMER[-4:]
    _accept(any_context, upload, photo=house.photo(140), following=1, **there)
    _accept(any_context, upload, photo=house.photo(160), **there)
    assert _count(any_context, Photo) == 3
    with pytest.raises(intake.UploadRefused, match="no case of yours"):
        _accept(any_context, upload, photo=house.photo(180), **there)


def _farmer(session: Session) -> Farmer:
    return session.scalars(select(Farmer)).one()


def test_a_neighbour_on_the_same_phone_changes_nothing_of_the_farmer(
    any_context: Context, upload: Upload
) -> None:
    _accept(any_context, upload)
    with any_context.store.reading() as session:
        before = _farmer(session).consent_at
    for number, name in enumerate(("Mukamana", None, "mukamana ", "Nshimiye"), 2):
        photo = house.photo(20 * number)
        _accept(any_context, upload, photo=photo, language="sw", name=name)
    with any_context.store.reading() as session:
        farmer = _farmer(session)
        assert (farmer.language, farmer.consent_at) == ("rw", before)
        names = [(one.name, one.language) for one in profiles.of(session, farmer)]
        assert names == [("Mukamana", "sw"), ("Nshimiye", "sw")]
        cases = session.scalars(select(Case).order_by(Case.id)).all()
        assert [case.spoken for case in cases] == ["rw", "sw", "sw", "sw", "sw"]
        assert [(case.answers or {}).get("name") for case in cases][1:3] == ["Mukamana", None]


def test_who_comes_first_with_a_name_is_the_farmer_of_the_phone(
    any_context: Context, upload: Upload
) -> None:
    _accept(any_context, upload, name="Ada")
    _accept(any_context, upload, photo=house.photo(40), name="Bea", language="fr")
    with any_context.store.reading() as session:
        farmer = _farmer(session)
        assert farmer.language == "rw"
        assert farmer.consent_at is not None


def test_a_withdrawn_consent_is_asked_for_again(any_context: Context, upload: Upload) -> None:
    code = _accept(any_context, upload).case
    _accept(any_context, upload, photo=house.photo(40), name="Bea")
    with any_context.store.transaction() as session:
        consent.withdraw(session, _farmer(session), by="ussd")
    for changes in ({}, {"name": "BEA"}, {"case": code, "phone": None}):
        with pytest.raises(intake.UploadRefused) as refused:
            _accept(any_context, upload, photo=house.photo(60), **changes)
        assert refused.value.code == "consent_withdrawn"
    assert _count(any_context, Photo) == 2
    _accept(any_context, upload, photo=house.photo(80), name="Claire")  # she never said no
    with any_context.store.reading() as session:
        assert _farmer(session).consent_at is None
    _accept(any_context, upload, photo=house.photo(100), name="Bea", agreed_again=True)
    with any_context.store.reading() as session:
        assert _farmer(session).consent_at is None
        bea = profiles.called(session, _farmer(session), "bea")
        assert bea is not None
        assert bea.consent_at is not None
    _accept(any_context, upload, photo=house.photo(220), agreed_again=True)
    _accept(any_context, upload, photo=house.photo(140))
    with any_context.store.reading() as session:
        assert _farmer(session).consent_at is not None


def test_her_language_goes_with_her_cases_and_not_with_a_neighbours(
    any_context: Context, upload: Upload
) -> None:
    _accept(any_context, upload)
    _accept(any_context, upload, photo=house.photo(40), name="Bea", language="sw")
    with any_context.store.transaction() as session:
        farmers.set_language(session, _farmer(session), "fr", by="sms")
    with any_context.store.reading() as session:
        cases = session.scalars(select(Case).order_by(Case.id)).all()
        assert [case.spoken for case in cases] == ["fr", "sw"]


def test_names_are_erased_and_exported_with_the_number(
    any_context: Context, upload: Upload, tmp_path: Path
) -> None:
    _accept(any_context, upload)
    _accept(any_context, upload, photo=house.photo(40), name="Bea")
    store, photos = any_context.store, any_context.photos
    assert person.export(store, photos, house.FARMER, tmp_path / "out") is not None
    assert "Bea" in (tmp_path / "out" / person.FILE).read_text()
    erasure.erase(store, photos, house.FARMER, by="test")
    with store.reading() as session:
        assert session.scalars(select(Profile)).all() == []
