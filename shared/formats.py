"""Types of the API that tell its document more than Python's own do: formats. They check nothing. Pure."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

type Guid = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
type Moment = Annotated[datetime, Meta(tz=True)]
type Address = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
type Duration = Annotated[str, Meta(extra_json_schema={"format": "duration"})]
