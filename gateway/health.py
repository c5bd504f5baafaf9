"""Does the process live, does it take traffic, is the house whole, and how much waits.

Three answers, because three ask: who restarts a process, who sends it requests, and people. While
the store is away callbacks are kept in the spool and who dials reads an apology, so a balancer that
takes the machine out for it loses what it would have kept.
"""

from __future__ import annotations

import hmac
import logging
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus
from ipaddress import ip_address

from flask import Blueprint, Response, abort, jsonify, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute

from gateway.context import Context
from gateway.settings import Settings, SettingsError
from gateway.spool import Spool
from gateway.store import StoreError, keys, patience
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Incident, Message, Photo, Repair
from gateway.watch import beats, redis_writes

log = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds that the store has for being ready."""
FRESH_SECONDS = 10.0
"""For which counts hold: each is a walk along an index."""
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
UNREADY = "leafline.unready"
"""What the server puts into a request's environ when this process is about to stop."""


def blueprint(context: Context) -> Blueprint:
    doors = Blueprint("health", __name__)

    figures = Cached(context)

    @doors.get("/health/live")
    def live() -> Response:
        return jsonify(status="ok")

    @doors.get("/health/ready")
    def ready() -> tuple[Response, int]:
        checks = {"store": _store_ready(context), "redis": _redis_ready(context)}
        if request.environ.get(UNREADY):
            checks["running"] = False
        return _answer(checks)

    @doors.get("/health/traffic")
    def traffic() -> tuple[Response, int]:
        checks = {"keeps": _keeps(context), "running": not request.environ.get(UNREADY)}
        return _answer(checks)

    @doors.get("/health/whole")
    def whole() -> tuple[Response, int]:
        checks = {
            "store": _store_ready(context),
            "redis": _redis_ready(context),
            "spool": _spool_writable(context),
            "processes": _nobody_missing(context),
        }
        return _answer(checks)

    @doors.get("/metrics")
    def metrics() -> Response:
        if not _may_read(context.settings):
            abort(HTTPStatus.NOT_FOUND)
        return Response(figures(), content_type="text/plain; version=0.0.4")

    return doors


def _may_read(settings: Settings) -> bool:
    """Whoever knows the token; without one who asks on this machine, and no proxy for another."""
    if token := settings.metrics_token.get_secret_value():
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        fits = hmac.compare_digest(given.strip().encode(), token.encode())
        return fits and scheme.casefold() == "bearer"
    return asked_here()


def asked_here() -> bool:
    """Whether somebody on this machine asks, and no proxy for somebody else."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


class Cached:
    """The figures as text, counted anew at most every FRESH_SECONDS, by one thread."""

    def __init__(self, context: Context) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(Figures(context))
        self._lock = threading.Lock()
        self._text, self._until = b"", 0.0

    def __call__(self) -> bytes:
        with self._lock:
            if time.monotonic() >= self._until:
                self._text = generate_latest(self._registry)
                self._until = time.monotonic() + FRESH_SECONDS
            return self._text


def _answer(checks: dict[str, bool]) -> tuple[Response, int]:
    good = all(checks.values())
    return jsonify(status="ok" if good else "failing", checks=checks), 200 if good else 503


def _keeps(context: Context) -> bool:
    """Whether a callback would be kept: in the spool, or else in the store."""
    return _spool_writable(context) or _store_ready(context)


def _spool_writable(context: Context) -> bool:
    try:
        Spool(context.settings.spool, context.store.vault).check()
    except SettingsError as error:
        log.warning("not_ready part=spool error=%s", error)
        return False
    return True


def _nobody_missing(context: Context) -> bool:
    try:
        with patience(PATIENCE), context.store.reading() as session:
            missing = beats.missing(session, now())
    except SQLAlchemyError as error:
        log.warning("not_ready part=processes error=%s", type(error).__name__)
        return False
    if missing:
        log.warning("not_ready part=processes missing=%s", ",".join(missing))
    return not missing


def _store_ready(context: Context) -> bool:
    try:
        with patience(PATIENCE):
            reason = context.store.tables().trouble or keys.trouble(context.store)
    except (StoreError, SQLAlchemyError) as error:
        reason = str(error) if isinstance(error, StoreError) else type(error).__name__
        log.warning("not_ready part=store error=%s", reason)
        return False
    if reason:
        log.warning("not_ready part=store error=%s", reason)
    return not reason


def _redis_ready(context: Context) -> bool:
    try:
        refused = redis_writes.refusal(context.redis)
    except RedisError as error:
        refused = type(error).__name__
    if refused:
        log.warning("not_ready part=redis error=%s", refused)
    return not refused


class Figures(Collector):
    """Counts read from the store at each scrape, so that every process tells the same."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """What cannot be read is left out; `leafline_metrics_complete` says whether all is in."""
        complete = 1
        for part in (self._of_store, self._of_queue):
            try:
                yield from part()
            except (SQLAlchemyError, StoreError, RedisError) as error:
                log.warning("metrics_incomplete error=%s", type(error).__name__)
                complete = 0
        yield GaugeMetricFamily(
            "leafline_metrics_complete", "Whether store and Redis could both be asked", complete
        )

    def _of_store(self) -> Iterator[Metric]:
        yield self._by_state("leafline_cases", "Cases by state", Case.state)
        yield self._by_state("leafline_messages", "Messages by state", Message.state)
        yield from self._waiting()
        yield self._repairs()
        yield self._incidents()

    def _of_queue(self) -> Iterator[Metric]:
        depth = len(self._context.photo_queue)
        yield GaugeMetricFamily("leafline_queue_depth", "Photos on the queue", depth)

    def _by_state(self, name: str, text: str, column: InstrumentedAttribute[str]) -> Metric:
        family = GaugeMetricFamily(name, text, labels=["state"])
        with self._context.store.reading() as session:
            for state, count in session.execute(select(column, func.count()).group_by(column)):
                family.add_metric([state], count)
        return family

    def _repairs(self) -> Metric:
        family = CounterMetricFamily(
            "leafline_repairs", "What sweeps put right, by sweep", labels=["sweep"]
        )
        query = select(Repair.sweep, func.sum(Repair.count)).group_by(Repair.sweep)
        with self._context.store.reading() as session:
            for sweep, count in session.execute(query):
                family.add_metric([sweep], count)
        return family

    def _incidents(self) -> Metric:
        family = GaugeMetricFamily(
            "leafline_incident_open", "Incidents that a person must see to", labels=["cause"]
        )
        query = select(Incident.cause).where(Incident.closed_at.is_(None))
        with self._context.store.reading() as session:
            for cause in session.scalars(query):
                family.add_metric([cause], 1)
        return family

    def _waiting(self) -> Iterator[Metric]:
        with self._context.store.reading() as session:
            photos = session.scalar(
                select(func.count(Photo.id)).where(Photo.diagnosed_at.is_(None))
            )
            people = session.scalar(
                select(func.count(Escalation.id)).where(Escalation.closed_at.is_(None))
            )
        yield GaugeMetricFamily("leafline_photos_waiting", "Photos without a diagnosis", photos)
        yield GaugeMetricFamily("leafline_escalations_open", "Cases in a person's hands", people)
