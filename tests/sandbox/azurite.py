"""The real Azurite, one service of it (tables, unless told), as one child process for a whole session.

Data stays in memory. Every world takes accounts of its own, so worlds never see each other's tables; accounts must be
known when Azurite starts, so a pool of them is made in advance, and another process is started when the pool is empty.
Azurite ends with its parent, whatever way that one ends.
"""

import base64
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from pathlib import Path
from threading import Lock
from typing import IO, Self

_PROJECT = Path(__file__).parents[2]
_SERVICES = _PROJECT / "node_modules" / "azurite" / "dist" / "src"
_GUARD = Path(__file__).with_name("azurite_guard.cjs")
# The SDK may speak a version that Azurite has not heard of; what we ask of blobs is older than both.
_OPTIONS = ("--inMemoryPersistence", "--disableTelemetry", "--silent", "--skipApiVersionCheck")

# One variable holds them all and Linux takes at most 128 KiB of it: about a hundred bytes for each account.
_ACCOUNTS_PER_PROCESS = 500


class Service(StrEnum):
    """A service of a storage account."""

    TABLE = "table"
    BLOB = "blob"


class AzuriteError(Exception):
    """Azurite cannot be started; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageAccount:
    """A storage account, and where Azurite serves its tables or its blobs (path style)."""

    name: str
    key: str
    endpoint: str
    service: Service = Service.TABLE

    def connection_string(self, through: str | None = None) -> str:
        """What an app needs to reach them, straight or through a proxy at that address."""
        endpoint = self.endpoint if through is None else f"{through}/{self.name}"
        kind = self.service.capitalize()
        return f"DefaultEndpointsProtocol=http;AccountName={self.name};AccountKey={self.key};{kind}Endpoint={endpoint};"


class Azurite:
    """Hands out storage accounts nobody used before; starts Azurite when the first is asked for."""

    def __init__(self, accounts_per_process: int = _ACCOUNTS_PER_PROCESS, *, service: Service = Service.TABLE) -> None:
        self._service = service
        self._accounts_per_process = accounts_per_process
        self._processes: list[subprocess.Popen[str]] = []
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._free: Iterator[StorageAccount] = iter(())
        self._names = count(1)
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def take(self) -> StorageAccount:
        """A fresh, empty storage account."""
        with self._lock:
            account = next(self._free, None)
            if account is None:
                self._free = iter(self._start())
                account = next(self._free)
            return account

    @property
    def processes(self) -> tuple[int, ...]:
        """Ids of the processes that run."""
        return tuple(process.pid for process in self._processes if process.poll() is None)

    def stop(self) -> None:
        """End all processes and forget the data; safe twice."""
        for process in self._processes:
            process.kill()
            process.communicate()
        self._processes.clear()
        self._free = iter(())
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None

    def _start(self) -> list[StorageAccount]:
        # Their names differ by service: a world's proxy knows its accounts by name.
        names = (f"{self._service}account{next(self._names):06}" for _ in range(self._accounts_per_process))
        keys = {name: _new_key() for name in names}
        if self._directory is None:
            self._directory = tempfile.TemporaryDirectory(prefix="azurite-")
        errors = Path(self._directory.name) / "errors.txt"
        with errors.open("a") as error_file:
            process = subprocess.Popen(
                [_node(), "--require", str(_GUARD), str(_main(self._service)), *_listening(self._service), *_OPTIONS],
                cwd=self._directory.name,
                env={**os.environ, "AZURITE_ACCOUNTS": ";".join(f"{name}:{key}" for name, key in keys.items())},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=error_file,
                text=True,
                # Ctrl-C in a terminal goes to the whole group: the world must be able to end tidily before its store.
                start_new_session=True,
            )
        self._processes.append(process)
        port = _port(process.stdout)
        if port is None:
            process.kill()
            raise AzuriteError(f"Azurite ended before it listened:\n{errors.read_text()}")
        return [
            StorageAccount(name=name, key=key, endpoint=f"http://127.0.0.1:{port}/{name}", service=self._service)
            for name, key in keys.items()
        ]


def _port(output: IO[str] | None) -> int | None:
    # Nothing more is written after the lines of the start (access log off), so the pipe never fills.
    for line in output or ():
        if line.startswith("listening "):
            return int(line.removeprefix("listening "))
    return None


def _new_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        raise AzuriteError("node is not on the PATH: `make` finds it, or says what to install")
    return node


def _listening(service: Service) -> tuple[str, ...]:
    return (f"--{service}Host", "127.0.0.1", f"--{service}Port", "0")


def _main(service: Service) -> Path:
    main = _SERVICES / service / "main.js"
    if not main.exists():
        raise AzuriteError("Azurite is not installed: any of `make test`, `make demo` and `make sandbox` installs it")
    return main
