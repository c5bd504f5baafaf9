"""Things that many tests need: a kiosk, an officer, a farmer's photo."""

from __future__ import annotations

import io

from PIL import Image

from gateway.people import kiosks, officers
from gateway.store import Store
from gateway.store.models import Kiosk, Officer

FARMER = "+250788000001"
OFFICER = "+250788000099"
AREA = "Rwamagana/Muhazi"


def photo(shade: int = 120, size: tuple[int, int] = (320, 240), kind: str = "JPEG") -> bytes:
    """A small plain green picture; another shade is another photo."""
    out = io.BytesIO()
    Image.new("RGB", size, (40, shade, 40)).save(out, kind)
    return out.getvalue()


def kiosk(store: Store, name: str = "Nyagasambu", area: str = AREA) -> tuple[Kiosk, str]:
    with store.transaction() as session:
        return kiosks.add(session, name, area)


def officer(store: Store, phone: str = OFFICER, area: str = "Rwamagana") -> Officer:
    with store.transaction() as session:
        return officers.add(session, phone, "Keza", area, ["rw"])[0]
