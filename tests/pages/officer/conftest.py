from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from gateway.context import Context
from gateway.settings import Settings
from rig import desk
from tests.conftest import settings_for

PUBLIC_URL = "https://leaf.example.rw"


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings on SQLite, then on PostgreSQL, with links in the officers' messages."""
    return settings_for(tmp_path, database_url, redis_url, public_url=PUBLIC_URL)


@pytest.fixture
def context(app: Flask) -> Context:
    context: Context = app.extensions["leafline"]
    return context


@pytest.fixture
def keza(context: Context) -> desk.Officer:
    return desk.officer(context)


@pytest.fixture
def person(app: Flask) -> desk.Person:
    app.config["SESSION_COOKIE_SECURE"] = False  # the test client speaks plain HTTP
    return desk.Person(app.test_client())


@pytest.fixture
def other(app: Flask, person: desk.Person) -> desk.Person:
    return desk.Person(app.test_client())
