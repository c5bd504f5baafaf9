from __future__ import annotations

from flask.testing import FlaskClient
from sqlalchemy import text

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
