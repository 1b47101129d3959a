"""Bodies on the wire: strict shapes that a request must have, typed access to one that passed, dates and durations.

A shape names every property that the endpoint takes. Anything else, a wrong type or an unknown enum value is loud.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tests.sandbox.graph.errors import malformed

type Wire = dict[str, object]
type Check = Callable[[object, str], None]

YEAR_ONE = "0001-01-01T00:00:00Z"
_ODATA_TYPE = "@odata.type"
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_DURATION = re.compile(
    r"P(?=\d|T\d)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)


def is_guid(value: str) -> bool:
    """True for the usual form with four hyphens."""
    return _GUID.fullmatch(value) is not None


def moment(value: datetime) -> str:
    """A date as Graph writes it, whole seconds."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_moment(value: str, at: str) -> datetime:
    """An ISO 8601 date with a time zone, or a plain date; a local time is refused."""
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise malformed(
            f"Cannot convert the literal '{value}' of {at} to the expected type Edm.DateTimeOffset."
        ) from None
    if parsed.tzinfo is None:
        if "T" in value:
            raise malformed(f"The date '{value}' of {at} has no time zone.")
        parsed = parsed.replace(tzinfo=UTC)
    return parsed.astimezone(UTC)


def parse_duration(value: str, at: str) -> timedelta:
    """ISO 8601; a year is 365 days and a month 30, as in section 6.2 of the Graph contract."""
    found = _DURATION.fullmatch(value)
    if found is None:
        raise malformed(f"Cannot convert the literal '{value}' of {at} to the expected type Edm.Duration.")
    parts = {name: int(number or 0) for name, number in found.groupdict().items()}
    return timedelta(
        days=365 * parts["years"] + 30 * parts["months"] + 7 * parts["weeks"] + parts["days"],
        hours=parts["hours"],
        minutes=parts["minutes"],
        seconds=parts["seconds"],
    )


def a_text(value: object, at: str) -> None:
    """Edm.String."""
    if not isinstance(value, str):
        raise malformed(f"Property {at} in payload has a value that does not match schema: a string is expected.")


def a_flag(value: object, at: str) -> None:
    """Edm.Boolean."""
    if not isinstance(value, bool):
        raise malformed(f"Property {at} in payload has a value that does not match schema: a boolean is expected.")


def a_guid(value: object, at: str) -> None:
    """Edm.Guid, or a string that must hold one."""
    if not isinstance(value, str) or not is_guid(value):
        raise malformed(f"Property {at} in payload has a value that does not match schema: a GUID is expected.")


def a_moment(value: object, at: str) -> None:
    """Edm.DateTimeOffset."""
    a_text(value, at)
    parse_moment(str(value), at)


def a_duration(value: object, at: str) -> None:
    """Edm.Duration. A timedelta written by the SDK ("180 days, 0:00:00") is caught here (section 6.2)."""
    a_text(value, at)
    parse_duration(str(value), at)


def one_of(values: Collection[str]) -> Check:
    """A member of an enum, by its exact name."""

    def check(value: object, at: str) -> None:
        if value not in values:
            raise malformed(
                f"Invalid value '{value}' specified for property {at}; one of {sorted(values)} is expected."
            )

    return check


def nullable(check: Check) -> Check:
    """The same, or null."""

    def checked(value: object, at: str) -> None:
        if value is not None:
            check(value, at)

    return checked


def a_list(item: Check, *, least: int = 0, most: int | None = None) -> Check:
    """A collection."""

    def check(value: object, at: str) -> None:
        if not isinstance(value, list) or len(value) < least or (most is not None and len(value) > most):
            raise malformed(
                f"Property {at} in payload has a value that does not match schema: a collection is expected."
            )
        for number, one in enumerate(value):
            item(one, f"{at}[{number}]")

    return check


def an_object(
    properties: Mapping[str, Check], *, required: Collection[str] = (), type_name: str | None = None
) -> Check:
    """A complex value or entity with these properties and no others, except its own @odata.type."""

    def check(value: object, at: str) -> None:
        if not isinstance(value, dict):
            raise malformed(f"Property {at or 'body'} in payload has a value that does not match schema.")
        for name, given in value.items():
            if name == _ODATA_TYPE:
                if not isinstance(given, str) or (type_name is not None and given != f"#microsoft.graph.{type_name}"):
                    raise malformed(f"A value with the type name '{given}' is not expected in {at or 'the body'}.")
            elif name not in properties:
                raise malformed(f"Invalid property '{name}' in {at or 'the body'}.")
            else:
                properties[name](given, f"{at}.{name}" if at else name)
        missing = [name for name in required if value.get(name) is None]
        if missing:
            raise malformed(f"A value is required for property '{missing[0]}' of {at or 'the body'}.")

    return check


class Body:
    """A body that passed its shape; names are those of the wire."""

    def __init__(self, value: object) -> None:
        self._value: Wire = value if isinstance(value, dict) else {}

    def __contains__(self, name: str) -> bool:
        return name in self._value

    def raw(self, name: str) -> object:
        """As it came; None when absent."""
        return self._value.get(name)

    def is_null(self, name: str) -> bool:
        """Present and null, which is not the same as absent."""
        return name in self._value and self._value[name] is None

    def text(self, name: str) -> str:
        """A string that must be there."""
        value = self._value.get(name)
        if not isinstance(value, str):
            raise malformed(f"A value is required for property '{name}'.")
        return value

    def text_or_none(self, name: str) -> str | None:
        """A string, or None when absent or null."""
        value = self._value.get(name)
        return value if isinstance(value, str) else None

    def guid(self, name: str) -> str:
        """A GUID in lower case, which is how the sandbox keeps all ids."""
        return str(UUID(self.text(name)))

    def flag_or_none(self, name: str) -> bool | None:
        """A boolean, or None when absent or null."""
        value = self._value.get(name)
        return value if isinstance(value, bool) else None

    def object(self, name: str) -> "Body | None":
        """A complex value, or None when absent or null."""
        value = self._value.get(name)
        return Body(value) if isinstance(value, dict) else None

    def objects(self, name: str) -> list["Body"]:
        """A collection of complex values."""
        value = self._value.get(name)
        return [Body(one) for one in value] if isinstance(value, list) else []

    def names(self) -> list[str]:
        """The properties that were sent, without annotations."""
        return [name for name in self._value if not name.startswith("@")]
