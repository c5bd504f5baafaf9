from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import event, text

from gateway.app import create_app
from gateway.context import Context
from gateway.store.models import Case
from rig import things as house


def test_alive_and_ready(client: FlaskClient) -> None:
    assert client.get("/health/live").status_code == 200
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.get_json()["checks"]) == (
        200,
        {"store": True, "redis": True},
    )


def test_without_redis_it_is_alive_but_not_ready(client: FlaskClient) -> None:
    context: Context = client.application.extensions["leafline"]
    context.redis.connection_pool.connection_kwargs["path"] = "/nowhere"
    context.redis.connection_pool.disconnect()
    assert client.get("/health/live").status_code == 200
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.get_json()["checks"]["redis"]) == (503, False)
    figures = client.get("/metrics")
    assert figures.status_code == 200
    assert "leafline_metrics_complete 0.0" in figures.text
    assert "leafline_photos_waiting 0.0" in figures.text
    assert "leafline_queue_depth" not in figures.text


def test_without_the_store_the_figures_say_that_they_are_not_all(client: FlaskClient) -> None:
    context: Context = client.application.extensions["leafline"]
    with context.store.transaction() as session:
        session.execute(text(f'ALTER TABLE "{Case.__tablename__}" RENAME TO elsewhere'))
    figures = client.get("/metrics")
    assert figures.status_code == 200
    assert "leafline_metrics_complete 0.0" in figures.text
    assert "leafline_cases" not in figures.text
    assert "leafline_queue_depth 0.0" in figures.text


def test_figures_are_read_from_the_store(client: FlaskClient) -> None:
    import io

    context: Context = client.application.extensions["leafline"]
    _, token = house.kiosk(context.store)
    form = {"photo": (io.BytesIO(house.photo()), "a.jpg"), "phone": "0788000001", "crop": "maize"}
    client.post("/api/photos", data=form, headers={"Authorization": f"Bearer {token}"})
    figures = client.get("/metrics").get_data(as_text=True)
    assert 'leafline_cases{state="received"} 1.0' in figures
    assert "leafline_photos_waiting 1.0" in figures
    assert "leafline_queue_depth 1.0" in figures
    assert "leafline_metrics_complete 1.0" in figures


@pytest.mark.parametrize(
    ("caller", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("203.0.113.9", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, 404),  # a proxy on this machine
        ("127.0.0.1", {"Forwarded": "for=203.0.113.9"}, 404),
        ("", {}, 404),
    ],
)
def test_figures_are_for_this_machine(
    client: FlaskClient, caller: str, headers: dict[str, str], status: int
) -> None:
    where = {"REMOTE_ADDR": caller}
    answer = client.get("/metrics", headers=headers, environ_overrides=where)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("given", "status"),
    [("Bearer a-token-for-figures", 200), ("bearer a-token-for-figures", 200), ("", 404),
     ("Bearer a-token-for-figure", 404), ("Basic a-token-for-figures", 404), ("Bearer é", 404)],
)  # fmt: skip
def test_figures_behind_a_token(any_context: Context, given: str, status: int) -> None:
    settings = any_context.settings.model_copy(
        update={"metrics_token": SecretStr("a-token-for-figures")}
    )
    client = create_app(settings).test_client()
    where = {"REMOTE_ADDR": "203.0.113.9"}
    headers = {"Authorization": given.encode().decode("latin-1")}
    assert client.get("/metrics", headers=headers, environ_overrides=where).status_code == status


def test_figures_are_counted_once_for_many_who_ask(client: FlaskClient) -> None:
    context: Context = client.application.extensions["leafline"]
    asked: list[str] = []
    event.listen(
        context.store.engine, "before_cursor_execute", lambda *given: asked.append(given[2])
    )
    answers = {client.get("/metrics").text for _ in range(20)}
    assert len(answers) == 1
    assert 0 < sum(query.startswith("SELECT") for query in asked) < 10


def test_no_figure_walks_through_a_table(client: FlaskClient) -> None:
    context: Context = client.application.extensions["leafline"]
    if context.store.engine.dialect.name != "sqlite":
        return  # its planner tells only of what the tables hold now
    asked: list[str] = []
    event.listen(
        context.store.engine, "before_cursor_execute", lambda *given: asked.append(given[2])
    )
    client.get("/metrics")
    with context.store.reading() as session:
        for query in [query for query in asked if query.startswith("SELECT")]:
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")
            for *_, step in plan:
                small = any(name in step for name in ("incident", "repair"))
                assert small or "INDEX" in step or "B-TREE" in step, (query, step)


@pytest.mark.parametrize("path", ["/health/live", "/api/openapi.json", "/kiosk/pair", "/nothing"])
@pytest.mark.parametrize("secure", [False, True])
def test_over_https_every_answer_says_so(client: FlaskClient, path: str, secure: bool) -> None:
    scheme = "https" if secure else "http"
    answer = client.get(path, base_url=f"{scheme}://leaf.example/")
    assert ("Strict-Transport-Security" in answer.headers) is secure
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
