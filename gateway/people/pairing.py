"""Pairing a kiosk's phone: a code from the operator, used once, makes it one of the kiosk's.

Only keyed digests of codes are kept. A code has 45 bits, so guessing needs no brake: a thousand
tries a second for all its life find one of a hundred open codes with a chance of 1 in 2,000.
"""

from __future__ import annotations

import secrets
import unicodedata
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from gateway.people import PeopleError
from gateway.store.base import now
from gateway.store.database import vault_of
from gateway.store.models import Event, Kiosk, KioskDevice

ALPHABET = "23456789CDFHJKMNPQRTVWX"
"""That of case codes: no vowels, no look-alikes."""
LENGTH = 10
CODE_LIFETIME = timedelta(hours=48)


class BadPairing(PeopleError):
    """The code is unknown, was used by another phone, or has ended."""

    def __init__(self, message: str) -> None:
        super().__init__("pairing_refused", message)


def new_code(session: Session, kiosk: Kiosk) -> str:
    """A code for one phone of the kiosk; shown once, kept as a digest.

    Raises: PeopleError when the kiosk is disabled.
    """
    if kiosk.disabled_at is not None:
        raise PeopleError("kiosk_disabled", f"kiosk {kiosk.name!r} is disabled", name=kiosk.name)
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    digest = _digest(session, code)
    ends = now() + CODE_LIFETIME
    session.add(KioskDevice(kiosk_id=kiosk.id, code_digest=digest, code_ends_at=ends))
    return code


def written(code: str) -> str:
    """The code in two groups, as people read it."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def link(base: str, code: str) -> str:
    """Address that the QR code holds. Opening it uses nothing up; the button on the page does."""
    return f"{base.rstrip('/')}/kiosk/pair?code={written(code)}"


def pair(session: Session, typed: str, browser: str) -> KioskDevice:
    """Use a code up, or again by the browser that used it (its first answer may have been lost).

    Args:
        browser: a random value that this browser keeps.

    Raises: BadPairing.
    """
    letters = unicodedata.normalize("NFKC", typed[:40]).upper()
    code = "".join(letter for letter in letters if letter in ALPHABET)
    mine = vault_of(session).digest(f"browser {browser}")
    query = select(KioskDevice).where(KioskDevice.code_digest == _digest(session, code))
    device = session.scalar(query.with_for_update(of=KioskDevice))
    if device is None or device.revoked_at is not None or device.kiosk.disabled_at is not None:
        raise BadPairing("unknown code")
    if device.code_ends_at <= now():
        raise BadPairing("the code has ended")
    if device.paired_at is None:
        device.paired_at, device.browser_digest = now(), mine
        data = {"kiosk": device.kiosk_id, "device": device.id}
        session.add(Event(kind="kiosk_paired", actor=f"kiosk:{device.kiosk_id}", data=data))
    elif not secrets.compare_digest(device.browser_digest or "", mine):
        raise BadPairing("the code was used by another phone")
    return device


def kiosk_of(session: Session, device_id: int) -> Kiosk | None:
    """The kiosk of a paired device, disabled ones too; None when it was signed out."""
    device = session.get(KioskDevice, device_id)
    if device is None or device.paired_at is None or device.revoked_at is not None:
        return None
    return device.kiosk


def unpair(session: Session, kiosk: Kiosk, device_id: int | None = None) -> int:
    """Sign one device of the kiosk out, or all of them and its open codes; how many it were."""
    statement = (
        update(KioskDevice)
        .where(KioskDevice.kiosk_id == kiosk.id, KioskDevice.revoked_at.is_(None))
        .values(revoked_at=now())
        .returning(KioskDevice.id)
    )
    if device_id is not None:
        statement = statement.where(KioskDevice.id == device_id)
    revoked = len(session.scalars(statement).all())
    if revoked:
        data = {"kiosk": kiosk.id, "devices": revoked}
        session.add(Event(kind="kiosk_unpaired", actor=f"kiosk:{kiosk.id}", data=data))
    return revoked


def _digest(session: Session, code: str) -> str:
    return vault_of(session).digest(f"pairing code {code}")
