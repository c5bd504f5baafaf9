"""A file that holds the whole store as it was at one moment, made while others write."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, column, func, inspect, select, table, text
from sqlalchemy.engine import make_url

from gateway.backup import BackupError, pictures
from gateway.store import Store
from gateway.store.vault import Vault

SQLITE, POSTGRESQL = "sqlite", "postgresql"
REVISIONS = "alembic_version"


class Snapshot:
    """What the store held at that moment."""

    def __init__(self, kind: str, connection: Connection) -> None:
        self.kind = kind
        self.counts = counts(connection)
        """Rows of each table."""
        self.revision = revision(connection)
        self.photos = sorted(connection.scalars(pictures.SHOWN))


def take(store: Store, file: Path) -> Snapshot:
    """Write the store into `file`, and say what is in it. Raises: BackupError."""
    url = store.engine.url
    if store.engine.dialect.name == SQLITE:
        _copy(Path(str(url.database)), file)
        with closing(opened(file, store.vault)) as copy, copy.engine.connect() as connection:
            return Snapshot(SQLITE, connection)
    with store.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        moment = str(connection.scalar(text("SELECT pg_export_snapshot()")))
        _run("pg_dump", url, "--format=custom", f"--snapshot={moment}", f"--file={file}")
        return Snapshot(POSTGRESQL, connection)


def opened(file: Path, vault: Vault) -> Store:
    """A snapshot of SQLite as a store, whatever letters the name of the folder has."""
    return Store(f"sqlite:///{quote(os.fsencode(file))}", vault)


def counts(connection: Connection) -> dict[str, int]:
    """Rows of each table, but that of the revision."""
    tables = [name for name in inspect(connection).get_table_names() if name != REVISIONS]
    return {
        name: connection.scalar(select(func.count()).select_from(table(name))) or 0
        for name in sorted(tables)
    }


def revision(connection: Connection) -> str:
    return str(connection.scalar(select(column("version_num")).select_from(table(REVISIONS))))


def check_empty(url: str) -> None:
    """Raises: BackupError where the store holds tables already."""
    parsed = make_url(url)
    if parsed.get_backend_name() == SQLITE and not Path(str(parsed.database)).exists():
        return  # asking would make the file
    with closing(Store(url, Vault(""))) as store, store.engine.connect() as connection:
        full = inspect(connection).get_table_names()
    if full:
        raise BackupError(
            "the store is not empty: this wants an empty LEAFLINE_HOME, or an empty database"
        )


def load(kind: str, file: Path, url: str) -> None:
    """Put a snapshot into an empty store of the same kind. Raises: BackupError."""
    if kind != make_url(url).get_backend_name():
        raise BackupError(
            f"the backup is of {kind}: restore it into one, then `leafline move` it to the other"
        )
    if kind == SQLITE:
        check_whole(file)
        target = Path(str(make_url(url).database))
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _copy(file, target)
        return
    _run("pg_restore", make_url(url), "--no-owner", "--no-acl", "--single-transaction", str(file))


def check_whole(file: Path) -> None:
    """Raises: BackupError when a file is no whole SQLite database."""
    try:
        with closing(_reading(file)) as database:
            (said,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        raise BackupError(f"the store in the backup is damaged: {said}")


def check_readable(kind: str, file: Path) -> None:
    """Raises: BackupError when a snapshot cannot be read to its end."""
    if kind == SQLITE:
        check_whole(file)
    else:
        _run("pg_restore", None, "--file=/dev/null", str(file))


def _copy(source: Path, target: Path) -> None:
    """All pages in one step: writers of the source do not wait, and nothing begins anew."""
    try:
        with closing(_reading(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
    except sqlite3.Error as error:
        raise BackupError(f"the store cannot be copied: {error}") from None


def _reading(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)


def _run(program: str, url: URL | None, *words: str) -> None:
    """Raises: BackupError with the program's own last line."""
    environment = dict(os.environ)
    command = [program, *words]
    if url is not None:
        query = {name: str(value) for name, value in url.query.items()}
        bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database, query)
        command.append(f"--dbname={bare.render_as_string(hide_password=False)}")
        if url.password:
            environment["PGPASSWORD"] = str(url.password)
    try:
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
    except FileNotFoundError:
        raise BackupError(
            f"there is no {program} here: install PostgreSQL's client programs "
            "(Debian: apt install postgresql-client)"
        ) from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise BackupError(f"{program} failed: {lines[-1]}")
