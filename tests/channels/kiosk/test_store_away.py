from __future__ import annotations

import io
import sqlite3

import pytest
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from rig.things import FARMER, kiosk, photo


@pytest.mark.parametrize("what", ["reading", "transaction"])
def test_a_kiosk_keeps_its_photo_while_the_store_is_away(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    _, token = kiosk(client.application.extensions["leafline"].store)

    def down(*_args: object, **_options: object) -> None:
        raise OperationalError("SELECT", {}, sqlite3.OperationalError("disk I/O error"))

    monkeypatch.setattr(f"gateway.store.database.Store.{what}", down)
    answer = client.post(
        "/api/photos",
        headers={"Authorization": f"Bearer {token}"},
        data={"phone": FARMER, "crop": "maize", "photo": (io.BytesIO(photo()), "leaf.jpg")},
    )
    assert answer.status_code == 503
    assert answer.get_json()["code"] == "store_away"
    assert int(answer.headers["Retry-After"]) > 0
