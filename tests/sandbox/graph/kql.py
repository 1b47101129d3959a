"""A little of the Kusto query language: the operators that the app's saved queries use, over rows of a tenant.

Strict: an operator, function, column or form that is not written down here is loud, so that no query passes that was never
evaluated. Nulls are as in Kusto: they equal nothing, and max_of prefers what is not null.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

type Row = dict[str, object]
type Evaluate = Callable[[Row], object]

_TOKEN = re.compile(
    r'\s*(?:(?P<text>"[^"]*")|(?P<span>\d+d\b)|(?P<number>\d+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:-[a-z]+)?)'
    r"|(?P<sign>==|[=>().,|]))"
)


class UnresolvedError(Exception):
    """A table or column that the tenant does not have."""


class UnsupportedError(Exception):
    """Something that the sandbox does not evaluate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Columns in order, and rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


def evaluate(
    text: str, tables: Mapping[str, Sequence[Row]], columns: Mapping[str, Sequence[str]], now: datetime
) -> Result:
    """Run a query. `columns` are those of each table, also of one without rows."""
    query = _Query(_tokens(text), now)
    table = query.name()
    if table not in tables:
        raise UnresolvedError(table)
    query.columns, query.rows = list(columns[table]), [dict(row) for row in tables[table]]
    while not query.at_end():
        query.expect("|")
        query.stage()
    shown = tuple(query.columns)
    return Result(columns=shown, rows=tuple(tuple(row[name] for name in shown) for row in query.rows))


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise UnsupportedError(f"cannot read '{text[at : at + 20]}'")
        found.append(match[0].strip())
        at = match.end()
    return found


class _Query:
    def __init__(self, tokens: list[str], now: datetime) -> None:
        self._tokens = tokens
        self._at = 0
        self._now = now
        self.columns: list[str] = []
        self.rows: list[Row] = []

    def at_end(self) -> bool:
        return self._at == len(self._tokens)

    def peek(self) -> str:
        return "" if self.at_end() else self._tokens[self._at]

    def take(self) -> str:
        token = self.peek()
        self._at += 1
        return token

    def expect(self, *tokens: str) -> None:
        for token in tokens:
            if self.take() != token:
                raise UnsupportedError(
                    f"expected {token} before '{' '.join(self._tokens[self._at - 1 : self._at + 3])}'"
                )

    def accept(self, token: str) -> bool:
        if self.peek() != token:
            return False
        self._at += 1
        return True

    def name(self) -> str:
        token = self.take()
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", token):
            raise UnsupportedError(f"'{token}' is no name")
        return token

    def column(self) -> str:
        name = self.name()
        if name not in self.columns:
            raise UnresolvedError(name)
        return name

    def stage(self) -> None:
        operator = self.take()
        match operator:
            case "where":
                holds = self.condition()
                self.rows = [row for row in self.rows if holds(row) is True]
            case "extend":
                self._extend()
            case "mv-expand":
                self._expand()
            case "summarize":
                self._summarize()
            case "top":
                self._top()
            case _:
                raise UnsupportedError(f"operator {operator}")

    def _extend(self) -> None:
        name = self.name()
        self.expect("=")
        value = self.expression()
        self.rows = [{**row, name: value(row)} for row in self.rows]
        self._add(name)

    def _expand(self) -> None:
        name = self.name()
        self.expect("=")
        value = self.expression()
        self.expect("to", "typeof", "(", "string", ")")
        self.rows = [{**row, name: str(one)} for row in self.rows for one in _items(value(row))]
        self._add(name)

    def _add(self, name: str) -> None:
        if name not in self.columns:
            self.columns.append(name)

    def _summarize(self) -> None:
        if self.accept("arg_max"):
            self._arg_max()
            return
        name = self.name()
        self.expect("=")
        kind, of = self.name(), ""
        self.expect("(")
        if kind == "dcount":
            of = self.column()
        elif kind != "count":
            raise UnsupportedError(f"aggregate {kind}")
        self.expect(")", "by")
        by = self.column()
        groups = self._grouped(by)
        self.rows = [
            {by: key, name: len({row[of] for row in rows}) if of else len(rows)} for key, rows in groups.items()
        ]
        self.columns = [by, name]

    def _arg_max(self) -> None:
        self.expect("(")
        latest, kept = self.column(), []
        while self.accept(","):
            kept.append(self.column())
        self.expect(")", "by")
        by = self.column()
        best = {key: max(rows, key=lambda row: _moment(row[latest])) for key, rows in self._grouped(by).items()}
        self.columns = [by, latest, *kept]
        self.rows = [{name: row[name] for name in self.columns} for row in best.values()]

    def _grouped(self, by: str) -> dict[object, list[Row]]:
        groups: dict[object, list[Row]] = {}
        for row in self.rows:
            groups.setdefault(row[by], []).append(row)
        return groups

    def _top(self) -> None:
        most = self.take()
        if not most.isdigit():
            raise UnsupportedError(f"top {most}")
        self.expect("by")
        by = self.column()
        self.expect("desc")
        nulls_first = self.accept("nulls")
        if nulls_first:
            self.expect("first")
        nulls = [row for row in self.rows if row[by] is None]
        known = sorted(
            (row for row in self.rows if row[by] is not None), key=lambda row: _number(row[by]), reverse=True
        )
        self.rows = (nulls + known if nulls_first else known + nulls)[: int(most)]

    def condition(self) -> Evaluate:
        parts = [self.comparison()]
        while self.accept("and"):
            parts.append(self.comparison())
        return lambda row: all(part(row) is True for part in parts)

    def comparison(self) -> Evaluate:
        left = self.expression()
        if self.accept("=="):
            right = self.expression()
            return lambda row: None not in (left(row), right(row)) and left(row) == right(row)
        if self.accept(">"):
            right = self.expression()
            return lambda row: _moment(left(row)) > _moment(right(row))
        return left

    def expression(self) -> Evaluate:
        token = self.take()
        if token.startswith('"'):
            return _constant(token[1:-1])
        if self.peek() == "(":
            return self._call(token)
        self._at -= 1
        return self._path()

    def _path(self) -> Evaluate:
        column, parts = self.column(), []
        while self.accept("."):
            parts.append(self.name())

        def value(row: Row) -> object:
            found = row[column]
            for part in parts:
                found = found.get(part) if isinstance(found, dict) else None
            return found

        return value

    def _call(self, function: str) -> Evaluate:
        self.expect("(")
        if function == "ago":
            since = self._now - timedelta(days=int(self.take().rstrip("d")))
            self.expect(")")
            return _constant(since)
        if function == "datetime":
            self.expect("null", ")")
            return _constant(None)
        if function == "iff":
            condition = self.comparison()
            self.expect(",")
            then, otherwise = self._arguments()
            return lambda row: then(row) if condition(row) is True else otherwise(row)
        arguments = [] if self.accept(")") else self._arguments()
        return self._function(function, arguments)

    def _arguments(self) -> list[Evaluate]:
        found = [self.expression()]
        while self.accept(","):
            found.append(self.expression())
        self.expect(")")
        return found

    def _function(self, function: str, arguments: list[Evaluate]) -> Evaluate:
        now = self._now
        match function, arguments:
            case "now", []:
                return _constant(now)
            case "isnotempty", [one]:
                return lambda row: one(row) not in (None, "")
            case "parse_json", [one]:
                return lambda row: _parsed(one(row))
            case "tostring", [one]:
                return lambda row: _text(one(row))
            case "todatetime", [one]:
                return lambda row: _moment(one(row)) if one(row) else None
            case "max_of", [*many] if many:
                return lambda row: max((_moment(one(row)) for one in many if one(row) is not None), default=None)
            case "datetime_diff", [part, later, earlier]:
                return lambda row: _days_between(part(row), later(row), earlier(row))
            case _:
                raise UnsupportedError(f"function {function} of {len(arguments)}")


def _constant(value: object) -> Evaluate:
    return lambda _: value


def _items(value: object) -> list[object]:
    if not isinstance(value, list):
        raise UnsupportedError("mv-expand of something that is no list")
    return value


def _parsed(value: object) -> object:
    return json.loads(value) if isinstance(value, str) and value else None


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        return datetime.fromisoformat(value).astimezone(UTC)
    raise UnsupportedError(f"{value!r} is no date")


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise UnsupportedError(f"top by {value!r}")
    return value


def _days_between(part: object, later: object, earlier: object) -> int | None:
    """Boundaries of days between the two, as Kusto counts them."""
    if part != "day":
        raise UnsupportedError(f"datetime_diff by {part}")
    if later is None or earlier is None:
        return None
    return (_moment(later).date() - _moment(earlier).date()).days
