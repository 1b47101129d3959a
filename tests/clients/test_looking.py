"""The clients of the acts that only look: conditional access at its pace, hunting with patience and one try."""

from datetime import timedelta

import httpx
import pytest

from shared.errors import Forbidden, Rejected, Throttled, Unavailable
from shared.graph.client import Graph
from shared.graph.conditional_access import ConditionalAccess
from shared.graph.hunting import Hunting
from shared.saved_queries import DEVICES_BY_PLATFORM, MOST_ROWS
from tests.clients.bench import TARGET, Bench, refuse
from tests.sandbox.graph.errors import GraphError, throttled
from tests.sandbox.graph.models.conditional_access import country_location, ip_location, policy
from tests.sandbox.population import stock_defender
from tests.world.clouds_scene import FABRIKAM, TARGET_APP

_POLICIES = "GET /v1.0/identity/conditionalAccess/policies"
_HUNT = "POST /v1.0/security/microsoft.graph.security.runHuntingQuery"


async def test_policies_and_locations_are_read_whole_over_pages(bench: Bench) -> None:
    access = ConditionalAccess(bench.graph)
    bench.world.fabrikam.policies.conditional_access = [policy(f"P{number}", "block") for number in range(120)]
    bench.world.fabrikam.policies.named_locations = [
        ip_location("HQ", "198.51.100.0/24", trusted=True),
        country_location("Home", "DE"),
    ]

    policies, places = await access.policies(TARGET), await access.named_locations(TARGET)

    assert [one.display_name for one in policies] == [f"P{number}" for number in range(120)]
    assert policies[0].grant_controls is not None
    assert policies[0].grant_controls.built_in_controls == ("block",)
    assert [(one.display_name, one.is_trusted) for one in places] == [("HQ", True), ("Home", None)]


async def test_calls_of_conditional_access_keep_a_second_between_them_and_others_do_not_wait(bench: Bench) -> None:
    access = ConditionalAccess(bench.graph)
    bench.world.fabrikam.policies.conditional_access = [policy(f"P{number}", "block") for number in range(250)]
    before = bench.world.clock.now()

    await access.policies(TARGET)  # three pages
    await bench.directory.security_defaults(TARGET)
    await access.named_locations(TARGET)

    assert bench.world.clouds.quotas.refusals["conditionalAccess"] == 0
    spent = bench.world.clock.now() - before
    assert timedelta(seconds=3) <= spent < timedelta(seconds=10)


async def test_a_limit_that_others_used_up_is_sat_out_for_its_second_though_nobody_says_so(bench: Bench) -> None:
    for nth in range(3):
        bench.world.points.arm("vendor-read.before", _POLICIES, nth, refuse(throttled(None)))

    assert await ConditionalAccess(bench.graph).policies(TARGET) == []

    assert bench.hits(_POLICIES) == 4


async def test_a_limit_that_stays_used_up_is_raised_with_its_short_wait(bench: Bench) -> None:
    for nth in range(4):
        bench.world.points.arm("vendor-read.before", _POLICIES, nth, refuse(throttled(None)))

    with pytest.raises(Throttled) as refused:
        await ConditionalAccess(bench.graph).policies(TARGET)

    assert refused.value.seconds < 2


async def test_a_query_gives_its_columns_in_order(bench: Bench) -> None:
    stock_defender(bench.world.fabrikam)

    rows = await Hunting(bench.graph).run(TARGET, DEVICES_BY_PLATFORM)

    assert rows[0] == ("Windows11", 2)
    line, _, body = bench.last()
    assert (line, body) == (
        "POST /security/microsoft.graph.security.runHuntingQuery",
        {"query": DEVICES_BY_PLATFORM.text, "timespan": "P7D"},
    )


async def test_a_query_that_did_not_answer_is_not_sent_a_second_time(bench: Bench) -> None:
    """It may have run for three minutes, and four of those would outlive the function."""
    bench.world.points.arm("vendor.before", _HUNT, 0, refuse(GraphError(504, "UnknownError", "")))

    with pytest.raises(Unavailable):
        await Hunting(bench.graph).run(TARGET, DEVICES_BY_PLATFORM)

    assert bench.hits(_HUNT) == 1


async def test_what_the_tenant_does_not_have_or_allow_is_refused(bench: Bench) -> None:
    with pytest.raises(Rejected) as refused:
        await Hunting(bench.graph).run(TARGET, DEVICES_BY_PLATFORM)
    assert "DeviceInfo" in refused.value.call.message

    bench.world.clouds.revoke(TARGET_APP, FABRIKAM, ["ThreatHunting.Read.All"])
    bench.credentials.forget(*next(iter(bench.credentials._cache)))
    with pytest.raises(Forbidden):
        await Hunting(bench.graph).run(TARGET, DEVICES_BY_PLATFORM)


def answering(bench: Bench, content: bytes) -> Hunting:
    """Hunting whose slow client answers this; the other one must not be asked."""

    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    slow = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=content)))
    quick = httpx.AsyncClient(transport=httpx.MockTransport(never))
    return Hunting(Graph(bench.settings.graph_endpoint, bench.credentials, quick, bench.world.clock, slow=slow))


async def test_hunting_has_a_client_of_its_own_that_may_wait_for_minutes(bench: Bench) -> None:
    assert await answering(bench, b'{"results": []}').run(TARGET, DEVICES_BY_PLATFORM) == ()


async def test_more_rows_than_asked_for_are_not_kept_and_strange_cells_become_text(bench: Bench) -> None:
    many = ", ".join('{"OSPlatform": {"odd": 1}, "Devices": 5, "More": true}' for _ in range(MOST_ROWS + 9))

    rows = await answering(bench, f'{{"results": [{many}]}}'.encode()).run(TARGET, DEVICES_BY_PLATFORM)

    assert len(rows) == MOST_ROWS
    assert rows[0] == ('{"odd": 1}', 5)


async def test_a_column_that_is_not_there_is_none(bench: Bench) -> None:
    rows = await answering(bench, b'{"results": [{"OSPlatform": "macOS"}]}').run(TARGET, DEVICES_BY_PLATFORM)

    assert rows == (("macOS", None),)
