"""Ten requests that every endpoint for the provider's USSD must get right, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import requests
from flask import Flask
from sqlalchemy import func, select

from gateway.context import Context
from gateway.store.models import Case, Message
from rig import things as house
from rig.mobile import serving
from tests.conftest import CHANNEL_KEY

PHONE = "+250788000001"
HEAD = (
    "sessionId=ATUid_a1&serviceCode=%2A384%2A123%23&phoneNumber=%2B250788000001&networkCode=99999"
)
FORM = "application/x-www-form-urlencoded"

Post = Callable[..., str]


@pytest.fixture
def inside(app: Flask) -> Context:
    context: Context = app.extensions["leafline"]
    house.farmer(context.store, PHONE)
    return context


@pytest.fixture
def post(app: Flask, inside: Context) -> Iterator[Post]:
    """Posts a body as it stands; every answer must be one that the provider takes."""
    with serving(app) as url, requests.Session() as session:

        def call(body: str, kind: str = FORM) -> str:
            answer = session.post(
                f"{url}/africastalking/{CHANNEL_KEY}/ussd",
                data=body.encode(),
                headers={"Content-Type": kind},
                timeout=30,
            )
            assert answer.status_code == 200
            assert answer.headers["Content-Type"].split(";")[0] == "text/plain"
            assert answer.content.startswith((b"CON ", b"END "))
            return answer.content.decode()

        yield call


def hop(post: Post, text: str) -> str:
    return post(f"{HEAD}&text={text}")


def first_dial(post: Post, inside: Context) -> None:
    assert hop(post, "").startswith("CON ")


def the_same_again(post: Post, inside: Context) -> None:
    for text in ("", "4"):
        hop(post, text)
    ended = hop(post, "4*1")
    assert ended.startswith("END ")
    messages = _count(inside, Message)
    assert [hop(post, "4*1") for _ in range(3)] == [ended] * 3
    assert (_count(inside, Message), _count(inside, Case)) == (messages, 1)
    assert len(inside.redis.keys("ussd:*")) == 1


def the_same_digit_twice(post: Post, inside: Context) -> None:
    screens = [hop(post, text) for text in ("", "2", "2*2", "2*2*2")]
    assert len(set(screens)) == 4


def a_raw_plus(post: Post, inside: Context) -> None:
    hop(post, "")
    raw = HEAD.replace("%2B", "+")
    assert "Which crop" in post(f"{raw}&text=2")  # the same session: nobody else's number


def a_free_text(post: Post, inside: Context) -> None:
    for text in ("", "1", "1*9"):
        hop(post, text)
    assert "mistake" in hop(post, "1*9*maize%20%26%20beans%2B")


def a_path_of_an_unknown_session(post: Post, inside: Context) -> None:
    assert "powdery" in hop(post, "2*1*1")
    assert "Which crop" in post(f"{HEAD.replace('_a1', '_a2')}&text=2*9*1")


def a_star_in_an_answer(post: Post, inside: Context) -> None:
    for text in ("", "1", "1*9"):
        hop(post, text)
    assert "case code" in hop(post, "1*9*0*x")  # one answer, not back and then x


def an_odd_network_code(post: Post, inside: Context) -> None:
    without = HEAD.replace("&networkCode=99999", "")
    assert post(f"{without}&text=").startswith("CON ")
    assert "Which crop" in post(f"{without}&networkCode=dialoguss&text=2")


def no_session_id(post: Post, inside: Context) -> None:
    assert post("phoneNumber=%2B250788000001&text=").startswith("END ")


def no_form(post: Post, inside: Context) -> None:
    assert post('{"sessionId": "a"}', "application/json").startswith("END ")
    assert post("").startswith("END ")


@pytest.mark.parametrize(
    "vector",
    [
        first_dial,
        the_same_again,
        the_same_digit_twice,
        a_raw_plus,
        a_free_text,
        a_path_of_an_unknown_session,
        a_star_in_an_answer,
        an_odd_network_code,
        no_session_id,
        no_form,
    ],
    ids=lambda vector: vector.__name__,
)
def test_vector(vector: Callable[[Post, Context], None], post: Post, inside: Context) -> None:
    vector(post, inside)


def _count(context: Context, model: type[Case | Message]) -> int:
    with context.store.reading() as session:
        return session.scalar(select(func.count(model.id))) or 0
