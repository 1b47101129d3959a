"""What $filter takes here: documented fields, `eq` and `and`; values with their case. Anything else is loud."""

import re
from collections.abc import Sequence

from tests.sandbox.answers import VendorError
from tests.sandbox.prices.items import Item

FIELDS = frozenset(
    {
        *("armRegionName", "location", "meterId", "meterName", "productId", "skuId", "productName", "skuName"),
        *("serviceName", "serviceId", "serviceFamily", "priceType", "armSkuName"),
    }
)
_TERM = re.compile(r"(\w+) eq '([^']*)'")

type Terms = Sequence[tuple[str, str]]


def parse(text: str) -> Terms:
    """The comparisons, all of which must hold."""
    terms: list[tuple[str, str]] = []
    for part in text.split(" and "):
        found = _TERM.fullmatch(part.strip())
        if found is None or found[1] not in FIELDS:
            raise refused(f"The filter '{part}' is not supported: a documented field, 'eq' and 'and' are.")
        terms.append((found[1], found[2]))
    return terms


def matches(item: Item, terms: Terms) -> bool:
    """Whether a row is what was asked for."""
    return all(item.field(name) == value for name, value in terms)


def refused(message: str) -> VendorError:
    """What no correct caller sends."""
    return VendorError(400, "BadRequest", message, violation=True)
