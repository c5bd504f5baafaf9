"""What a kiosk sends, read and checked: one function from a request to an Upload."""

from __future__ import annotations

import unicodedata
from datetime import date

from flask import Request
from werkzeug.datastructures import FileStorage

from gateway import agronomy, words
from gateway.agronomy.table import TOLD
from gateway.cases.intake import MAX_PHOTOS, Upload
from gateway.outbox import money
from gateway.people import msisdn
from gateway.problems import Problem
from gateway.store.models import Kiosk

LONGEST_PLACE = 80
LONGEST_NAME = 40
AGAIN = "again"
"""Value of `consent`: who had withdrawn it was asked again, and said yes."""
LONGEST_CLIENT_ID = 80


def read(
    request: Request,
    kiosk: Kiosk,
    region: str,
    languages: tuple[str, ...],
    codes: frozenset[str] = frozenset(),
    day: date | None = None,
) -> Upload:
    """Args:
        day: on which the photo counts for its kiosk.
        codes: calling codes of the countries to whose numbers we send; empty: all.

    Raises: Problem, with a code that names the field."""
    if request.mimetype != "multipart/form-data":
        raise Problem(415, "not_multipart", "send the photo and its fields as multipart/form-data")
    photo = _photo(request)
    case = _field(request, "case")
    phone = _field(request, "phone")
    crop = _field(request, "crop")
    if case is None:
        for name, value in (("phone", phone), ("crop", crop)):
            if value is None:
                raise Problem(400, "missing_field", f"the field '{name}' is missing")
    last4 = _last4(phone) if case is not None else ""
    return Upload(
        photo=photo,
        source=f"kiosk:{kiosk.id}",
        phone=None if phone is None or last4 else _phone(phone, region, codes),
        last4=last4,
        name=_name(_field(request, "name")),
        agreed_again=_agreed_again(_field(request, "consent")),
        client_id=_client_id(request),
        case=case,
        crop=None if crop is None else _crop(crop),
        language=_language(_field(request, "language"), languages),
        place=_place(_field(request, "place")),
        area=kiosk.area,
        kiosk_id=kiosk.id,
        answers=_told(request),
        following=_following(request),
        day=day,
    )


def _field(request: Request, name: str) -> str | None:
    values = request.form.getlist(name)
    if len(values) > 1 and len(set(values)) > 1:
        raise Problem(400, "repeated_field", f"the field '{name}' is there more than once")
    value = values[0] if values else ""
    if name == "phone" and value.startswith(" "):
        return value.rstrip() or None  # a `+` that the form decoder turned into a blank
    return value.strip() or None


def _photo(request: Request) -> bytes:
    files: list[FileStorage] = request.files.getlist("photo")
    if not files:
        raise Problem(400, "missing_field", "the file 'photo' is missing")
    if len(files) > 1:
        detail = "send one photo a request; more photos of a case go with its code in 'case'"
        raise Problem(400, "repeated_field", detail)
    return bytes(files[0].read())


def _phone(raw: str, region: str, codes: frozenset[str]) -> str:
    try:
        phone = msisdn.parse(raw, region)
    except msisdn.BadNumber:
        detail = "the phone number is not one that can receive an SMS; check its digits"
        raise Problem(422, "bad_phone", detail) from None
    if money.abroad(phone, codes):
        detail = (
            f"no messages go to numbers that begin so; they may begin {', '.join(sorted(codes))}"
        )
        raise Problem(422, "country_not_served", detail)
    return phone


def _last4(raw: str | None) -> str:
    """Of the number, where the code of a case says whose it is."""
    digits = "".join(str(unicodedata.decimal(c)) for c in raw or "" if c.isdecimal())
    return digits if len(digits) == len((raw or "").strip()) == 4 else ""


def _crop(raw: str) -> str:
    try:
        return agronomy.parse(raw)
    except agronomy.BadCrop as error:
        raise Problem(422, "bad_crop", str(error)) from None


def _language(raw: str | None, languages: tuple[str, ...]) -> str | None:
    if raw is None:
        return None
    code = raw.casefold()[:2] if len(raw) == 2 or raw[2:3] in "-_" else raw.casefold()
    if code not in languages:
        raise Problem(422, "bad_language", f"language must be one of {', '.join(languages)}")
    return code


def _place(raw: str | None) -> str | None:
    if raw is None:
        return None
    return words.line(raw)[:LONGEST_PLACE] or None


def _name(raw: str | None) -> str | None:
    return words.line(raw)[:LONGEST_NAME] or None if raw else None


def _agreed_again(raw: str | None) -> bool:
    if raw not in (None, AGAIN):
        raise Problem(422, "bad_consent", f"consent is '{AGAIN}' or left out")
    return raw == AGAIN


def _client_id(request: Request) -> str | None:
    value = _field(request, "client_id") or request.headers.get("Idempotency-Key", "").strip()
    if len(value) > LONGEST_CLIENT_ID:
        detail = f"a client id has at most {LONGEST_CLIENT_ID} characters"
        raise Problem(400, "bad_client_id", detail)
    return value or None


def _following(request: Request) -> int:
    raw = _field(request, "following") or "0"
    if raw not in map(str, range(MAX_PHOTOS)):
        detail = f"following is how many photos are still to come: 0 to {MAX_PHOTOS - 1}"
        raise Problem(422, "bad_following", detail)
    return int(raw)


def _told(request: Request) -> dict[str, str] | None:
    told = {}
    for name, allowed in TOLD.items():
        value = _field(request, name)
        if value is None:
            continue
        if value not in allowed:
            raise Problem(422, f"bad_{name}", f"{name} must be one of {', '.join(allowed)}")
        told[name] = value
    return told or None
