"""What the operator's documents name is there: routes, settings, events, states, words, paths, links; what they reckon is
right, and what they say is a backup is one.
"""

import re
import runpy
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import TableServiceClient

from shared.activation.record import State as RequestState
from shared.api import OPERATIONS
from shared.notify.notices import Kind
from shared.rows import Row, encode, to_entity
from shared.settings import NAMES
from shared.subscriptions.record import LockState
from shared.tenants.record import ActState
from shared.tenants.states import State
from tests.sandbox.azurite import Azurite
from tests.unit.test_functions import TIMERS
from tests.unit.told import ROOT, logged

_DOCS = ROOT / "docs"
_TEXTS = {
    name: (_DOCS / name).read_text(encoding="utf-8") for name in ("runbooks.md", "threat-model.md", "operating.md")
}
_INFRA = ROOT / "infra"

_FENCE = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_ROUTE = re.compile(r"(?:\b(GET|POST|PUT|PATCH|DELETE) )?(/api(?:/[\w{}.-]*[\w{}-])+)(?:\?([\w=&-]*))?")
_DOTTED = re.compile(r"([a-z_]+\.[a-z_]+)(?![\w.(])")
_FILES = frozenset({"json", "jsonl", "md", "py", "txt", "yaml"})
_PATH = re.compile(r"(?<![\w/.-])(?:shared|tests|docs|tools|infra)/[\w./-]*\w")
_STATE = re.compile(r"\bstates? ((?:`\w+`(?:, | and | or | \(or )?)+)|/api/([\w-]+)\?state=(\w+)")
_LINK = re.compile(r"\]\(([^)\s#]*)(?:#([\w-]+))?\)")


def spans(text: str) -> list[str]:
    """What stands between backticks, outside of fences."""
    return _SPAN.findall(_FENCE.sub("", text))


def fences(text: str, language: str) -> list[str]:
    """The blocks of a language."""
    return [body for found, body in _FENCE.findall(text) if found == language]


@cache
def sources() -> str:
    """The app's code as one text."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "shared").rglob("*.py")))


@cache
def words() -> frozenset[str]:
    """Every word of code and configuration, fields also as the API spells them."""
    others = [path.read_text(encoding="utf-8") for path in (ROOT / "host.json", *_INFRA.rglob("*.bicep"))]
    found = set(re.findall(r"\w+", "\n".join([sources(), *others])))
    return frozenset(found | {re.sub(r"_([a-z])", lambda one: one[1].upper(), word) for word in found})


def wrong_routes(text: str) -> Iterator[str]:
    """Routes that are not registered, or by another method; and parameters that they do not take."""
    known = {(one.method, f"/api/{one.path}"): {each.name for each in one.query} for one in OPERATIONS}
    for method, path, query in _ROUTE.findall(text):
        there = [names for (how, where), names in known.items() if where == path and method in ("", how)]
        given = {one.partition("=")[0] for one in query.split("&") if one}
        if not any(given <= names for names in there):
            yield f"{method} {path}?{query}"


def wrong_settings(text: str) -> Iterator[str]:
    """Settings that neither the app nor the deployment reads."""
    known = set(NAMES) | deployed()
    yield from (one for one in re.findall(r"\bTENANTRY_[A-Z_]+\b", text) if one not in known)


def deployed() -> set[str]:
    """What azd is told by."""
    return set(re.findall(r"\$\{(TENANTRY_\w+)\}", (_INFRA / "main.parameters.json").read_text(encoding="utf-8")))


def alerts() -> str:
    """The rules that a deployment gets."""
    return (_INFRA / "modules" / "alerts.bicep").read_text(encoding="utf-8")


def wrong_events(text: str) -> Iterator[str]:
    """Events that nothing logs and no notice has."""
    known = set(logged()) | set(Kind)
    named = [found[1] for one in spans(text) if (found := _DOTTED.match(one))]
    named += [one for body in fences(text, "kusto") for one in re.findall(r'"([a-z_]+\.[a-z_]+)"', body)]
    yield from (one for one in named if one not in known and one.partition(".")[2] not in _FILES)


def wrong_states(text: str) -> Iterator[str]:
    """States that nothing has; of those asked for in a list, that no tenant or request has."""
    known = {*State, *RequestState, *LockState, *ActState}
    for several, path, asked in _STATE.findall(text):
        yield from (one for one in _SPAN.findall(several) if one not in known)
        if asked and asked not in set({"tenants": State, "requests": RequestState}.get(path, [])):
            yield asked


def wrong_words(text: str) -> Iterator[str]:
    """Single words in code spans that stand nowhere in code or configuration: functions, fields, values."""
    known = words() | {"TenantryHistory", "TenantryInstances"}
    yield from (one for one in spans(text) if re.fullmatch(r"[A-Za-z][a-z]\w*", one) and one not in known)


def wrong_paths(text: str) -> Iterator[str]:
    """Files and folders that are not there."""
    yield from (one for one in _PATH.findall(re.sub(r"https?://\S+", "", text)) if not (ROOT / one).exists())


def wrong_links(text: str) -> Iterator[str]:
    """Links that lead nowhere: to no file, or to no heading of it."""
    for file, anchor in _LINK.findall(text):
        if file.startswith("http"):
            continue
        path = (_DOCS / file).resolve() if file else None
        there = text if path is None else path.read_text(encoding="utf-8") if path.is_file() else ""
        if not there or (anchor and anchor not in headings(there)):
            yield f"{file}#{anchor}"


def headings(text: str) -> set[str]:
    """The anchors of a text's headings."""
    found = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in found}


type Check = Callable[[str], Iterator[str]]

CHECKS: dict[Check, tuple[int, str]] = {
    wrong_routes: (3, "`GET /api/tenants?stat=Ready`, `PUT /api/tenants`, `/api/tennants`"),
    wrong_settings: (1, "`TENANTRY_WEBHOOK_KEYS`"),
    wrong_events: (2, '`tenant.is_ready run=1`\n\n```kusto\ntraces | where event == "night.done"\n```\n'),
    wrong_states: (2, "in the states `Ready` and `Stuck`, `GET /api/tenants?state=Done`"),
    wrong_words: (3, "`sweep_the_runs`, `goneSinse`, `ReviewIsOver`"),
    wrong_paths: (2, "`shared/audits.py`, tests/unit/test_nothing.py"),
    wrong_links: (3, "[a](nowhere.md), [b](../README.md#nothing-here), [c](#no-heading)"),
}
"""Each with a text, and how much in it is wrong."""


@pytest.mark.parametrize("name", _TEXTS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_what_is_named_is_there(check: Check, name: str) -> None:
    assert list(check(_TEXTS[name])) == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_wrong_name_is_found(check: Check) -> None:
    wrong, text = CHECKS[check]

    assert len(list(check(text))) == wrong


def test_the_documents_name_enough_for_the_checks_to_mean_something() -> None:
    text = "\n".join(_TEXTS.values())

    assert len(_ROUTE.findall(text)) > 60
    assert len({one for one in spans(text) if _DOTTED.fullmatch(one)}) > 40
    assert len(set(_PATH.findall(text))) > 80
    assert len(_STATE.findall(text)) > 10


def test_every_alert_of_a_deployment_leads_to_a_runbook() -> None:
    rules = re.findall(r"^    name: '([a-z-]+)'$", alerts(), re.MULTILINE)

    assert rules
    assert set(rules) <= set(spans(_TEXTS["runbooks.md"]))


def test_everything_that_a_deployment_may_be_told_is_listed() -> None:
    assert deployed() <= set(spans(_TEXTS["operating.md"]))


def month(folder: Path) -> dict[str, Any]:
    """What the arithmetic of the costs defines."""
    [cost, _] = fences(_TEXTS["operating.md"], "python")
    (folder / "cost.py").write_text(cost, encoding="utf-8")
    return runpy.run_path(str(folder / "cost.py"))


def test_the_costs_are_what_the_arithmetic_gives(tmp_path: Path) -> None:
    cost = month(tmp_path)["month"]
    table = re.findall(r"^\| (512|2,048) MB, (nothing|one)[^|]*\|(.+)\|$", _TEXTS["operating.md"], re.MULTILINE)

    assert len(table) == 3
    for memory, ready, told in table:
        gb = 0.5 if memory == "512" else 2.0
        reckoned = [f"{cost(tenants, gb, int(ready == 'one')):.2f}" for tenants in (10, 100, 1_000)]
        assert [one.strip() for one in told.split("|")] == reckoned
    [each] = re.findall(r"^\| of it a tenant[^|]*\|(.+)\|$", _TEXTS["operating.md"], re.MULTILINE)
    assert [one.strip() for one in each.split("|")] == [f"{cost(many, 2.0, 0) / many:.2f}" for many in (10, 100, 1_000)]


def test_the_timers_and_alerts_are_counted_as_they_are(tmp_path: Path) -> None:
    counted = month(tmp_path)
    runs = 0.0
    for schedule in TIMERS.values():
        _, minute, hour, *_ = schedule.split(" ")
        in_an_hour = {"*": 60, "*/2": 30}.get(minute, 1)
        runs += in_an_hour * (counted["HOURS"] if hour == "*" else counted["NIGHTS"])

    assert counted["TIMERS"] == pytest.approx(runs)
    assert counted["ALERTS"] == len(re.findall(r"^    query: '''$", alerts(), re.MULTILINE))


def test_every_table_is_told_of_and_copied_or_needless(tmp_path: Path) -> None:
    [_, script] = fences(_TEXTS["operating.md"], "python")
    (tmp_path / "tables.py").write_text(script, encoding="utf-8")
    there = set(re.findall(r'Table\((?:opened|audited), "(\w+)"', (ROOT / "shared" / "services.py").read_text()))
    part = _TEXTS["operating.md"].partition("## Backup")[2].partition("## Restore")[0]
    told = {one for row in re.findall(r"^\|([^|]+)\|", part, re.MULTILINE) for one in _SPAN.findall(row)}

    assert told == there
    needless = {"Slots", "Prices", "Budgets", "Visits", "Wakes", "Audit"}
    assert there - set(runpy.run_path(str(tmp_path / "tables.py"))["TABLES"]) == needless


def test_what_is_saved_is_loaded_as_it_was_into_empty_tables_alone(tmp_path: Path, azurite: Azurite) -> None:
    [_, script] = fences(_TEXTS["operating.md"], "python")
    (tmp_path / "tables.py").write_text(script, encoding="utf-8")
    tables = runpy.run_path(str(tmp_path / "tables.py"))
    large = Row(partition="a", key="record", body=encode({"name": "Ö" * 40_000}), nonce="n", columns={"due": "never"})
    rows = {
        "Tenants": [large],
        "Runs": [Row(partition="open", key=f"{one:04}", body=b"{}", nonce="n") for one in range(1200)],
    }
    before, after = (TableServiceClient.from_connection_string(azurite.take().connection_string()) for _ in range(2))
    with before, after:
        for name, some in rows.items():
            before.create_table(name)
            for row in some:
                before.get_table_client(name).create_entity(to_entity(row))

        tables["save"](before, tmp_path / "copy")
        tables["load"](after, tmp_path / "copy")

        for name, some in rows.items():
            one, other = (
                [dict(row) for row in each.get_table_client(name).list_entities()] for each in (before, after)
            )
            assert one == other
            assert len(one) == len(some)
        with pytest.raises(SystemExit, match="Tenants is not empty"):
            tables["load"](after, tmp_path / "copy")
        with pytest.raises(FileExistsError):
            tables["save"](before, tmp_path / "copy")
