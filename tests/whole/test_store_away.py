"""PostgreSQL is gone for a while, and the web process dies meanwhile too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
import requests
from sqlalchemy import select

from gateway.store.models import Message
from rig.house import wait_until
from rig.servers import Absent
from rig.site import opened
from rig.storm.evidence import unfinished
from rig.storm.site import Site

pytestmark = [pytest.mark.whole, pytest.mark.timeout(600)]
FARMER = "+250730000001"


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as stack:
        try:
            folder = tmp_path_factory.mktemp("away")
            site = stack.enter_context(opened(folder, "postgresql"))
        except Absent as error:
            pytest.skip(str(error))
        yield site


def test_what_comes_meanwhile_is_taken_in_afterwards_in_order(site: Site) -> None:
    def post(kind: str, **form: str) -> requests.Response | None:
        try:
            return requests.post(f"{site.webhooks}/{kind}", data=form, timeout=15)
        except requests.ConnectionError:
            return None  # the web process is being started again

    def write(key: str, text: str) -> None:
        form = {"from": FARMER, "id": key, "text": text, "to": "384"}
        wait_until(lambda: (answer := post("sms", **form)) and answer.ok, f"{text} to be taken")

    assert site.postgres is not None
    site.postgres.crash()
    write("1", "STOP")
    hop = {"sessionId": "away", "phoneNumber": FARMER, "text": ""}
    screen = post("ussd", **hop)
    assert screen is not None
    assert screen.text.startswith("END ")
    upload = requests.post(
        f"{site.house.url}/api/photos",
        headers={"Authorization": f"Bearer {site.token}"},
        timeout=15,
    )
    assert (upload.status_code, upload.json()["code"]) == (503, "store_away")
    assert "Retry-After" in upload.headers

    site.kill("web")
    write("2", "START")  # a web process that began without the store
    assert unfinished_spool(site)
    site.postgres.start()
    wait_until(lambda: not unfinished(site), "everything to be taken in and answered")
    with closing(site.store()) as store, store.reading() as session:
        received = select(Message.text).where(Message.direction == "in").order_by(Message.id)
        assert session.scalars(received).all() == ["STOP", "START"]
        replies = select(Message.template).where(Message.direction == "out").order_by(Message.id)
        assert session.scalars(replies).all() == ["optout_confirm", "optin_confirm"]


def unfinished_spool(site: Site) -> bool:
    return any((site.house.home / "spool" / "waiting").iterdir())
