from __future__ import annotations

import io

import pytest
from PIL import Image
from sqlalchemy import select

from gateway.context import Context
from gateway.store.models import Photo
from rig import desk
from rig.desk import Person


@pytest.fixture
def photo_id(context: Context, keza: desk.Officer) -> int:
    desk.case(context)
    with context.store.reading() as session:
        return session.scalars(select(Photo.id)).one()


@pytest.mark.parametrize(("kind", "width"), [("full", 512), ("small", 480), ("heat", 448)])
def test_pictures_of_a_case_of_mine(
    person: Person, keza: desk.Officer, photo_id: int, kind: str, width: int
) -> None:
    person.sign_in(keza)
    response = person.client.get(f"/officer/photo/{photo_id}/{kind}.jpg")
    assert response.status_code == 200
    assert Image.open(io.BytesIO(response.data)).size[0] == width
    assert response.headers["Cache-Control"] == "no-store"


def test_the_heat_map_is_made_once(
    context: Context, person: Person, keza: desk.Officer, photo_id: int
) -> None:
    person.sign_in(keza)
    first = person.client.get(f"/officer/photo/{photo_id}/heat.jpg")
    with context.store.reading() as session:
        context.photos.delete(session.scalars(select(Photo.address)).one())
    assert person.client.get(f"/officer/photo/{photo_id}/heat.jpg").data == first.data
    assert person.client.get(f"/officer/photo/{photo_id}/full.jpg").status_code == 404


def test_nobody_elses_pictures(context: Context, person: Person, photo_id: int) -> None:
    person.sign_in(desk.officer(context, desk.COLLEAGUE, "Uwase"))
    for path in (f"{photo_id}/full", f"{photo_id}/heat", "999999/small", f"{photo_id}/huge"):
        assert person.client.get(f"/officer/photo/{path}.jpg").status_code == 404, path
