"""Query options of one endpoint: what it offers, and a request's options read against that.

An option, property or value that is not offered is a violation: real endpoints refuse it or, worse, ignore it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tests.sandbox.answers import skip_token, skipped
from tests.sandbox.graph.errors import bad_request, unsupported_query
from tests.sandbox.graph.filters import ADVANCED, Condition, Offer, look_up, parse_filter
from tests.sandbox.graph.wire import Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What an endpoint offers. No option at all unless it says so."""

    select: frozenset[str] = frozenset()
    expand: frozenset[str] = frozenset()
    filter: Offer = field(default_factory=dict)
    order: frozenset[str] = frozenset()
    top: int | None = None
    page: int = 100
    count: bool = False
    exact: bool = False  # $filter compares strings with their case


NOTHING = Options()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A request's options, all of which the endpoint offers."""

    select: tuple[str, ...]
    expand: tuple[str, ...]
    conditions: tuple[Condition, ...]
    descending: bool
    size: int
    offset: int
    count: bool
    given: Mapping[str, str]
    exact: bool

    def matches(self, wire: Wire) -> bool:
        """Whether every condition of $filter holds."""
        return all(condition.holds(look_up(wire, condition.path), exact=self.exact) for condition in self.conditions)

    def equal_to(self, path: str) -> str | None:
        """The string that $filter asks the path to equal, if it does."""
        for condition in self.conditions:
            if condition.path == path and condition.operator == "eq" and isinstance(condition.value, str):
                return condition.value
        return None

    def pick(self, wire: Wire, default: frozenset[str] | None = None) -> Wire:
        """The properties of $select, or those that the endpoint gives unasked; annotations stay."""
        wanted = set(self.select) or default
        if wanted is None:
            return wire
        wanted = {*wanted, *self.expand}
        return {name: value for name, value in wire.items() if name in wanted or name.startswith("@")}

    def pages(self, items: Sequence[Wire], url: str) -> Wire:
        """One page of a collection; the next one's link keeps the other options."""
        page = list(items[self.offset : self.offset + self.size])
        answer: Wire = {"value": page}
        if self.count:
            answer["@odata.count"] = len(items)
        following = self.offset + self.size
        if following < len(items):
            token = skip_token(following)
            kept = {name: value for name, value in self.given.items() if name != "$skiptoken"}
            answer["@odata.nextLink"] = f"{url}?{urlencode({**kept, '$skiptoken': token}, safe='$')}"
        return answer


def parse_query(given: Sequence[tuple[str, str]], options: Options, *, eventual: bool) -> Query:
    """Read a request's options; `eventual` tells of the header ConsistencyLevel: eventual."""
    named: dict[str, str] = {}
    for name, value in given:
        if name in named:
            raise unsupported_query(f"Query option '{name}' was specified more than once.")
        named[name] = value
    offered = {
        "$select": bool(options.select),
        "$expand": bool(options.expand),
        "$filter": bool(options.filter),
        "$orderby": bool(options.order),
        "$top": options.top is not None,
        "$skiptoken": options.top is not None,
        "$count": options.count,
    }
    for name in named:
        if not offered.get(name, False):
            raise unsupported_query(f"The query option '{name}' is not supported here.")
    count = _is_true(named.get("$count"))
    conditions = parse_filter(named["$filter"], options.filter) if "$filter" in named else ()
    for condition in conditions:
        if options.count and condition.operator in ADVANCED and not (eventual and count):
            raise unsupported_query(
                f"Operator '{condition.operator}' needs ConsistencyLevel: eventual and $count=true."
            )
    return Query(
        select=_names(named.get("$select"), options.select, "select"),
        expand=_expand(named.get("$expand"), options.expand),
        conditions=conditions,
        descending=_order(named.get("$orderby"), options.order),
        size=_size(named.get("$top"), options),
        offset=_offset(named.get("$skiptoken")),
        count=count,
        given=named,
        exact=options.exact,
    )


def _names(text: str | None, offered: frozenset[str], option: str) -> tuple[str, ...]:
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in offered:
            raise unsupported_query(f"Could not find a property named '{name}' (${option}).")
    return names


def _expand(text: str | None, offered: frozenset[str]) -> tuple[str, ...]:
    """An expand clause must be one that the endpoint names word for word; its property is the part before `(`."""
    if text is None:
        return ()
    clauses = (text,) if text in offered else tuple(part.strip() for part in text.split(","))
    for clause in clauses:
        if clause not in offered:
            raise unsupported_query(f"The $expand clause '{clause}' is not supported here.")
    return tuple(clause.split("(", 1)[0] for clause in clauses)


def _order(text: str | None, offered: frozenset[str]) -> bool:
    if text is None:
        return True
    name, _, direction = text.strip().partition(" ")
    if name not in offered or direction not in ("", "asc", "desc"):
        raise unsupported_query(f"$orderby '{text}' is not supported here.")
    return direction == "desc"


def _size(text: str | None, options: Options) -> int:
    if text is None or options.top is None:
        return options.page
    if not text.isdigit() or not 1 <= int(text) <= options.top:
        raise unsupported_query(
            f"Invalid page size specified: '{text}'. Must be between 1 and {options.top} inclusive."
        )
    return int(text)


def _offset(token: str | None) -> int:
    offset = 0 if token is None else skipped(token)
    if offset is None:
        raise bad_request("The skip token is not valid.")
    return offset


def _is_true(text: str | None) -> bool:
    if text not in (None, "true", "false"):
        raise unsupported_query(f"Invalid value '{text}' for $count.")
    return text == "true"
