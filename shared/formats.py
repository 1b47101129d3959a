"""Types of the API that tell its document more than Python's own do. They check nothing. Pure."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

type Guid = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
type Moment = Annotated[datetime, Meta(tz=True)]
type Address = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
type Duration = Annotated[str, Meta(extra_json_schema={"format": "duration"})]


def exactly_one(*names: str) -> Meta:
    """Of these properties one is given, and the others are not, or null."""
    given = [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in names]
    return Meta(extra_json_schema={"oneOf": given})
