"""Expressions that the database works out, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, String, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from gateway.store.base import Utc

WEEK_SECONDS = 7 * 24 * 3600


class seconds_between(FunctionElement[int]):
    """Whole seconds from the first instant to the second, rounded down where it is positive."""

    name = "seconds_between"
    type = BigInteger()
    inherit_cache = True


class first_unit(FunctionElement[str]):
    """What stands before the first slash of an area, or all of it."""

    name = "first_unit"
    type = String()
    inherit_cache = True


@compiles(seconds_between, "sqlite")
def _sqlite_seconds(element: Any, compiler: SQLCompiler, **keywords: Any) -> str:
    start, end = (compiler.process(clause, **keywords) for clause in element.clauses)
    return f"CAST((julianday({end}) - julianday({start})) * 86400.0 + 0.0005 AS INTEGER)"


@compiles(seconds_between, "postgresql")
def _postgresql_seconds(element: Any, compiler: SQLCompiler, **keywords: Any) -> str:
    start, end = (compiler.process(clause, **keywords) for clause in element.clauses)
    return f"CAST(floor(extract(epoch FROM ({end}) - ({start}))) AS BIGINT)"


@compiles(first_unit, "sqlite")
def _sqlite_unit(element: Any, compiler: SQLCompiler, **keywords: Any) -> str:
    (area,) = (compiler.process(clause, **keywords) for clause in element.clauses)
    return f"substr({area}, 1, instr({area} || '/', '/') - 1)"


@compiles(first_unit, "postgresql")
def _postgresql_unit(element: Any, compiler: SQLCompiler, **keywords: Any) -> str:
    (area,) = (compiler.process(clause, **keywords) for clause in element.clauses)
    return f"split_part({area}, '/', 1)"


def weeks_ago(instant: Any, end: datetime) -> ColumnElement[int]:
    """How many whole weeks before `end` an instant lies; 0 is the last 7 days."""
    elapsed: ColumnElement[int] = seconds_between(instant, literal(end, Utc))
    return elapsed // WEEK_SECONDS
