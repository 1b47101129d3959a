"""The recording of all vendor traffic: one JSON line per request.

Bodies are JSON; a token, an assertion or a header is never in it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

SECRET_FIELDS = frozenset(
    {
        "access_token",
        "assertion",
        "client_assertion",
        "client_secret",
        "code",
        "code_verifier",
        "id_token",
        "refresh_token",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request and its answer. Status 0: the connection was dropped before anything was done.

    `asserted_by`: of a token request, the client id of the managed identity that proved the application.
    """

    at: datetime
    service: str
    tenant_id: str | None
    app_id: str | None
    roles: tuple[str, ...]
    on_behalf_of: str | None
    method: str
    path: str
    query: Mapping[str, str]
    request: object
    status: int
    response: object
    asserted_by: str | None = None

    def wire(self) -> dict[str, object]:
        """The line, with the names that readers of the recording expect."""
        return {
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "service": self.service,
            "tenantId": self.tenant_id,
            "appId": self.app_id,
            "roles": list(self.roles),
            "onBehalfOf": self.on_behalf_of,
            "method": self.method,
            "path": self.path,
            "query": dict(self.query),
            "request": self.request,
            "status": self.status,
            "response": self.response,
            **({"assertedBy": self.asserted_by} if self.asserted_by else {}),
        }


class Recorder:
    """Keeps every record in memory, in order, and appends it to a file when there is one."""

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[Recorded] = []
        self._file = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8")

    def add(self, entry: Recorded) -> None:
        """Keep it; a line is on disk before the caller gets its answer."""
        self.entries.append(entry)
        if self._file is not None:
            self._file.write(json.dumps(entry.wire(), separators=(",", ":")) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def without_secrets(fields: Mapping[str, object]) -> dict[str, object]:
    """A copy for the recording: the names of secret fields stay, their values don't."""
    return {name: ("removed" if name in SECRET_FIELDS else value) for name, value in fields.items()}
