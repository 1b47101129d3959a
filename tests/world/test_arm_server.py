"""What every call of Resource Manager meets: token, version, buckets, faults, the recording."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.sandbox.arm.models.roles import (
    BUILT_IN,
    READER,
)
from tests.sandbox.entra.tokens import life, sign
from tests.sandbox.faults import Faults
from tests.sandbox.points import cut
from tests.sandbox.switches import AZURE_SWITCHES
from tests.world.arm_scene import INSTANCES, PIM, POLICIES, REQUESTS, SCHEDULES, azure_scene, named
from tests.world.clouds_scene import CONTOSO, FABRIKAM, SOURCE_APP, TARGET_APP

PUT = "PUT /subscriptions/{id}/providers/Microsoft.Authorization/roleEligibilityScheduleRequests/{id}"


def test_every_switch_turns_something() -> None:
    sandbox = Path(__file__).parents[1] / "sandbox" / "arm"
    source = "".join(path.read_text() for path in sandbox.rglob("*.py") if path.name != "questions.py")

    assert [switch for switch in AZURE_SWITCHES if f'"{switch}"' not in source] == []


async def test_a_token_for_graph_or_of_another_directory_is_refused(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        world = azure.world
        for_graph = (await world.token(CONTOSO, SOURCE_APP)).json()["access_token"]
        world.clouds.grant(TARGET_APP, FABRIKAM)
        scope = f"{world.clouds.arm}/.default"
        elsewhere = (await world.token(FABRIKAM, TARGET_APP, scope=scope)).json()["access_token"]
        claims = {"aud": world.clouds.arm, "iss": "x", "tid": CONTOSO, "oid": azure.principal_id, "idtyp": "app"}
        expired = sign({**claims, **life(issued_seconds_ago=7200)})

        codes = [
            (answer.status_code, answer.json()["error"]["code"])
            for answer in [
                await azure.call(f"GET {SCHEDULES}", token=token) for token in (for_graph, elsewhere, expired)
            ]
        ]

        assert codes == [
            (401, "InvalidAuthenticationTokenAudience"),
            (401, "InvalidAuthenticationTokenTenant"),
            (401, "ExpiredAuthenticationToken"),
        ]


async def test_a_token_for_azure_carries_no_roles(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        await azure.token()

        assert azure.world.clouds.recorder.entries[-1].roles == ()


async def test_unknown_routes_versions_options_filters_and_properties_are_loud(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        put = f"PUT {REQUESTS}/{named('a')}"
        answers = [
            await azure.call(f"GET {PIM}/roleEligibility"),
            await azure.call(f"GET {SCHEDULES}", version=None),
            await azure.call(f"GET {SCHEDULES}", version="2022-04-01"),
            await azure.call(f"GET {SCHEDULES}", filter="status eq 'Provisioned'"),
            await azure.call(f"GET {SCHEDULES}", filter="asApprover()"),
            await azure.call(f"GET {SCHEDULES}", top="5"),
            await azure.call(put, azure.body(requestType="adminAssign")),
            await azure.call(put, azure.body(directoryScopeId="/")),
            await azure.call(put, azure.body()["properties"]),
            await azure.call(f"PUT {REQUESTS}/not-a-guid", azure.body()),
            await azure.call(f"DELETE {REQUESTS}/{named('a')}"),
        ]

        statuses = [answer.status_code for answer in answers]
        assert statuses == [501, 400, 400, 400, 400, 400, 400, 400, 400, 400, 501]
        assert len(azure.world.clouds.violations) == len(answers)


async def test_a_subscription_has_buckets_that_tell_what_is_left_and_fill_again(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        other = azure.world.clouds.azure.add_subscription(azure.world.contoso, "Other")
        other.access.assign(azure.principal_id, BUILT_IN[READER], other.scope)
        first = await azure.call(f"GET {SCHEDULES}")
        assert first.headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
        assert first.headers["x-ms-ratelimit-remaining-subscription-global-reads"] == "3749"

        azure.world.clouds.azure.crawl(azure.production, size=2, seconds=30)
        answers = [await azure.call(f"GET {SCHEDULES}") for _ in range(3)]

        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].json()["error"]["code"] == "SubscriptionRequestsThrottled"
        assert 28 <= int(answers[2].headers["Retry-After"]) <= 30
        assert (await azure.call(f"PUT {REQUESTS}/{named('a')}", azure.body())).status_code == 201
        assert (await azure.call(f"GET {other.scope.path}{SCHEDULES}")).status_code == 200
        azure.world.clock.advance(timedelta(seconds=30))
        assert (await azure.call(f"GET {SCHEDULES}")).status_code == 200
        azure.world.clouds.azure.recover(azure.production)
        assert [(await azure.call(f"GET {SCHEDULES}")).status_code for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize(
    ("how", "reading", "writing"),
    [
        ("broken", 503, (503, "ServerUnavailable")),
        ("deleted", 404, (404, "SubscriptionNotFound")),
        ("forbidden", 403, (403, "AuthorizationFailed")),
        ("disabled", 200, (409, "ReadOnlyDisabledSubscription")),
    ],
)
async def test_a_dead_subscription_answers_in_its_way(
    tmp_path: Path, how: str, reading: int, writing: tuple[int, str]
) -> None:
    async with azure_scene(tmp_path) as azure:
        azure.world.clouds.azure.kill(azure.production, how)

        assert (await azure.call(f"GET {INSTANCES}")).status_code == reading
        assert await azure.refusal("a") == writing
        azure.world.clouds.azure.recover(azure.production)
        await azure.ask("a")


async def test_a_lost_answer_has_its_effect_and_faults_change_nothing(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        azure.world.points.arm("vendor.after", PUT, 0, cut)
        azure.world.points.arm("vendor.before", PUT, 1, cut)

        for name in ("a", "b"):
            with pytest.raises(httpx.TransportError):
                await azure.refusal(name)

        assert set(azure.production.pim.requests) == {named("a")}
        assert [hit.label for hit in azure.world.points.log if hit.kind == "vendor.after"] == [PUT]


async def test_bad_weather_throttles_with_a_wait_and_fails(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, faults=Faults(5, throttle=0.5, server_error=0.5)) as azure:
        token = ""
        while not token:
            answer = await azure.world.token(CONTOSO, SOURCE_APP, scope=f"{azure.world.clouds.arm}/.default")
            token = answer.json()["access_token"] if answer.is_success else ""
        answers = [await azure.call(f"GET {SCHEDULES}", token=token) for _ in range(12)]

        statuses = {answer.status_code for answer in answers}
        assert statuses == {200, 429, 503}
        assert {answer.headers.get("Retry-After") for answer in answers if answer.status_code == 429} == {"3"}


async def test_traffic_is_recorded_as_azures_without_a_token(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        token = await azure.token()
        await azure.call(f"GET {POLICIES}", token=token, filter="atScope()")

        last = azure.world.clouds.recorder.entries[-1]
        assert (last.service, last.tenant_id, last.app_id, last.on_behalf_of) == ("arm", CONTOSO, SOURCE_APP, None)
        assert last.path == f"{azure.production.scope.path}{POLICIES}"
        assert last.query == {"api-version": "2020-10-01", "$filter": "atScope()"}
        assert token not in (tmp_path / "traffic.jsonl").read_text()
