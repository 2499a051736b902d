"""The journal: what happened here, in one database: pulls, runs, conversations, lines that were typed.

Every row has an owner: one person today, a classroom tomorrow. It knows nothing of models or engines; names and
numbers are what it is told. This module imports SQLAlchemy, so it is itself imported where it is used.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from abierto.errors import JournalUnavailable

VERSION = 4
LOCAL_OWNER = "local"
PATIENCE = 5  # seconds in which another program may hold the database
BETWEEN_TRIES = 0.01  # seconds

_META = sa.MetaData()


def _table(name: str, *columns: sa.Column[Any]) -> sa.Table:
    return sa.Table(
        name,
        _META,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner", sa.String, nullable=False, index=True),
        sa.Column("at", sa.String, nullable=False),  # ISO 8601, UTC: sorts as text
        *columns,
        # Without it SQLite gives the numbers of forgotten rows to new ones.
        sqlite_autoincrement=True,
    )


_VERSION = sa.Table("schema_version", _META, sa.Column("version", sa.Integer, nullable=False))
PULLS = _table(
    "pulls",
    sa.Column("model", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("sha256", sa.String),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("seconds", sa.Float),
    sa.Column("outcome", sa.String, nullable=False),  # "done", or the code of an error
)
RUNS = _table(
    "runs",
    sa.Column("model", sa.String, nullable=False),
    sa.Column("engine", sa.String, nullable=False),
    sa.Column("task", sa.String, nullable=False),
    sa.Column("prompt_tokens", sa.Integer),
    sa.Column("completion_tokens", sa.Integer),
    sa.Column("prompt_seconds", sa.Float),
    sa.Column("generation_seconds", sa.Float),
    sa.Column("first_token_seconds", sa.Float),
    sa.Column("memory_estimate", sa.BigInteger),  # bytes, from the file's header
    sa.Column("memory_measured", sa.BigInteger),  # bytes, from the operating system
    sa.Column("outcome", sa.String, nullable=False),  # "stop", "length", or the code of an error
)
CONVERSATIONS = _table(
    "conversations",
    sa.Column("name", sa.String),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("messages", sa.JSON, nullable=False),
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("changed", sa.String, nullable=False),
    sa.Column("tree", sa.JSON),  # all branches, of which `messages` is the one that was walked last
    sa.Column("folder", sa.String),
)
TUNINGS = _table(
    "tunings",
    sa.Column("model", sa.String, nullable=False),
    sa.Column("engine", sa.String, nullable=False),
    sa.Column("engine_version", sa.String),
    sa.Column("threads", sa.Integer, nullable=False),
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("start_seconds", sa.Float),
    sa.Column("prompt_speed", sa.Float),  # tokens per second, as are the next three
    sa.Column("generation_speed", sa.Float),
    sa.Column("repeating_speed", sa.Float),
    sa.Column("together_speed", sa.Float),
    sa.Column("outcome", sa.String, nullable=False),  # "done", or the code of an error
)
MEASUREMENTS = _table(
    "measurements",
    sa.Column("engine", sa.String, nullable=False),
    sa.Column("engine_version", sa.String),
    sa.Column("threads", sa.Integer, nullable=False),
    sa.Column("rates", sa.JSON, nullable=False),  # of the computer with this engine
)
LINES = _table("lines", sa.Column("text", sa.String, nullable=False))

# What leads from version n to n + 1, by n. Rows are kept; what a step cannot keep, it must not exist.
MIGRATIONS: dict[int, Callable[[sa.Connection], None]] = {
    1: TUNINGS.create,
    2: MEASUREMENTS.create,
    3: lambda connection: _add_columns(connection, CONVERSATIONS, "tree", "folder"),
}


@dataclass(frozen=True, slots=True)
class Conversation:
    """A kept conversation. settings: what was set for it.

    messages: [{"role": ..., "content": ...}, ...]; with images, {"images": [{"path": ..., "sha256": ...}]} besides.
    tree: all branches of it, as who wrote them has them; None where there is only one. folder: None for none.
    """

    id: int
    name: str | None
    model: str
    title: str
    messages: list[dict[str, Any]]
    settings: dict[str, Any]
    changed: str
    tree: dict[str, Any] | None = None
    folder: str | None = None


def _add_columns(connection: sa.Connection, table: sa.Table, *names: str) -> None:
    preparer = connection.dialect.identifier_preparer
    for name in names:
        kind = table.c[name].type.compile(dialect=connection.dialect)
        connection.exec_driver_sql(
            f"ALTER TABLE {preparer.format_table(table)} ADD COLUMN {preparer.quote(name)} {kind}"
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Journal:
    """An open journal of one owner. Every method raises JournalUnavailable when the database does not work."""

    def __init__(self, address: str, owner: str = LOCAL_OWNER) -> None:
        self.owner = owner
        # Until it is understood, an address is not shown: it may hold a password.
        self._where = "(setting: journal)"
        with self._told():
            url = sa.engine.make_url(address)
            self._where = url.render_as_string(hide_password=True)
            sqlite = url.get_backend_name() == "sqlite"
            # A connection for each transaction: opening a file costs nothing, and nobody has to remember to close it.
            self._engine = sa.create_engine(address, poolclass=sa.pool.NullPool if sqlite else None)
            if sqlite:
                sa.event.listen(self._engine, "connect", _prepare_sqlite)
            self._upgrade()

    @classmethod
    def at(cls, folder: Path, address: str = "") -> "Journal":
        """The journal at a database address, or, without one, in a file that only this person can read."""
        if address:
            return cls(address)
        path = folder / "journal.db"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise JournalUnavailable(str(path), error.strerror or str(error)) from error
        return cls(f"sqlite:///{path}")

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    def add_pull(self, **facts: Any) -> None:
        """Record a pull, by the columns of PULLS."""
        self._insert(PULLS, facts)

    def add_run(self, **facts: Any) -> None:
        """Record a run, by the columns of RUNS."""
        self._insert(RUNS, facts)

    def add_runs(self, runs: Sequence[Mapping[str, Any]]) -> None:
        """Record several at once, which takes hardly longer than one."""
        common = {"owner": self.owner, "at": _now()}
        nothing = dict.fromkeys(column.name for column in RUNS.columns if column.name not in ("id", "owner", "at"))
        with self._told(), self._engine.begin() as connection:
            connection.execute(sa.insert(RUNS), [{**nothing, **common, **facts} for facts in runs])

    def add_tuning(self, **facts: Any) -> None:
        """Record what was measured of an engine, by the columns of TUNINGS."""
        self._insert(TUNINGS, facts)

    def add_measurement(self, **facts: Any) -> None:
        """Record what was measured of this computer, by the columns of MEASUREMENTS."""
        self._insert(MEASUREMENTS, facts)

    def recent(self, table: sa.Table, model: str | None = None, limit: int = 20) -> list[Mapping[str, Any]]:
        """The newest rows of PULLS, RUNS, TUNINGS or MEASUREMENTS, newest first."""
        query = self._mine(table).order_by(table.c.id.desc()).limit(limit)
        if model is not None:
            query = query.where(table.c.model == model)
        with self._told(), self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def keep_conversation(self, number: int | None, **facts: Any) -> int:
        """Write a conversation, by the columns of CONVERSATIONS, over its old state if it has a number."""
        facts["changed"] = _now()
        if number is None:
            return self._insert(CONVERSATIONS, facts)
        mine = (CONVERSATIONS.c.id == number) & (CONVERSATIONS.c.owner == self.owner)
        with self._told(), self._engine.begin() as connection:
            changed = connection.execute(sa.update(CONVERSATIONS).where(mine).values(**facts)).rowcount
        # Forgotten by another terminal in the meantime: what is still being said here is kept anew.
        return number if changed else self._insert(CONVERSATIONS, facts)

    def conversations(self) -> list[Conversation]:
        """All kept conversations, the last changed first."""
        query = self._mine(CONVERSATIONS).order_by(CONVERSATIONS.c.changed.desc())
        with self._told(), self._engine.connect() as connection:
            return [_conversation(row) for row in connection.execute(query).mappings()]

    def conversation(self, name: str) -> Conversation | None:
        """The conversation of this name or number."""
        chosen = [found for found in self.conversations() if name in (found.name, str(found.id))]
        return min(chosen, key=lambda found: found.name != name, default=None)

    def add_line(self, line: str) -> None:
        """Remember a line that was typed, for the history of the next conversation."""
        self._insert(LINES, {"text": line})

    def lines(self, limit: int = 1000) -> list[str]:
        """The lines that were typed, newest first."""
        query = sa.select(LINES.c.text).where(LINES.c.owner == self.owner).order_by(LINES.c.id.desc()).limit(limit)
        with self._told(), self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def count(self, table: sa.Table) -> int:
        """How many rows of this owner a table has."""
        query = sa.select(sa.func.count()).select_from(table).where(table.c.owner == self.owner)
        with self._told(), self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def forget(self, table: sa.Table, *, before: str | None = None, number: int | None = None) -> int:
        """Delete rows: all, or those changed before a time (ISO 8601, UTC), or the one of this number.

        Returns how many. The words are overwritten in the file, not just unlinked.
        """
        doomed = table.c.owner == self.owner
        if before is not None:
            doomed &= table.c["changed" if "changed" in table.c else "at"] < before
        if number is not None:
            doomed &= table.c.id == number
        with self._told():
            with self._engine.begin() as connection:
                deleted = connection.execute(sa.delete(table).where(doomed)).rowcount
            if self._engine.dialect.name == "sqlite":
                with self._engine.connect() as connection:
                    # The write-ahead log still holds the deleted pages until it is emptied.
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return deleted

    def _mine(self, table: sa.Table) -> sa.Select[Any]:
        return sa.select(table).where(table.c.owner == self.owner)

    def _insert(self, table: sa.Table, facts: Mapping[str, Any]) -> int:
        row = {"owner": self.owner, "at": _now(), **facts}
        with self._told(), self._engine.begin() as connection:
            key = connection.execute(sa.insert(table).values(**row)).inserted_primary_key
        return int(key[0]) if key else 0

    def _upgrade(self) -> None:
        with self._engine.begin() as connection:
            if self._engine.dialect.name == "sqlite":
                # Two terminals may begin at once; the second waits here until the first has made the tables.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            if not sa.inspect(connection).has_table(_VERSION.name):
                _META.create_all(connection)
                connection.execute(sa.insert(_VERSION).values(version=VERSION))
            found: int = connection.execute(sa.select(_VERSION.c.version)).scalar_one()
            if found > VERSION:
                raise JournalUnavailable(self._where, f"version {found} > {VERSION}")
            for step in range(found, VERSION):
                MIGRATIONS[step](connection)
            connection.execute(sa.update(_VERSION).values(version=VERSION))

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, ImportError) as error:  # ImportError: no driver for that database is installed
            detail = str(getattr(error, "orig", None) or error)
            raise JournalUnavailable(self._where, detail) from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={PATIENCE * 1000}")
    _use_a_write_ahead_log(cursor)
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _use_a_write_ahead_log(cursor: Any) -> None:
    # SQLite does not wait here, whatever its busy_timeout: two who open a new file at once would collide.
    # https://sqlite.org/c3ref/busy_handler.html
    end = time.monotonic() + PATIENCE
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= end:
                raise
            time.sleep(BETWEEN_TRIES)
        else:
            return


def _conversation(row: Mapping[Any, Any]) -> Conversation:
    facts = {name: row[name] for name in Conversation.__dataclass_fields__}
    return Conversation(**facts)
