"""Bodies of our routes: bytes in, a checked struct or the field that is wrong out. Pure."""

import re
from datetime import date

import msgspec

from shared.errors import BadRequest

LARGEST_BODY_BYTES = 64 * 1024

_FIELD = re.compile(r" - at `\$\.?([^`]*)`$")
_NAMED = re.compile(r"(required|unknown) field `([^`]*)`")
_TOLD = {"required": "is required", "unknown": "is no field of this request"}


def date_of(field: str, text: str) -> date:
    """A day such as 2026-03-02. Raises BadRequest."""
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(field, "is no date such as 2026-03-02") from error
    if found.isoformat() != text:
        raise BadRequest(field, "is no date such as 2026-03-02")
    return found


def decode[T](content: bytes, content_type: str, kind: type[T]) -> T:
    """A JSON body. Raises BadRequest that names the field."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise BadRequest("Content-Type", "must be application/json")
    if len(content) > LARGEST_BODY_BYTES:
        raise BadRequest("body", f"is larger than {LARGEST_BODY_BYTES} bytes")
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        text = str(error)
        place, named = _FIELD.search(text), _NAMED.search(text)
        path = [part for part in (place.group(1) if place else "", named.group(2) if named else "") if part]
        reason = _TOLD[named.group(1)] if named else _FIELD.sub("", text)
        raise BadRequest(".".join(path) or "body", reason) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # msgspec checks a string's UTF-8 as it reads it
        raise BadRequest("body", "is not JSON") from error
