"""RQ's dashboard with our RQ, our Flask and our serializer, behind the door."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from gateway.context import Context
from rig.desk import Person

WAITING = "/operator/rq/0/data/jobs/photos/queued/8/asc/1.json"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The store has no part in this."""
    return sqlite_url


def test_it_shows_our_queue(viewer: Person, context: Context) -> None:
    context.photo_queue.enqueue("gateway.jobs.photos.diagnose", 7, job_id="photo-7")
    page = viewer.get("/operator/rq/")
    assert page.status_code == 200
    assert "'unsafe-inline'" in page.headers["Content-Security-Policy"]
    queues = viewer.get("/operator/rq/0/data/queues.json").get_json()["queues"]
    assert [(queue["name"], queue["count"]) for queue in queues] == [("photos", 1)]
    (job,) = viewer.get(WAITING).get_json()["jobs"]
    assert (job["id"], "diagnose(7)" in job["description"]) == ("photo-7", True)
    assert viewer.get("/operator/rq/0/data/job/photo-7.json").get_json()["id"] == "photo-7"
    assert viewer.get("/operator/rq/0/data/workers.json").get_json()["workers"] == []


def test_its_own_files_come_through(viewer: Person) -> None:
    viewer.get("/operator/rq/0/view/queues")
    files = re.findall(r'(?:src|href)="(/operator/rq/static/[^"]+)"', viewer.page)
    assert len(files) > 3
    for file in files:
        if not file.endswith("favicon.ico"):
            with viewer.client.get(file) as answer:
                assert answer.status_code == 200, file


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "requeue/photos"),
        ("POST", "requeue/photos"),
        ("POST", "job/photo-7/delete"),
        ("POST", "queue/photos/queued/empty"),
    ],
)
def test_it_changes_nothing(admin: Person, context: Context, method: str, path: str) -> None:
    context.photo_queue.enqueue("gateway.jobs.photos.diagnose", 7, job_id="photo-7")
    answer = admin.client.open(f"/operator/rq/{path}", method=method)
    assert answer.status_code in (404, 405)
    assert context.photo_queue.job_ids == ["photo-7"]


def test_strangers_are_sent_to_the_door(app: Flask) -> None:
    for path in ("/operator/rq/", WAITING, "/operator/rq/static/css/main.css"):
        answer = app.test_client().get(path)
        assert answer.status_code == 303
        assert answer.location.startswith("/operator/sign-in")
