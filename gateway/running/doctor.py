"""`leafline doctor`: every component looked at, a line each."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

import redis
from dotenv import dotenv_values
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from gateway import agronomy
from gateway.backup import making
from gateway.channels import channel_keys, providers
from gateway.dialogue import rows
from gateway.dialogue.catalogue import Catalogue, CatalogueError
from gateway.running import modes
from gateway.running.logs import PROCESS_VARIABLE
from gateway.settings import (
    CHANNEL_KEY,
    FROM_FILE,
    SECRET_KEY,
    Kept,
    Settings,
    SettingsError,
)
from gateway.spool import Spool
from gateway.store import Store, StoreError, keys
from gateway.store.base import Unreadable, now
from gateway.store.models import Farmer
from gateway.store.photos import PhotoStoreError, open_photos
from gateway.store.vault import Vault
from gateway.watch import beats, redis_doors, redis_writes

LOW_DISK_BYTES = 2_000_000_000
FULL_DISK_BYTES = 200_000_000
CLOCK_DRIFT_WARN = 5.0
CLOCK_DRIFT_FAIL = 60.0
NOT_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
ENV_FILE = str(Settings.model_config["env_file"])
NOT_SETTINGS = {PROCESS_VARIABLE, "LEAFLINE_PHOTO_DATA"}


@dataclass(frozen=True)
class Finding:
    what: str
    state: Literal["ok", "warn", "fail"]
    text: str

    def __str__(self) -> str:
        return f"{self.state:<5} {self.what:<12} {self.text}"


def ok(what: str, text: str) -> Finding:
    return Finding(what, "ok", text)


def warn(what: str, text: str) -> Finding:
    return Finding(what, "warn", text)


def fail(what: str, text: str) -> Finding:
    return Finding(what, "fail", text)


def examine(settings: Settings, checks: Iterable[str]) -> Iterator[Finding]:
    """One finding for each named check. Never raises."""
    for what in checks:
        try:
            yield CHECKS[what](settings)
        except Exception as error:  # a check that breaks is a finding, not the end of the rest
            lines = str(error).strip().splitlines() or [""]
            yield fail(what, f"{type(error).__name__}: {lines[0]}")


def check_settings(settings: Settings) -> Finding:
    """The values are proved already; a misspelt name would silently do nothing."""
    known = settings.variables() | providers.variables() | NOT_SETTINGS
    known |= {name + FROM_FILE for name in known}
    providers.sections()
    given = {*os.environ, *dotenv_values(ENV_FILE, interpolate=False)}
    unknown = {n for n in given if n.upper().startswith("LEAFLINE_") and n.upper() not in known}
    if unknown:
        return warn("settings", f"not a setting, so without effect: {', '.join(sorted(unknown))}")
    return ok("settings", f"read; home {settings.home.resolve()}")


def check_disk(settings: Settings) -> Finding:
    probe = settings.home / f".doctor-{secrets.token_hex(4)}"
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe.write_bytes(b"\0" * 4096)
        probe.unlink()
    except OSError as error:
        return fail(
            "disk",
            f"cannot write {settings.home.resolve()}: {error.strerror}; "
            "make LEAFLINE_HOME a folder you may write to",
        )
    free = shutil.disk_usage(settings.home).free
    words = f"{free / 1e9:.1f} GB free in {settings.home.resolve()}"
    if free < FULL_DISK_BYTES:
        return fail("disk", f"{words}: make room, uploads will be refused")
    return warn("disk", f"{words}: make room soon") if free < LOW_DISK_BYTES else ok("disk", words)


def check_store(settings: Settings) -> Finding:
    store = Store(settings.store_url, _vault(settings))
    try:
        tables = store.tables()
        kind = store.engine.dialect.name
        if tables.have is None:
            return fail("store", f"{kind} has no tables yet: run `leafline db upgrade`")
        if tables.trouble:
            return fail("store", f"{kind} is at {tables.have}, not {tables.head}: {tables.trouble}")
        with store.reading() as session:
            if keys.lacking(session):
                return fail("store", keys.LACKS)
            if isinstance(session.scalar(select(Farmer.phone).limit(1)), Unreadable):
                return fail(
                    "store",
                    "the key does not open what is in it: restore the right LEAFLINE_SECRET_KEY "
                    "or the file secret-key in the home",
                )
        if tables.newer:
            words = f"{kind} is of a newer release ({tables.have}), and this one works on it"
            return warn("store", f"{words}: upgrade this host too")
        return ok("store", f"{kind} at migration head {tables.head}; the key opens it")
    except StoreError as error:
        return fail("store", str(error))
    finally:
        store.close()


def _vault(settings: Settings) -> Vault:
    return Vault(settings.encryption_key, settings.old_keys)


def check_spool(settings: Settings) -> Finding:
    spool = Spool(settings.spool, _vault(settings))
    try:
        spool.check()
    except SettingsError as error:
        return fail("spool", str(error))
    if aside := spool.failed():
        return warn(
            "spool",
            f"{aside} callbacks could not be taken in: read the log, then move them from "
            f"{settings.spool / 'failed'} to {settings.spool / 'waiting'}",
        )
    if spool.waits():
        return warn("spool", "callbacks wait for the store; they are taken in by themselves")
    return ok("spool", "empty, and can be written")


def check_redis(settings: Settings) -> Finding:
    own = not settings.redis_url
    client = redis.Redis.from_url(
        settings.queue_url, socket_timeout=3, socket_connect_timeout=3, decode_responses=True
    )
    try:
        about = client.info()
        refused = redis_writes.refusal(client)
        exposed = redis_doors.open_to_others(client)
    except redis.RedisError as error:
        advice = "start `leafline up`" if own else "start it, or correct REDIS_URL"
        return fail("redis", f"not running or not to be reached ({type(error).__name__}): {advice}")
    finally:
        client.close()
    words = f"{about.get('redis_version', '?')} answers"
    if refused:
        return fail("redis", f"{words}, but takes nothing: {refused}")
    if not about.get("aof_enabled"):
        return warn("redis", f"{words}, but without append-only file: set appendonly yes")
    if about.get("maxmemory_policy", "noeviction") != "noeviction":
        return warn("redis", f"{words}, but may drop keys: set maxmemory-policy noeviction")
    if exposed:
        return warn(
            "redis",
            f"{words}, but to anybody who reaches this machine: give it a user and a password "
            "(and write them into REDIS_URL), or let it listen on 127.0.0.1 alone",
        )
    if redis_doors.old(about):
        return warn(
            "redis",
            f"{words}, but is old and no longer mended: install redis-server or valkey-server"
            + (", which is taken then" if own else f" {redis_doors.OLDEST} or later"),
        )
    return ok("redis", f"{words}, append-only file on")


def check_photos(settings: Settings) -> Finding:
    data = secrets.token_bytes(1024)
    try:
        photos = open_photos(settings.photos_url, settings.home, _vault(settings))
        address = photos.put(data)
        same = photos.get(address) == data
        photos.delete(address)
    except PhotoStoreError as error:
        return fail("photos", str(error))
    if not same:
        return fail("photos", "what was written did not come back: check the disk")
    return ok("photos", "one written, read back and deleted")


def check_model(settings: Settings) -> Finding:
    from inference.model import Model, ModelError

    try:
        model = Model.load(settings.model)
        model.self_check()
        agronomy.check(model.labels)
    except (ModelError, agronomy.AgronomyError) as error:
        return fail("model", str(error))
    return ok("model", f"{settings.model / 'leaf.onnx'} gives the known answer on a known input")


def check_texts(settings: Settings) -> Finding:
    try:
        catalogue = Catalogue.load(
            settings.templates,
            **settings.in_texts(),
        )
        rows.require(catalogue)
    except CatalogueError as error:
        first, *more = str(error).splitlines()
        return fail("texts", first + (f" (and {len(more)} more)" if more else ""))
    review = {code: counts for code, counts in catalogue.review_state().items() if counts[0]}
    if review:
        counts = ", ".join(f"{code} {fuzzy} of {total}" for code, (fuzzy, total) in review.items())
        return warn("texts", f"all fit; not yet reviewed by a speaker: {counts}")
    return ok("texts", f"all fit, in {', '.join(catalogue.languages)}")


def check_credentials(settings: Settings) -> Finding:
    """Every provider by which messages leave; the worst of them says how it is."""
    found = [(provider.name, *provider.check(settings)) for provider in providers.chosen(settings)]
    if len(found) == 1:
        return Finding("credentials", *found[0][1:])
    worst = max((state for _, state, _ in found), key=("ok", "warn", "fail").index)
    words = "; ".join(f"{name} ({state}): {text}" for name, state, text in found)
    return Finding("credentials", worst, words)


def check_keys(settings: Settings) -> Finding:
    if reason := SECRET_KEY.weakness(settings.encryption_key):
        return fail("keys", f"LEAFLINE_SECRET_KEY {reason}: whoever guesses it reads every number")
    keys_ = channel_keys.every(settings)
    weak = [r for key in keys_ if (r := CHANNEL_KEY.weakness(key))]
    if weak:
        return fail(
            "keys",
            f"{len(weak)} of {len(keys_)} of the channels (LEAFLINE_CHANNEL_KEYS and its like) "
            f"{weak[0]}: "
            "whoever guesses one can pose as any phone",
        )
    webhooks = f"{len(keys_)} for the webhooks"
    if settings.old_keys:
        return warn(
            "keys",
            f"strong enough; {webhooks}; {len(settings.old_keys)} old to read: run "
            "`leafline keys rotate`, then take them out",
        )
    return ok("keys", f"strong enough; {webhooks}")


def check_modes(settings: Settings) -> Finding:
    if open_ := modes.open_to_others(settings.home):
        return fail(
            "modes",
            f"others on this machine may look into {open_[0]}"
            + (f" and {len(open_) - 1} more" if len(open_) > 1 else "")
            + ": start Leafline, which closes what it owns, or chmod go-rwx",
        )
    return ok("modes", f"nobody else may look into {settings.home.resolve()}")


def check_retention(settings: Settings) -> Finding:
    kinds: tuple[Kept, ...] = get_args(Kept)
    told = ", ".join(f"{kind} {settings.months(kind)}" for kind in kinds)
    return ok("retention", f"months: cases {settings.retention_months}, {told}")


def check_operator(settings: Settings) -> Finding:
    if not settings.operator_phone:
        return warn(
            "operator",
            "no LEAFLINE_OPERATOR_PHONE: a case reaches nobody when no officer is on duty",
        )
    return ok("operator", "a number for cases without an officer is set")


def check_backup(settings: Settings) -> Finding:
    store = Store(settings.store_url, _vault(settings))
    try:
        last = making.last(store)
    except SQLAlchemyError:
        return warn("backup", "the store cannot be asked; see there")
    finally:
        store.close()
    when = f"the last was made {last:%Y-%m-%d %H:%M} UTC" if last else "none was made so far"
    if last and now() - last < timedelta(hours=2 * settings.backup_hours):
        return ok("backup", when)
    if not settings.backups_url:
        words = f"{when}; set LEAFLINE_BACKUPS_URL to a folder on another disk, or a bucket"
        return ok("backup", words) if settings.simulator_on else warn("backup", words)
    return warn("backup", f"{when}: does `leafline scheduler` run? See also incident backup:failed")


def check_clock(settings: Settings) -> Finding:
    now = datetime.now(UTC)
    if now < NOT_BEFORE:
        return fail("clock", f"says {now:%Y-%m-%d}: set it, or start a time service")
    drifts = {name: abs(seconds) for name, seconds in _clock_drifts(settings)}
    worst = max(drifts, key=lambda name: drifts[name], default=None)
    if worst is None or drifts[worst] <= CLOCK_DRIFT_WARN:
        beside = f", agrees with {' and '.join(drifts)}" if drifts else ""
        return ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC{beside}")
    finding = fail if drifts[worst] > CLOCK_DRIFT_FAIL else warn
    return finding("clock", f"{drifts[worst]:.0f} s off that of {worst}: start a time service")


def _clock_drifts(settings: Settings) -> Iterator[tuple[str, float]]:
    """Seconds between our clock and others', as far as they can be asked."""
    try:
        with redis.Redis.from_url(settings.queue_url, socket_timeout=3) as client:
            seconds, micros = client.time()
        yield "Redis", datetime.now(UTC).timestamp() - seconds - micros / 1e6
    except redis.RedisError:
        pass  # has its own line
    store = Store(settings.store_url, _vault(settings))
    try:
        if store.engine.dialect.name == "postgresql":
            with store.reading() as session:
                theirs = session.scalar(text("SELECT extract(epoch FROM clock_timestamp())"))
            yield "PostgreSQL", datetime.now(UTC).timestamp() - float(theirs)
    finally:
        store.close()


def check_processes(settings: Settings) -> Finding:
    store = Store(settings.store_url, Vault(settings.encryption_key))
    try:
        with store.reading() as session:
            missing = beats.missing(session, datetime.now(UTC))
    except SQLAlchemyError:
        return warn("processes", "cannot be told without the store")
    finally:
        store.close()
    if missing:
        return fail("processes", f"not seen lately: {', '.join(missing)}; start them again")
    return ok("processes", "all that said that they live still do")


# In the order in which they build on each other.
CHECKS: dict[str, Callable[[Settings], Finding]] = {
    "settings": check_settings,
    "disk": check_disk,
    "store": check_store,
    "spool": check_spool,
    "redis": check_redis,
    "photos": check_photos,
    "model": check_model,
    "texts": check_texts,
    "credentials": check_credentials,
    "keys": check_keys,
    "modes": check_modes,
    "retention": check_retention,
    "backup": check_backup,
    "operator": check_operator,
    "clock": check_clock,
    "processes": check_processes,
}
