"""DELETE /api/tenants/{tenantId} in every state, its plan, and what it refuses. One world, a tenant for every test."""

from typing import Any

import pytest

from shared.tenants.record import Goal
from shared.tenants.states import RESTING, State
from tests.app.answers import assert_accepted, assert_conflict, runs_of
from tests.app.seeds import seed
from tests.flows.letting_go import delete
from tests.flows.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("state", State)
async def test_a_tenant_is_let_go_from_wherever_nothing_runs(untouched: Scene, state: State) -> None:
    goal = Goal.OFFBOARDING if state in (State.OFFBOARDING, State.OFFBOARDED) else Goal.ONBOARDING
    tenant_id = await seed(untouched, f"delete-{state}", state, goal=goal)

    answer = await untouched.call("DELETE", f"/api/tenants/{tenant_id}")

    if state is State.READY or state in RESTING:
        assert_accepted(untouched, answer, tenant_id)
        assert (answer.json()["state"], answer.json()["run"]) == ("Offboarding", 2)
        assert runs_of(untouched, tenant_id) == [f"offboarding-{tenant_id}-2"]
    elif state is State.OFFBOARDED:
        assert (answer.status_code, answer.json()["state"]) == (200, "Offboarded")
        assert runs_of(untouched, tenant_id) == []
    else:
        told = "let go already" if state is State.OFFBOARDING else f"is {state.value}"
        assert_conflict(untouched, answer, tenant_id, told)
        assert runs_of(untouched, tenant_id) == []


@pytest.mark.parametrize("state", sorted(RESTING))
async def test_what_rests_on_its_way_out_can_only_go_on_with_that(untouched: Scene, state: State) -> None:
    tenant_id = await seed(untouched, f"leaving-{state}", state, goal=Goal.OFFBOARDING)

    retried = await untouched.call("POST", f"/api/tenants/{tenant_id}/retry")

    assert_accepted(untouched, retried, tenant_id)
    assert retried.json()["state"] == "Offboarding"


async def test_a_stranger_is_not_found_and_a_name_is_no_id(untouched: Scene) -> None:
    assert (await untouched.call("DELETE", f"/api/tenants/{untouched.world.fabrikam.id}")).status_code == 404
    assert (await untouched.call("DELETE", "/api/tenants/fabrikam")).status_code == 400


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"dryRun": "yes"}, "dryRun"),
        ({"dryRun": ""}, "dryRun"),
        ({"target": "all"}, "target"),
        ({"target": ""}, "target"),
    ],
    ids=str,
)
async def test_a_parameter_that_is_wrong_is_named(untouched: Scene, parameters: dict[str, str], field: str) -> None:
    tenant_id = await seed(untouched, f"wrong-{field}-{parameters[field]}", State.READY)
    query = "&".join(f"{name}={value}" for name, value in parameters.items())

    answer = await untouched.call("DELETE", f"/api/tenants/{tenant_id}?{query}")

    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert (await untouched.call("GET", f"/api/tenants/{tenant_id}")).json()["state"] == "Ready"


async def test_only_an_operator_lets_a_tenant_go(untouched: Scene) -> None:
    tenant_id = await seed(untouched, "not-allowed", State.READY)

    reader = await untouched.call("DELETE", f"/api/tenants/{tenant_id}", token=untouched.world.reader_token())
    nobody = await untouched.call("DELETE", f"/api/tenants/{tenant_id}", token=None)

    assert (reader.status_code, nobody.status_code) == (403, 401)


@pytest.mark.asyncio(loop_scope="function")
async def test_the_plan_tells_each_act_what_is_put_back_and_what_is_needed(scene: Scene) -> None:
    await scene.onboarded(scene.world.people.ana, scene.world.people.ben)
    before = len(scene.sent())

    answer = await delete(scene, dryRun="true")

    assert answer.status_code == 200
    plan: Any = answer.json()
    assert [one["number"] for one in plan["acts"]] == [21, 22, 24, 25, 26, 27]
    told = " ".join(one["would"] for one in plan["acts"])
    assert all(
        text in told for text in ("2 eligibilities", "2 analysts", "2 accounts", "put 2 objects", "put 3 objects")
    )
    there = [one["before"] for one in plan["beforeImages"] if one["tenant"] == scene.target]
    assert [one == "null" for one in there] == [True, False, True]
    assert '"inboundTrust":null' in there[1]
    assert [one["registration"] for one in plan["permissions"]] == ["Tenantry Setup", "Tenantry Access"]
    assert any("somebody changed since" in one for one in plan["unknown"])
    assert await scene.settle() == "Ready"
    assert len(scene.sent()) == before


@pytest.mark.asyncio(loop_scope="function")
async def test_a_tenant_of_which_nothing_was_written_needs_no_consent_to_go(waiting: Scene) -> None:
    """Posted, and nobody ever consented."""
    answer = await delete(waiting)

    assert answer.status_code == 202
    assert "consentLink" not in answer.json()
    assert await waiting.settle() == "Offboarded"
    assert waiting.sent() == []


@pytest.mark.asyncio(loop_scope="function")
async def test_while_a_run_is_open_nothing_else_begins(scene: Scene) -> None:
    statuses: list[int] = []

    async def ask() -> None:
        statuses.append((await delete(scene)).status_code)

    scene.consented()
    scene.world.points.arm("activity.before", "trust_source", 0, ask)
    await scene.post(scene.world.people.ana)
    assert await scene.settle() == "Ready"
    scene.world.points.arm("activity.before", "remove_synchronization", 0, ask)
    await delete(scene)

    assert await scene.settle() == "Offboarded"
    assert statuses == [409, 409]
