"""Request bodies and query options for the SDK's request builders, without loading its model families."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.serialization import Parsable, SerializationWriter


class Body(Parsable):
    """A JSON object as the SDK's builders want it."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._value = dict(value)

    def serialize(self, writer: SerializationWriter) -> None:
        """Write the object as it is."""
        writer.write_additional_data_value(self._value)

    def get_field_deserializers(self) -> dict[str, Any]:
        """Nothing is read into a body."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """OData query options. A dataclass: the SDK takes nothing else apart."""

    filter: str | None = None
    select: list[str] | None = None
    expand: list[str] | None = None
    top: int | None = None
    orderby: list[str] | None = None

    def get_query_parameter(self, name: str) -> str:
        """The option's name in the SDK's URL templates."""
        return f"%24{name}"


def query(
    *,
    filter: str | None = None,  # noqa: A002 - OData's own word
    select: list[str] | None = None,
    expand: list[str] | None = None,
    top: int | None = None,
    orderby: list[str] | None = None,
) -> RequestConfiguration[Any]:
    """Query options for a builder."""
    return RequestConfiguration(
        query_parameters=Query(filter=filter, select=select, expand=expand, top=top, orderby=orderby)
    )


def quoted(text: str) -> str:
    """A string literal for $filter: a single quote is doubled (OData URL conventions)."""
    return "'" + text.replace("'", "''") + "'"
