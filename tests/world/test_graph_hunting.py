"""Advanced hunting in the sandbox: queries are evaluated over the tenant's own rows, the unknown is loud, quotas hold."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.saved_queries import ALERTS_BY_TECHNIQUE, DEVICES_BY_LAST_SCAN, DEVICES_BY_PLATFORM, PROOF, SavedQuery
from tests.sandbox.graph.kql import Row, UnresolvedError, UnsupportedError, evaluate
from tests.sandbox.population import stock_defender
from tests.world.clouds_scene import FABRIKAM, TARGET_APP, Scene, scene
from tests.world.published_types import PUBLISHED, PublishedTypes

_HUNT = "POST /security/microsoft.graph.security.runHuntingQuery"
_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_COLUMNS = {"Things": ("Timestamp", "Id", "Kind", "Fields")}
_ROWS: list[Row] = [
    {"Timestamp": _NOON, "Id": "1", "Kind": "A", "Fields": {"Note": '{"Deep": {"Word": "yes"}}'}},
    {"Timestamp": _NOON - timedelta(days=2), "Id": "1", "Kind": "B", "Fields": {"Note": None}},
    {"Timestamp": _NOON - timedelta(days=5), "Id": "2", "Kind": "", "Fields": {}},
]


async def hunting(world: Scene) -> None:
    """Fabrikam consented, and has Defender with devices."""
    world.clouds.grant(TARGET_APP, FABRIKAM)
    stock_defender(world.fabrikam)


async def asked(world: Scene, query: SavedQuery) -> httpx.Response:
    return await world.graph(FABRIKAM, _HUNT, {"query": query.text, "timespan": query.timespan})


def evaluated(text: str) -> list[tuple[object, ...]]:
    return list(evaluate(text, {"Things": _ROWS}, _COLUMNS, _NOON).rows)


async def rows(world: Scene, query: SavedQuery) -> list[tuple[Any, ...]]:
    answer = await asked(world, query)
    assert answer.status_code == 200, answer.text
    assert [one["name"] for one in answer.json()["schema"]] == list(query.columns)
    return [tuple(one[name] for name in query.columns) for one in answer.json()["results"]]


async def test_devices_are_counted_by_what_they_are_now_and_only_while_they_report(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        await hunting(world)

        found = await rows(world, DEVICES_BY_PLATFORM)

        assert found[0] == ("Windows11", 2)
        assert set(found[1:]) == {("WindowsServer2022", 1), ("macOS", 1)}


async def test_an_alert_counts_once_for_each_of_its_techniques_and_for_thirty_days(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        await hunting(world)

        assert await rows(world, ALERTS_BY_TECHNIQUE) == [("Valid Accounts (T1078)", 2), ("Phishing (T1566)", 1)]


async def test_the_last_completed_scan_of_any_kind_counts_and_none_is_null(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        await hunting(world)
        failed = world.fabrikam.defender.add_device("pc-3", "Windows11", Full=6)
        failed.scans["Quick"] = ("Failed", world.clock.now())

        found = dict(await rows(world, DEVICES_BY_LAST_SCAN))

        assert found[None] == 1
        assert sum(found.values()) == 5
        assert {3, 6, 9} <= set(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Things | where Kind == "A" | summarize N = count() by Id', [("1", 1)]),
        ("Things | where isnotempty(Kind) | summarize N = dcount(Id) by Kind | top 1 by N desc", [("A", 1)]),
        ("Things | summarize arg_max(Timestamp, Kind) by Id", [("1", _NOON, "A"), ("2", _ROWS[2]["Timestamp"], "")]),
        ("Things | where Timestamp > ago(3d) | summarize N = count() by Id", [("1", 2)]),
        (
            """Things
            | extend Deep = parse_json(tostring(Fields.Note))
            | extend Word = tostring(Deep.Deep.Word)
            | summarize N = count() by Word
            | top 9 by N desc""",
            [("", 2), ("yes", 1)],
        ),
        (
            """Things
            | extend Days = datetime_diff("day", now(), Timestamp)
            | summarize N = count() by Days
            | top 2 by Days desc""",
            [(5, 1), (2, 1)],
        ),
    ],
)
def test_the_little_language_means_what_it_says(text: str, expected: list[tuple[object, ...]]) -> None:
    assert evaluated(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Things | project Id",
        "Things | where Kind != 'A'",
        "Things | where Kind contains_cs Id",
        "Things | summarize N = sum(Id) by Kind",
        "Things | extend X = strlen(Kind)",
        "Things | top 5 by Id asc",
        "Things | top five by Id desc",
        "Things where Id",
        "let x = 1; Things",
    ],
)
def test_what_is_not_written_down_is_not_evaluated(text: str) -> None:
    with pytest.raises(UnsupportedError):
        evaluated(text)


@pytest.mark.parametrize("text", ["Nothing", "Things | where Color == 1", "Things | summarize N = count() by Color"])
def test_a_table_or_column_that_is_not_there_is_not_resolved(text: str) -> None:
    with pytest.raises(UnresolvedError):
        evaluated(text)


async def test_a_query_that_the_sandbox_cannot_evaluate_is_a_violation(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        await hunting(world)

        answer = await world.graph(FABRIKAM, _HUNT, {"query": "DeviceInfo | take 5"})

        assert answer.status_code == 400
        assert len(world.clouds.violations) == 1


@pytest.mark.parametrize("body", [{}, {"Query": "DeviceInfo"}, {"query": 5}, {"query": "DeviceInfo", "timespan": "7d"}])
async def test_a_body_of_another_shape_is_loud(tmp_path: Path, body: dict[str, object]) -> None:
    async with scene(tmp_path) as world:
        await hunting(world)

        assert (await world.graph(FABRIKAM, _HUNT, body)).status_code == 400
        assert len(world.clouds.violations) == 1


@pytest.mark.parametrize(
    ("flipped", "licensed", "status", "code"),
    [
        ((), False, 400, "BadRequest"),
        (("hunting-without-defender",), False, 403, "Forbidden"),
        ((), True, 200, None),
        (("hunting-without-devices",), True, 400, "BadRequest"),
    ],
)
async def test_a_tenant_without_data_answers_as_the_switches_say(
    tmp_path: Path, flipped: tuple[str, ...], licensed: Any, status: int, code: str | None
) -> None:
    async with scene(tmp_path, flipped=flipped) as world:
        world.clouds.grant(TARGET_APP, FABRIKAM)
        world.fabrikam.defender.licensed = licensed

        answer = await asked(world, DEVICES_BY_PLATFORM)

        assert (answer.status_code, answer.json().get("error", {}).get("code")) == (status, code)
        assert answer.json().get("results", []) == []
        assert world.clouds.violations == []


@pytest.mark.parametrize("told", [False, True])
async def test_a_spent_cpu_quota_blocks_to_the_end_of_its_window(tmp_path: Path, *, told: bool) -> None:
    async with scene(tmp_path, flipped=["hunting-quota-tells-wait"] if told else []) as world:
        await hunting(world)
        world.fabrikam.defender.spend_quota()

        refused = await asked(world, DEVICES_BY_PLATFORM)

        assert (refused.status_code, "Retry-After" in refused.headers) == (429, told)
        assert "CPU" in refused.json()["error"]["message"]
        world.clock.advance(timedelta(minutes=15))
        assert (await asked(world, DEVICES_BY_PLATFORM)).status_code == 200


async def test_a_tenant_takes_forty_five_queries_a_minute(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        await hunting(world)
        answers = [(await asked(world, DEVICES_BY_PLATFORM)).status_code for _ in range(46)]

        assert answers == [200] * 45 + [429]


async def test_hunting_needs_its_permission(tmp_path: Path) -> None:
    async with scene(tmp_path) as world:
        world.clouds.grant(TARGET_APP, FABRIKAM, ["Policy.Read.All"])
        stock_defender(world.fabrikam)

        assert (await asked(world, DEVICES_BY_PLATFORM)).status_code == 403


async def test_queries_and_answers_fit_the_published_types(tmp_path: Path) -> None:
    if not PUBLISHED.exists():
        pytest.skip("the published types are not beside the project")
    async with scene(tmp_path) as world:
        await hunting(world)
        for query in PROOF:
            await rows(world, query)
        lines = (tmp_path / "traffic.jsonl").read_text().splitlines()

    published = PublishedTypes()
    hunted = [json.loads(line) for line in lines if "runHuntingQuery" in line]
    assert len(hunted) == len(PROOF)
    assert [one for record in hunted for one in published.differences(record)] == []
    wrong = {**hunted[0], "request": {"Query": "DeviceInfo"}, "response": {"schema": [{"Name": "x"}]}}
    assert len(published.differences(wrong)) == 2
