"""Rows: a JSON body split over an entity's properties, with the nonce of its last writer. Pure. The tables are tables.py."""

from collections.abc import Mapping
from typing import Any

import msgspec

PROPERTY_CHARACTERS = 15_000
"""Characters in one property. Table Storage allows 64 KiB in UTF-16, where a character takes two bytes or four."""

ENTITY_BYTES = 240_000
"""UTF-8 bytes in one row's body. Table Storage allows 1 MiB an entity in UTF-16, with names and keys."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One entity as this app sees it. `columns` are extra properties for queries."""

    partition: str
    key: str
    body: bytes
    nonce: str
    etag: str = ""
    columns: Mapping[str, str] = msgspec.field(default_factory=dict)

    def decode[T](self, kind: type[T]) -> T:
        """The body as one of our types."""
        return msgspec.json.decode(self.body, type=kind)


def encode(value: object) -> bytes:
    """The JSON body of a row. Raises ValueError above the entity limit, which would mean a design error of ours."""
    body = msgspec.json.encode(value)
    if len(body) > ENTITY_BYTES:
        raise ValueError(f"a row of {len(body)} bytes does not fit into an entity")
    return body


def to_entity(row: Row) -> dict[str, Any]:
    """The entity of a row."""
    text = row.body.decode()
    parts = [text[at : at + PROPERTY_CHARACTERS] for at in range(0, len(text), PROPERTY_CHARACTERS)]
    names = {f"body{number}": part for number, part in enumerate(parts)}
    return {"PartitionKey": row.partition, "RowKey": row.key, "nonce": row.nonce, **row.columns, **names}


def from_entity(entity: Mapping[str, Any]) -> Row:
    """The row of an entity that was read."""
    parts: list[str] = []
    while (part := entity.get(f"body{len(parts)}")) is not None:
        parts.append(str(part))
    columns = {
        name: str(value)
        for name, value in entity.items()
        if name not in ("PartitionKey", "RowKey", "nonce", "Timestamp") and not name.startswith("body")
    }
    metadata = getattr(entity, "metadata", {})
    return Row(
        partition=str(entity["PartitionKey"]),
        key=str(entity["RowKey"]),
        body="".join(parts).encode(),
        nonce=str(entity.get("nonce", "")),
        etag=str(metadata.get("etag", "")),
        columns=columns,
    )
