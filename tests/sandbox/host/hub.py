"""The task hub: instances, histories, queues and timers in one SQLite file.

What Azure would keep when a host dies is in here, and each step is one transaction. What is merely under way (which
episode or activity was handed to the app) is not: after a death it is handed out again.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.sandbox.host.history import Event, Retry, Scheduled

LIVE = ("Pending", "Running", "Suspended")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS instances (
    id TEXT PRIMARY KEY, execution TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, input TEXT, output TEXT,
    custom_status TEXT, created REAL NOT NULL, updated REAL NOT NULL, parent TEXT, parent_execution TEXT,
    parent_task INTEGER, next_number INTEGER NOT NULL, actions TEXT NOT NULL, retries TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS history (id TEXT NOT NULL, position INTEGER NOT NULL, event TEXT NOT NULL,
    PRIMARY KEY (id, position));
CREATE TABLE IF NOT EXISTS inbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, execution TEXT NOT NULL, event TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS inbox_by_id ON inbox (id);
CREATE TABLE IF NOT EXISTS activities (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, execution TEXT NOT NULL, task INTEGER NOT NULL,
    name TEXT NOT NULL, input TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS timers (
    id TEXT NOT NULL, execution TEXT NOT NULL, task INTEGER NOT NULL, due REAL NOT NULL, PRIMARY KEY (id, task));
CREATE TABLE IF NOT EXISTS schedules (name TEXT PRIMARY KEY, last REAL, next REAL NOT NULL);
"""


@dataclass(slots=True, kw_only=True)
class Instance:
    """One orchestration. Input, output and custom status are JSON texts; times are seconds since 1970."""

    id: str
    execution: str
    name: str
    status: str
    input: str | None
    output: str | None = None
    custom_status: str | None = None
    created: float
    updated: float
    parent: str | None = None
    parent_execution: str | None = None
    parent_task: int | None = None
    next_number: int = 0
    actions: list[Scheduled] = field(default_factory=list)
    retries: dict[int, Retry] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        return self.status in LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """A queued activity."""

    number: int
    id: str
    execution: str
    task: int
    name: str
    input: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """An open durable timer."""

    id: str
    execution: str
    task: int
    due: float


class Hub:
    """The tables, with no rules of their own."""

    def __init__(self, path: Path) -> None:
        # The file outlives the app's process, not a power cut: no need to wait for the disk.
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("PRAGMA journal_mode = MEMORY")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        self._database.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def instance(self, instance_id: str) -> Instance | None:
        row = self._database.execute("SELECT * FROM instances WHERE id = ?", (instance_id,)).fetchone()
        return None if row is None else _instance(row)

    def instances(self) -> list[Instance]:
        """All of them, the oldest first."""
        return [_instance(row) for row in self._database.execute("SELECT * FROM instances ORDER BY created, id")]

    def put(self, instance: Instance) -> None:
        """Insert or replace the row; history and queues stay."""
        values = (
            instance.id, instance.execution, instance.name, instance.status, instance.input, instance.output,
            instance.custom_status, instance.created, instance.updated, instance.parent, instance.parent_execution,
            instance.parent_task, instance.next_number,
            json.dumps([[each.number, each.action] for each in instance.actions]),
            json.dumps([[number, each.action, each.attempt] for number, each in instance.retries.items()]),
        )  # fmt: skip
        self._database.execute(f"INSERT OR REPLACE INTO instances VALUES ({','.join('?' * len(values))})", values)  # noqa: S608

    def forget(self, instance_id: str) -> None:
        """Delete an instance with its history, timers and messages. Its queued activities still run, as in Azure."""
        for table in ("instances", "history", "inbox", "timers"):
            self._database.execute(f"DELETE FROM {table} WHERE id = ?", (instance_id,))  # noqa: S608

    def history(self, instance_id: str) -> list[str]:
        rows = self._database.execute("SELECT event FROM history WHERE id = ? ORDER BY position", (instance_id,))
        return [str(row[0]) for row in rows]

    def append(self, instance_id: str, events: list[Event]) -> None:
        """Add to the history; there, everything counts as played."""
        start = self._database.execute("SELECT count(*) FROM history WHERE id = ?", (instance_id,)).fetchone()[0]
        self._database.executemany(
            "INSERT INTO history VALUES (?, ?, ?)",
            [(instance_id, start + n, json.dumps({**each, "IsPlayed": True})) for n, each in enumerate(events)],
        )

    def clear_history(self, instance_id: str) -> None:
        self._database.execute("DELETE FROM history WHERE id = ?", (instance_id,))

    def waiting(self, instance_id: str) -> list[tuple[int, str, Event]]:
        """Number, execution and event of each message that no episode has read."""
        rows = self._database.execute("SELECT * FROM inbox WHERE id = ? ORDER BY number", (instance_id,))
        return [(row["number"], row["execution"], json.loads(row["event"])) for row in rows]

    def with_waiting(self) -> list[str]:
        return [str(row[0]) for row in self._database.execute("SELECT DISTINCT id FROM inbox ORDER BY number")]

    def send(self, instance_id: str, execution: str, happened: Event) -> None:
        self._database.execute(
            "INSERT INTO inbox (id, execution, event) VALUES (?, ?, ?)", (instance_id, execution, json.dumps(happened))
        )

    def read(self, numbers: list[int]) -> None:
        """These messages were read."""
        self._database.executemany("DELETE FROM inbox WHERE number = ?", [(number,) for number in numbers])

    def queue_activity(self, instance: Instance, task: int, name: str, payload: str) -> None:
        self._database.execute(
            "INSERT INTO activities (id, execution, task, name, input) VALUES (?, ?, ?, ?, ?)",
            (instance.id, instance.execution, task, name, payload),
        )

    def activities(self) -> list[Activity]:
        return [Activity(**dict(row)) for row in self._database.execute("SELECT * FROM activities ORDER BY number")]

    def finish_activity(self, number: int) -> bool:
        """Take it off the queue; False if somebody did so before."""
        return self._database.execute("DELETE FROM activities WHERE number = ?", (number,)).rowcount > 0

    def add_timer(self, instance: Instance, task: int, due: float) -> None:
        self._database.execute("INSERT INTO timers VALUES (?, ?, ?, ?)", (instance.id, instance.execution, task, due))

    def drop_timer(self, instance_id: str, task: int) -> None:
        self._database.execute("DELETE FROM timers WHERE id = ? AND task = ?", (instance_id, task))

    def drop_timers(self, instance_id: str) -> None:
        self._database.execute("DELETE FROM timers WHERE id = ?", (instance_id,))

    def timers(self, *, due_by: float | None = None) -> list[Timer]:
        """Open timers, the earliest first; those of suspended instances only when asked for a time."""
        query = "SELECT timers.* FROM timers JOIN instances USING (id) "
        if due_by is None:
            rows = self._database.execute(query + "WHERE status != 'Suspended' ORDER BY due")
        else:
            rows = self._database.execute(query + "WHERE due <= ? ORDER BY due", (due_by,))
        return [Timer(**dict(row)) for row in rows]

    def schedule(self, name: str) -> tuple[float | None, float] | None:
        """When the timer function ran last and is to run next."""
        row = self._database.execute("SELECT last, next FROM schedules WHERE name = ?", (name,)).fetchone()
        return None if row is None else (row["last"], row["next"])

    def set_schedule(self, name: str, last: float | None, following: float) -> None:
        self._database.execute("INSERT OR REPLACE INTO schedules VALUES (?, ?, ?)", (name, last, following))


def _instance(row: sqlite3.Row) -> Instance:
    values = dict(row)
    values["actions"] = [Scheduled(number=number, action=action) for number, action in json.loads(values["actions"])]
    values["retries"] = {
        number: Retry(action=action, attempt=attempt) for number, action, attempt in json.loads(values["retries"])
    }
    return Instance(**values)
