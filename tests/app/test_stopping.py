"""Cancel and retry in every state. One world, with a tenant of its own for every test."""

import pytest

from shared.tenants.states import RESTING, State
from tests.app.answers import assert_accepted, assert_conflict, runs_of
from tests.app.seeds import seed
from tests.flows.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Offboarding comes with its own routes.
_STATES = [state for state in State if state not in (State.OFFBOARDING, State.OFFBOARDED)]


@pytest.mark.parametrize("state", _STATES)
async def test_cancel_stops_what_runs_or_rests_and_leaves_ready_alone(untouched: Scene, state: State) -> None:
    tenant_id = await seed(untouched, f"cancel-{state}", state)

    answer = await untouched.call("POST", f"/api/tenants/{tenant_id}/cancel")

    if state is State.READY:
        assert_conflict(untouched, answer, tenant_id, "Ready")
    else:
        assert_accepted(untouched, answer, tenant_id)
        stops = state in (State.ONBOARDING, State.CANCELLING)
        assert answer.json()["state"] == ("Cancelling" if stops else "Cancelled")
    assert runs_of(untouched, tenant_id) == []


@pytest.mark.parametrize("state", _STATES)
async def test_retry_goes_on_where_a_run_rests_and_nowhere_else(untouched: Scene, state: State) -> None:
    tenant_id = await seed(untouched, f"retry-{state}", state)

    answer = await untouched.call("POST", f"/api/tenants/{tenant_id}/retry")

    if state in RESTING:
        assert_accepted(untouched, answer, tenant_id)
        assert (answer.json()["state"], answer.json()["run"]) == ("Onboarding", 2)
        assert runs_of(untouched, tenant_id) == [f"onboarding-{tenant_id}-2"]
    else:
        assert_conflict(untouched, answer, tenant_id, state.value)
        assert runs_of(untouched, tenant_id) == []


@pytest.mark.parametrize("action", ["cancel", "retry"])
async def test_a_reader_neither_cancels_nor_retries(untouched: Scene, action: str) -> None:
    tenant_id = await seed(untouched, f"reader-{action}", State.FAILED)

    answer = await untouched.call("POST", f"/api/tenants/{tenant_id}/{action}", token=untouched.world.reader_token())

    assert answer.status_code == 403
    tenant = await untouched.tenants.read(tenant_id)
    assert tenant is not None
    assert tenant.record.state is State.FAILED
