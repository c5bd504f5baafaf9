from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from gateway.context import Context
from gateway.people import operators
from gateway.settings import Settings
from rig import admins
from rig.desk import Person
from tests.conftest import settings_for


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings on SQLite, then on PostgreSQL."""
    return settings_for(tmp_path, database_url, redis_url)


@pytest.fixture
def context(app: Flask) -> Context:
    context: Context = app.extensions["leafline"]
    return context


@pytest.fixture
def admin(app: Flask, context: Context) -> Person:
    """An admin's browser, signed in."""
    person = Person(app.test_client())
    admins.enter(person, admins.enrol(context, "ines"))
    return person


@pytest.fixture
def second(app: Flask, context: Context) -> Person:
    """Another admin's."""
    person = Person(app.test_client())
    admins.enter(person, admins.enrol(context, "jo"))
    return person


@pytest.fixture
def viewer(app: Flask, context: Context) -> Person:
    person = Person(app.test_client())
    admins.enter(person, admins.enrol(context, "vera", operators.VIEWER))
    return person
