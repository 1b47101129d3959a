"""What tests see of an orchestration."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from tests.sandbox.host.hub import LIVE, Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class Orchestration:
    """An instance as it is now, its payloads decoded."""

    id: str
    name: str
    status: str
    input: Any
    output: Any
    custom_status: Any
    created: datetime
    updated: datetime
    parent: str | None

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @classmethod
    def of(cls, instance: Instance) -> Self:
        """The instance's row, decoded."""
        return cls(
            id=instance.id,
            name=instance.name,
            status=instance.status,
            input=_decoded(instance.input),
            output=_decoded(instance.output),
            custom_status=_decoded(instance.custom_status),
            created=datetime.fromtimestamp(instance.created, UTC),
            updated=datetime.fromtimestamp(instance.updated, UTC),
            parent=instance.parent,
        )


def _decoded(text: str | None) -> Any:
    return None if text is None else json.loads(text)
