"""What the doors of the mobile network do while the store is away."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from gateway.channels.takers import takers
from gateway.context import Context
from gateway.settings import Settings
from gateway.spool import Spool
from gateway.store.models import Message
from tests.channels.africastalking.test_webhooks import (
    EVENT,
    PATHS,
    PHONE,
    REPORT,
    SMS,
    USSD,
    post,
)


@pytest.fixture
def store_away() -> Iterator[Callable[[], None]]:
    """The store is away until the returned function is called."""
    with pytest.MonkeyPatch.context() as patch:

        def down(*_args: object, **_options: object) -> None:
            raise OperationalError("INSERT", {}, Exception("the store is away"))

        patch.setattr("gateway.store.database.Store.transaction", down)
        yield patch.undo


def form_of(path: str) -> dict[str, str]:
    forms = {"/ussd-events": EVENT, "/sms": SMS, "/delivery-reports": REPORT}
    return forms.get(path, {"phoneNumber": PHONE})


@pytest.mark.parametrize("path", PATHS[1:])
def test_only_what_cannot_be_kept_at_all_is_asked_for_again(
    client: FlaskClient,
    settings: Settings,
    store_away: Callable[[], None],
    path: str,
) -> None:
    assert post(client, path, form_of(path)).status_code == 200
    settings.spool.rename(settings.spool.with_name("gone"))
    settings.spool.write_text("a file where the folder was")
    assert post(client, path, form_of(path)).status_code == 503


def test_what_came_while_the_store_was_away_is_taken_in_once_and_in_order(
    client: FlaskClient, context: Context, store_away: Callable[[], None]
) -> None:
    stop, start = SMS | {"id": "1", "text": "STOP"}, SMS | {"id": "2", "text": "START"}
    for form in (stop, stop, start):
        assert post(client, "/sms", form).status_code == 200
    store_away()
    spool = Spool(context.settings.spool, context.store.vault)
    while not spool.replay(lambda kind, form: takers()[kind](context, form)):
        pass  # the process's own replayer is at it
    with context.store.reading() as session:
        received = session.scalars(
            select(Message).where(Message.direction == "in").order_by(Message.id)
        )
        assert [row.text for row in received] == ["STOP", "START"]
    assert spool.failed() == 0


def test_what_comes_while_something_waits_does_not_overtake_it(
    client: FlaskClient, context: Context, store_away: Callable[[], None]
) -> None:
    post(client, "/sms", SMS | {"id": "1", "text": "STOP"})
    with Spool(context.settings.spool, context.store.vault)._alone():
        store_away()
        post(client, "/sms", SMS | {"id": "2", "text": "START"})
        with context.store.reading() as session:
            assert session.scalar(select(Message.id).where(Message.direction == "in")) is None


def test_a_farmer_reads_a_screen_while_the_store_is_away(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_args: object, **_options: object) -> None:
        raise OperationalError("SELECT", {}, Exception("the store is away"))

    for name in ("transaction", "reading"):
        monkeypatch.setattr(f"gateway.store.database.Store.{name}", down)
    answer = post(client, "/ussd", USSD)
    assert answer.status_code == 200
    assert answer.text.startswith("END ")
