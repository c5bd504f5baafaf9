"""What holds for every provider, each with forms and answers of its own (`samples.py`)."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from gateway import channels, outbox
from gateway.channels import providers
from gateway.channels.takers import takers
from gateway.context import Context
from gateway.outbox import claim
from gateway.outbox.fallback import Share
from gateway.outbox.network import LONGEST_REQUEST, Outcome, SendResult
from gateway.outbox.reasons import NOT_REACHED
from gateway.settings import Settings, SettingsError
from gateway.spool import Spool
from gateway.store.base import now
from gateway.store.models import DeliveryReport, Message
from rig.mobile import serving
from tests.channels.samples import PHONE, Sample, every
from tests.conftest import CHANNEL_KEY

SECRET = "s3cret of the account"
PATIENT, HASTY = 20.0, 0.3


@pytest.fixture(params=every(), ids=lambda sample: sample.name)
def sample(request: pytest.FixtureRequest) -> Sample:
    found: Sample = request.param
    return found


@contextmanager
def answering(view: Callable[[], Response]) -> Iterator[str]:
    """A server that answers every request with `view`; gives its address."""
    app = Flask("odd")
    app.add_url_rule("/<path:_path>", "any", lambda _path: view(), methods=["GET", "POST"])
    with serving(app) as url:
        yield url


def test_a_message_is_handed_over_once_whole(sample: Sample) -> None:
    heard: list[dict[str, str]] = []

    def view() -> Response:
        heard.append({**request.args.to_dict(), **request.form.to_dict()})
        return Response(sample.accepting[1], sample.accepting[0])

    text = "Muraho & é+ñ 100%: {text} [1]"
    with answering(view) as url:
        result = sample.client(url, SECRET, PATIENT).send(PHONE, text)
    assert (result.outcome, bool(result.provider_id)) == (Outcome.SENT, True)
    (fields,) = heard
    assert [value for value in fields.values() if value in (PHONE, text)] == [PHONE, text]


def test_every_refusal_has_a_name(sample: Sample) -> None:
    for status, body, outcome, reason in sample.refusing:
        with answering(lambda status=status, body=body: Response(body, status)) as url:  # type: ignore[misc]
            result = sample.client(url, SECRET, PATIENT).send(PHONE, "hello")
        assert (result.outcome, result.reason) == (outcome, reason), body


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, "", Outcome.UNKNOWN),
        (200, "<html>Welcome</html>", Outcome.UNKNOWN),
        (302, "", Outcome.CHANNEL_DOWN),
        (404, "", Outcome.CHANNEL_DOWN),
        (418, "", Outcome.REJECTED),
        (500, "", Outcome.UNKNOWN),
        (502, "<html>Bad gateway</html>", Outcome.UNKNOWN),
    ],
)
def test_an_answer_that_nobody_foresaw_is_not_taken_for_a_yes(
    sample: Sample, status: int, body: str, outcome: Outcome
) -> None:
    with answering(lambda: Response(body, status, {"Location": "/elsewhere"})) as url:
        assert sample.client(url, SECRET, PATIENT).send(PHONE, "hello").outcome is outcome


def test_trouble_on_the_way(sample: Sample, caplog: pytest.LogCaptureFixture) -> None:
    """Only where the request surely did not leave may it be sent again; no log holds a secret."""
    caplog.set_level(logging.INFO)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        client = sample.client(f"http://127.0.0.1:{port}", SECRET, HASTY)
        assert client.longest_request <= LONGEST_REQUEST
        result = client.send(PHONE, "hello")
        assert (result.outcome, result.reason) == (Outcome.UNKNOWN, "read_timeout")
    result = client.send(PHONE, "hello")
    assert result.outcome is Outcome.RETRYABLE
    assert result.reason in NOT_REACHED
    assert SECRET not in caplog.text
    assert PHONE not in caplog.text


@pytest.mark.parametrize(("to", "text"), [("0788000001", "x"), ("", "x"), (PHONE, "")])
def test_what_cannot_be_sent_never_leaves(sample: Sample, to: str, text: str) -> None:
    client = sample.client("http://127.0.0.1:9", SECRET, HASTY)
    assert client.send(to, text).outcome is Outcome.REJECTED


def test_its_own_settings_are_masked_in_the_log(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    (provider,) = (one for one in providers.every() if one.name == sample.name)
    if provider.settings is None:
        return
    prefix = str(provider.settings.model_config["env_prefix"])
    assert prefix == f"LEAFLINE_{sample.name.upper()}_"
    monkeypatch.setenv(f"{prefix}PASSWORD", SECRET)
    assert SECRET in providers.secrets()
    assert SECRET not in repr(provider.settings.read())


# The doors


def post(
    client: FlaskClient, sample: Sample, part: str, form: object, key: str = CHANNEL_KEY
) -> int:
    answer = client.post(sample.address.replace("KEY", key) + part, data=form)
    if answer.status_code == 200 and sample.taken:
        assert answer.text == sample.taken
    return answer.status_code


def sent(context: Context, sample: Sample, provider_id: str) -> int:
    """A message that the provider took under this id."""
    with context.store.transaction() as session:
        outbox.post(session, key=provider_id, to=PHONE, text="hello", kind="notice")
        share = Share(sample.name, (sample.name,))
        (row,) = claim.claim(session, limit=1, lease=timedelta(minutes=1), now=now(), share=share)
        claim.settle(session, row.id, SendResult(Outcome.SENT, provider_id=provider_id), now(), 0.5)
        return row.id


def state(context: Context, message_id: int) -> str:
    with context.store.reading() as session:
        return session.get_one(Message, message_id).state


def incoming(context: Context) -> list[tuple[str | None, str | None]]:
    with context.store.reading() as session:
        query = select(Message.provider, Message.text).where(Message.direction == "in")
        return [(provider, text) for provider, text in session.execute(query.order_by(Message.id))]


def test_an_incoming_sms_counts_once(client: FlaskClient, context: Context, sample: Sample) -> None:
    for id_ in ("m1", "m1", "m2"):
        part, form = sample.sms(id_, "HELP é")
        assert post(client, sample, part, form) == 200
    assert incoming(context) == [(sample.name, "HELP é")] * 2


def test_ids_of_two_providers_do_not_meet(client: FlaskClient, context: Context) -> None:
    for one in every():
        part, form = one.sms("m1", f"HELP {one.name}")
        assert post(client, one, part, form) == 200
    assert [provider for provider, _ in incoming(context)] == list(channels.PROVIDERS)


def test_a_report_moves_its_message(client: FlaskClient, context: Context, sample: Sample) -> None:
    for number, (status, fate) in enumerate(sample.statuses.items()):
        message = sent(context, sample, f"id-{number}")
        part, form = sample.report(f"id-{number}", status)
        for _ in range(2):
            assert post(client, sample, part, form) == 200
        assert state(context, message) == fate, status
    with context.store.reading() as session:
        query = select(DeliveryReport.provider, func.count()).group_by(DeliveryReport.provider)
        assert session.execute(query).all() == [(sample.name, len(sample.statuses))]


def test_a_report_of_another_provider_moves_nothing(
    client: FlaskClient, context: Context, sample: Sample
) -> None:
    message = sent(context, sample, "the same id")
    for other in every():
        if other.name != sample.name:
            part, form = other.report("the same id", other.failed)
            assert post(client, other, part, form) == 200
    assert state(context, message) == "sent"


def test_a_wrong_key_is_not_found(client: FlaskClient, context: Context, sample: Sample) -> None:
    part, form = sample.sms("m1", "HELP")
    assert post(client, sample, part, form, key="wrong") == 404
    assert incoming(context) == []


def test_what_says_nothing_is_dropped_and_not_asked_for_again(
    client: FlaskClient, context: Context, sample: Sample
) -> None:
    for part, form in sample.nonsense:
        assert post(client, sample, part, form) == 200
    assert incoming(context) == []
    assert Spool(context.settings.spool, context.store.vault).failed() == 0


def test_while_the_store_is_away_callbacks_wait_in_the_spool(
    client: FlaskClient, context: Context, sample: Sample, caplog: pytest.LogCaptureFixture
) -> None:
    message = sent(context, sample, "id-1")

    def down(*_args: object, **_options: object) -> None:
        raise OperationalError("INSERT", {}, Exception("the store is away"))

    spool = Spool(context.settings.spool, context.store.vault)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.store.database.Store.transaction", down)
        for part, form in (sample.sms("m1", "HELP"), sample.report("id-1", sample.failed)):
            assert post(client, sample, part, form) == 200
        assert spool.waits()
    while not spool.replay(lambda kind, fields: takers()[kind](context, fields)):
        pass  # the process's own replayer is at it
    assert incoming(context) == [(sample.name, "HELP")]
    assert state(context, message) == "failed"
    assert spool.failed() == 0
    assert CHANNEL_KEY not in caplog.text
    assert PHONE not in caplog.text


# Which are used


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"providers": "pigeon"}, "there is no pigeon"),
        ({"providers": "http_gateway"}, "LEAFLINE_HTTP_GATEWAY_URL"),
        ({"providers": "http_gateway,africastalking"}, "LEAFLINE_HTTP_GATEWAY_URL"),
        ({"simulator": "off"}, "AT_API_KEY"),
    ],
)
def test_a_choice_that_cannot_work_is_refused_at_start(given: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        providers.networks(Settings.read(**given))


def test_the_order_is_that_of_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAFLINE_HTTP_GATEWAY_URL", "http://127.0.0.1:13013/cgi-bin/sendsms")
    order = "http_gateway, africastalking"
    settings = Settings.read(providers=order, at_api_key="k", channel_keys="k")
    assert not settings.simulator_on
    assert [one.name for one in providers.networks(settings)] == ["http_gateway", "africastalking"]
    assert [one.name for one in providers.networks(Settings.read())] == ["africastalking"]
