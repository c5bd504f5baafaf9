"""Intake: a photo and what was said with it become a case, once, on disk, before anybody is told.

The bytes are cleaned and kept first; then one transaction writes the farmer, the case and the
photo. A photo is accepted when that transaction is committed. The farmer's row is held meanwhile,
so the same upload sent ten times at once is judged one after the other and makes one case.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from gateway.cases import codes, escalation, life
from gateway.cases.case import by_code, hold, open_case
from gateway.outbox import money
from gateway.people import farmers, profiles
from gateway.privacy import consent, loose
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Case, Farmer, Photo
from gateway.store.photos import PhotoStore
from inference.guard import asked_by
from inference.picture import NormalisedPicture, normalise

SAME_UPLOAD = timedelta(days=1)
MAX_PHOTOS = 6
"""Photos a case: the best field study saw accuracy still grow up to six leaves."""
NAME = "name"
"""Among what was told with a case: who of those that share the phone it is."""
TAKEN, NOT_TAKEN = "taken", "not_taken"


@dataclass(frozen=True)
class Upload:
    """What a channel hands in. Numbers are E.164, crop and language already checked."""

    photo: bytes
    source: str
    """`kiosk:<id>` or `mms:<vendor>`."""
    phone: str | None
    """The farmer's; may be left out when `case` is given."""
    client_id: str | None = None
    case: str | None = None
    name: str | None = None
    """Who it is, where several people share the phone."""
    agreed_again: bool = False
    """The question was read out to somebody who had withdrawn their consent, and they said yes."""
    last4: str = ""
    """The last four digits of her number, where no more of it is said with a `case`."""
    crop: str | None = None
    language: str | None = None
    place: str | None = None
    area: str | None = None
    kiosk_id: int | None = None
    answers: dict[str, str] | None = None
    following: int = 0
    """Photos of the same go that will follow this one; the case is judged when they are there."""
    day: date | None = None
    """On which it counts among the photos of its kiosk."""


@dataclass(frozen=True)
class Accepted:
    case: str
    photo_id: int
    phone: str
    again: bool
    """The upload was here before; nothing new was made."""
    correction: str | None = None
    """Of an upload that was here before with other words: TAKEN or NOT_TAKEN."""
    sms: bool = True
    """False: the farmer wants no SMS, so that the answer is to be read out where the photo was."""


class UploadRefused(Exception):
    """The upload cannot become part of a case. `code` is stable, the text is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def accept(store: Store, photos: PhotoStore, upload: Upload) -> Accepted:
    """Take one upload in.

    Raises:
        PictureError: the bytes are no picture we can read.
        UploadRefused: `case_not_found`, `case_closed`, `case_full`, `phone_mismatch`,
            `client_id_reused`, `missing_phone`, `consent_withdrawn`.
        PhotoStoreError: the photo could not be written (disk full).
        DecoderBusy: no decoder is free; the upload may come again.
    """
    digest = store.vault.digest(upload.photo)
    with store.reading() as session:
        before = _seen_by_client_id(session, upload, digest)
        if before is not None and not _corrects(before.case, upload):
            return _plainly(before)
        phone = None if before is None else before.case.farmer.phone
    if phone is not None:
        with store.transaction() as session:
            farmers.find_or_create(session, phone, lock=True)
            if (before := _seen_by_client_id(session, upload, digest)) is not None:
                return _again(session, before, upload)
    with asked_by(upload.source):
        picture = normalise(upload.photo)
    with store.transaction() as session:
        loose.note(session, store.vault.digest(picture.jpeg))
    address = photos.put(picture.jpeg)
    with store.transaction() as session:
        return _accept(session, upload, digest, address, picture)


def handed_in(session: Session, kiosk_id: int, day: date) -> int:
    """Photos of this kiosk that were taken on that day."""
    return money.counted(session, _photos_of(kiosk_id), day)


def _photos_of(kiosk_id: int) -> str:
    return f"photos:{kiosk_id}"


def _accept(
    session: Session, upload: Upload, digest: str, address: str, picture: NormalisedPicture
) -> Accepted:
    farmer, case = _farmer_and_case(session, upload)
    before = _seen_by_client_id(session, upload, digest) or _same_bytes(session, farmer, digest)
    if before is not None:
        return _again(session, before, upload)
    language = _agreed(session, farmer, case, upload)
    farmer.place = upload.place or farmer.place
    farmer.area = farmer.area or upload.area
    if case is None:
        case = open_case(
            session,
            farmer,
            source=upload.source.partition(":")[0],
            crop=upload.crop,
            language=language,
            place=upload.place,
            area=upload.area,
            kiosk_id=upload.kiosk_id,
            answers=_answers(upload),
        )
    else:
        came = update(Photo).where(Photo.case_id == case.id, Photo.following > 0)
        session.execute(came.values(following=0))
        hold(session, case.id)  # after its photos, as who judges them does
        _check_room(session, case)
        _add_told(case, upload)
        case.kiosk_id = case.kiosk_id or upload.kiosk_id  # a report's first kiosk sees the answer
    photo = Photo(
        case_id=case.id,
        address=address,
        upload_digest=digest,
        source=upload.source,
        client_id=upload.client_id,
        width=picture.width,
        height=picture.height,
        following=upload.following,
    )
    session.add(photo)
    if upload.kiosk_id is not None and upload.day is not None:
        money.count(session, _photos_of(upload.kiosk_id), upload.day)
    loose.forget(session, [address])
    session.flush()
    return Accepted(case.code, photo.id, farmer.phone, again=False, sms=_hears(farmer))


def _agreed(session: Session, farmer: Farmer, case: Case | None, upload: Upload) -> str | None:
    """Record the consent of whoever it is; their language, as far as it is known. Neither that of
    the farmer nor that of somebody else on the phone changes.

    Raises: UploadRefused.
    """
    name = upload.name or ((case.answers or {}).get(NAME) if case else None)
    new = farmer.consent_version is None and farmer.language is None
    profile = profiles.find_or_add(session, farmer, name) if name else None
    who = profile or farmer
    if consent.withdrawn(who) and not upload.agreed_again:
        raise UploadRefused("consent_withdrawn", "they withdrew their consent; ask them again")
    if upload.language and farmer.language is None and (new or profile is None):
        farmers.set_language(session, farmer, upload.language, by=upload.source)
    if profile is not None:
        profile.language = upload.language or profile.language
        consent.give(session, farmer, by=upload.source, text="oral", profile=profile)
    if new or profile is None:
        consent.give(session, farmer, by=upload.source, text="oral")
    return upload.language or who.language


def _answers(upload: Upload) -> dict[str, str] | None:
    return (upload.answers or {}) | ({NAME: upload.name} if upload.name else {}) or None


def _farmer_and_case(session: Session, upload: Upload) -> tuple[Farmer, Case | None]:
    """Whose upload it is, her row held, and the case that it names, if any."""
    if upload.case is None:
        if upload.phone is None:
            raise UploadRefused("missing_phone", "the farmer's phone number is missing")
        return farmers.find_or_create(session, upload.phone, lock=True), None
    case = _own_case(session, upload)
    named = upload.phone is not None and upload.phone != case.farmer.phone
    if named or (upload.last4 and not case.farmer.phone.endswith(upload.last4)):
        raise UploadRefused("phone_mismatch", "this case belongs to another phone number")
    return farmers.find_or_create(session, case.farmer.phone, lock=True), case


def _own_case(session: Session, upload: Upload) -> Case:
    assert upload.case is not None
    try:
        code = codes.parse(upload.case)
    except codes.BadCode as error:
        raise UploadRefused("bad_case_code", str(error)) from None
    case = by_code(session, code)
    if case is None or case.farmer_id in farmers.NO_PERSON:
        raise UploadRefused("case_not_found", "no case of yours has this code")
    # A photo that she was asked for may be taken where she is just then: with the code and the end
    # of her number any kiosk may add it.
    if case.kiosk_id != upload.kiosk_id and not (
        upload.kiosk_id is not None
        and _is_hers(case, upload)
        and _photo_wanted(session, case, upload)
    ):
        raise UploadRefused("case_not_found", "no case of yours has this code")
    return case


def _is_hers(case: Case, upload: Upload) -> bool:
    if upload.phone is not None:
        return upload.phone == case.farmer.phone
    return bool(upload.last4) and case.farmer.phone.endswith(upload.last4)


def _photo_wanted(session: Session, case: Case, upload: Upload) -> bool:
    """The farmer was asked for a photo, or told of a sick crop without one; or it is one of those
    that were announced with the first."""
    announced = select(Photo.id).where(
        Photo.case_id == case.id, Photo.source == upload.source, Photo.following > 0
    )
    if session.scalar(announced.limit(1)) is not None:
        return True
    if case.state == life.PHOTO_REQUESTED or escalation.photo_awaited(session, case):
        return True
    return session.scalar(select(Photo.id).where(Photo.case_id == case.id).limit(1)) is None


def _add_told(case: Case, upload: Upload) -> None:
    """What was said with a later photo: a new answer takes the place of an old one, but a crop is
    not changed under the photos that are there."""
    case.crop = case.crop or upload.crop
    told = (case.answers or {}) | (_answers(upload) or {})
    if told != (case.answers or {}):
        case.answers = told


def _check_room(session: Session, case: Case) -> None:
    if case.state == life.CLOSED:
        raise UploadRefused("case_closed", "this case is closed; send the photo as a new case")
    count = session.scalar(select(func.count(Photo.id)).where(Photo.case_id == case.id)) or 0
    if count >= MAX_PHOTOS:
        raise UploadRefused("case_full", f"a case takes at most {MAX_PHOTOS} photos")


def _seen_by_client_id(session: Session, upload: Upload, digest: str) -> Photo | None:
    if upload.client_id is None:
        return None
    photo = session.scalar(
        select(Photo).where(Photo.source == upload.source, Photo.client_id == upload.client_id)
    )
    if photo is None:
        return None
    if photo.upload_digest != digest:
        raise UploadRefused("client_id_reused", "this client id was used for another photo")
    return photo


def _same_bytes(session: Session, farmer: Farmer, digest: str) -> Photo | None:
    return session.scalar(
        select(Photo)
        .join(Case)
        .where(
            Photo.upload_digest == digest,
            Photo.received_at > now() - SAME_UPLOAD,
            Case.farmer_id == farmer.id,
        )
        .order_by(Photo.id.desc())
        .limit(1)
    )


def _again(session: Session, photo: Photo, upload: Upload) -> Accepted:
    """The upload that was here before, whose farmer is held; what is said otherwise this time is a
    correction. It is taken until the case is judged, but never moves a photo to another number."""
    case = photo.case
    hold(session, case.id)
    accepted = _plainly(photo)
    if not _corrects(case, upload):
        return accepted
    late = case.state != life.RECEIVED or case.farmer_id in farmers.NO_PERSON
    if late or upload.phone not in (None, case.farmer.phone):
        return replace(accepted, correction=NOT_TAKEN)
    if upload.language:
        if _is_first(session, case):
            farmers.set_language(session, case.farmer, upload.language, by=upload.source)
        case.language = upload.language
    case.crop = upload.crop or case.crop
    case.place = upload.place or case.place
    case.farmer.place = upload.place or case.farmer.place
    case.answers = ((case.answers or {}) | (_answers(upload) or {})) or None
    return replace(accepted, correction=TAKEN)


def _is_first(session: Session, case: Case) -> bool:
    """What her language is was said with this case, if anywhere at a kiosk."""
    other = select(Case.id).where(Case.farmer_id == case.farmer_id, Case.id != case.id).limit(1)
    hers = case.farmer.language in (None, case.language)
    return hers and NAME not in (case.answers or {}) and session.scalar(other) is None


def _plainly(photo: Photo) -> Accepted:
    farmer = photo.case.farmer
    return Accepted(photo.case.code, photo.id, farmer.phone, again=True, sms=_hears(farmer))


def _hears(farmer: Farmer) -> bool:
    return farmer.opted_out_at is None


def _corrects(case: Case, upload: Upload) -> bool:
    told = case.answers or {}
    said = (
        (upload.phone, case.farmer.phone),
        (upload.crop, case.crop),
        (upload.language, case.language),
        (upload.place, case.place),
        *((answer, told.get(name)) for name, answer in (_answers(upload) or {}).items()),
    )
    return any(again and again != before for again, before in said)
