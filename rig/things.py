"""Things that many tests need: a kiosk, an officer, a farmer's photo."""

from __future__ import annotations

import io

from PIL import Image

from gateway.people import farmers, kiosks, officers
from gateway.privacy import consent
from gateway.store import Store
from gateway.store.models import Farmer, Kiosk, Officer

FARMER = "+250788000001"
OFFICER = "+250788000099"
AREA = "Rwamagana/Muhazi"


def photo(shade: int = 120, size: tuple[int, int] = (320, 240), kind: str = "JPEG") -> bytes:
    """A small plain green picture; another shade is another photo."""
    out = io.BytesIO()
    Image.new("RGB", size, (40, shade, 40)).save(out, kind)
    return out.getvalue()


def detailed_photo(seed: int, size: tuple[int, int] = (1200, 1600)) -> bytes:
    """A green picture full of fine detail, which compresses as badly as a real one."""
    noise = Image.effect_noise((size[0] // 4, size[1] // 4), 60 + seed).resize(size)
    out = io.BytesIO()
    Image.merge("RGB", (noise.point(lambda v: v // 2), noise, noise.point(lambda v: v // 3))).save(
        out, "JPEG", quality=95
    )
    return out.getvalue()


def farmer(store: Store, phone: str = FARMER, language: str = "en") -> Farmer:
    """One who speaks the language and has agreed, at a kiosk; her area is the kiosk's."""
    with store.transaction() as session:
        row = farmers.find_or_create(session, phone)
        farmers.set_language(session, row, language, by="test")
        consent.give(session, row, by="kiosk:1")
        row.area = AREA
        return row


def kiosk(store: Store, name: str = "Nyagasambu", area: str = AREA) -> tuple[Kiosk, str]:
    with store.transaction() as session:
        return kiosks.add(session, name, area)


def officer(store: Store, phone: str = OFFICER, area: str = "Rwamagana") -> Officer:
    with store.transaction() as session:
        return officers.add(session, phone, "Keza", area, ["rw"])[0]
