"""What every call of Resource Manager meets: token, version, rights, buckets, faults, the recording."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.sandbox.arm.models.roles import (
    BUILT_IN,
    CONTRIBUTOR,
    OWNER,
    RBAC_ADMINISTRATOR,
    READER,
    USER_ACCESS_ADMINISTRATOR,
    VM_CONTRIBUTOR,
)
from tests.sandbox.entra.tokens import life, sign
from tests.sandbox.faults import Faults
from tests.sandbox.points import cut
from tests.sandbox.population import managed_subscription
from tests.sandbox.switches import AZURE_SWITCHES
from tests.sandbox.world import World
from tests.world.arm_scene import INSTANCES, PIM, POLICIES, REQUESTS, SCHEDULES, azure_scene, named
from tests.world.clouds_scene import CONTOSO, FABRIKAM, SOURCE_APP, TARGET_APP

PUT = "PUT /subscriptions/{id}/providers/Microsoft.Authorization/roleEligibilityScheduleRequests/{id}"
LIST = "GET /subscriptions/{id}/providers/Microsoft.Authorization/roleEligibilitySchedules"


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


async def test_a_right_that_is_taken_back_is_missed_by_name(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        azure.production.access.take_back(azure.principal_id)

        answer = await azure.call(f"GET {SCHEDULES}")

        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "AuthorizationFailed")
        assert "'Microsoft.Authorization/roleEligibilitySchedules/read'" in answer.json()["error"]["message"]
        assert azure.production.scope.path in answer.json()["error"]["message"]
        assert (await azure.call(f"GET {SCHEDULES}", filter="asTarget()")).status_code == 200
        assert await azure.refusal("a") == (403, "AuthorizationFailed")
        assert azure.world.clouds.violations == []


async def test_a_list_may_refuse_in_words_of_its_own(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, flipped=["arm-lists-refuse-with-400"]) as azure:
        azure.production.access.take_back(azure.principal_id)

        answer = await azure.call(f"GET {INSTANCES}")

        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InsufficientPermissions")
        assert "$filter=asTarget()" in answer.json()["error"]["message"]
        assert (await azure.call(f"GET {INSTANCES}", filter="asTarget()")).status_code == 200
        assert (await azure.call(f"GET {PIM}/roleAssignmentSchedules")).status_code == 500
        assert (await azure.call(f"GET {POLICIES}")).status_code == 403


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (OWNER, True),
        (USER_ACCESS_ADMINISTRATOR, True),
        (CONTRIBUTOR, False),
        (RBAC_ADMINISTRATOR, False),
        (READER, False),
        (VM_CONTRIBUTOR, False),
    ],
)
async def test_which_built_in_roles_may_make_eligible(tmp_path: Path, role: str, *, may: bool) -> None:
    async with azure_scene(tmp_path) as azure:
        access = azure.production.access
        access.take_back(azure.principal_id)
        access.assign(azure.principal_id, BUILT_IN[role], azure.production.scope)

        assert (await azure.call(f"PUT {REQUESTS}/{named('a')}", azure.body())).is_success is may


async def test_a_custom_role_may_not_be_enough(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, flipped=["arm-pim-needs-owner"]) as azure:
        assert await azure.refusal("a") == (403, "AuthorizationFailed")
        azure.production.access.assign(azure.principal_id, BUILT_IN[USER_ACCESS_ADMINISTRATOR], azure.production.scope)
        await azure.ask("a")


async def test_a_role_held_through_a_group_or_below_counts_there_only(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        access, below = azure.production.access, azure.production.add_resource_group("rg-web")
        access.take_back(azure.principal_id)
        group = azure.world.contoso.directory.add_group("Automation", [azure.principal_id])
        access.assign(group.id, BUILT_IN[OWNER], below)

        answer = await azure.call(f"PUT {below.path}{REQUESTS}/{named('a')}", azure.body())
        assert answer.status_code == 201
        assert await azure.refusal("b") == (403, "AuthorizationFailed")


async def test_a_new_right_works_after_a_while(tmp_path: Path) -> None:
    async with azure_scene(tmp_path, quick=False) as azure:
        azure.world.clouds.replication.set((60, 600))
        access = azure.production.access
        access.take_back(azure.principal_id)
        access.assign(azure.principal_id, BUILT_IN[OWNER], azure.production.scope, fresh=True)

        assert (await azure.call(f"GET {SCHEDULES}")).status_code == 403
        azure.world.clock.advance(timedelta(minutes=10))
        assert (await azure.call(f"GET {SCHEDULES}")).status_code == 200


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


async def test_subscriptions_are_those_on_which_one_holds_a_role(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        other = azure.world.clouds.azure.add_subscription(azure.world.contoso, "Nobody's")
        azure.production.add_resource_group("rg-web")
        azure.production.access.assign(azure.principal_id, BUILT_IN[READER], azure.production.scope)
        [listed] = (await azure.call("GET /subscriptions", version="2022-12-01")).json()["value"]
        read = await azure.call(f"GET {azure.production.scope.path}", version="2022-12-01")
        [group] = (await azure.call(f"GET {azure.production.scope.path}/resourceGroups", version="2021-04-01")).json()[
            "value"
        ]

        assert listed == read.json()
        assert (listed["state"], listed["tenantId"]) == ("Enabled", CONTOSO)
        assert group["name"] == "rg-web"
        assert (await azure.call(f"GET {other.scope.path}", version="2022-12-01")).status_code == 403
        missing = await azure.call(f"GET /subscriptions/{named('none')}", version="2022-12-01")
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "SubscriptionNotFound")


async def test_role_definitions_have_their_actions(tmp_path: Path) -> None:
    async with azure_scene(tmp_path) as azure:
        chosen = await azure.call(
            f"GET {PIM}/roleDefinitions", version="2022-04-01", filter="roleName eq 'Virtual Machine Contributor'"
        )
        [role] = chosen.json()["value"]
        read = await azure.call(f"GET {azure.role()}", version="2022-04-01")
        custom = await azure.call(f"GET {PIM}/roleDefinitions", version="2022-04-01", filter="type eq 'CustomRole'")

        assert role == read.json()
        assert role["id"] == azure.role()
        assert "Microsoft.Compute/virtualMachines/*" in role["properties"]["permissions"][0]["actions"]
        assert [one["properties"]["roleName"] for one in custom.json()["value"]] == ["Tenantry"]


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


async def test_the_world_tells_the_app_where_azure_is_and_gives_it_its_role(world: World) -> None:
    subscription = managed_subscription(world.clouds, world.contoso, "Production")

    values = world.core_tools_settings()["Values"]
    assert isinstance(values, dict)
    assert values["TENANTRY_ARM_ENDPOINT"] == world.clouds.arm
    [assignment] = subscription.access.assignments.values()
    assert "Microsoft.Authorization/roleEligibilityScheduleRequests/write" in assignment.role.actions
    assert assignment.principal_type == "ServicePrincipal"
