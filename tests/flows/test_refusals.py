"""Each call of each act refused: the run ends there and says so, nothing follows, and a retry goes on from there."""

from collections import Counter

import pytest

from shared.running.acts import ACTS
from tests.flows.refusal import Refusal
from tests.flows.scene import Scene
from tests.flows.writes import ONCE, PARTNERS, SYNCHRONIZATION, onboarding_of, templated
from tests.sandbox.graph.errors import synchronization_forbidden

pytestmark = pytest.mark.sampled(3)

_ELIGIBILITY = "/roleManagement/directory"
_NUMBERS = tuple(act.number for act in ACTS)

_READS: tuple[tuple[int, str, int], ...] = (
    (2, "GET /organization", 0),
    (2, "GET /policies/authorizationPolicy", 0),
    (2, "GET /policies/crossTenantAccessPolicy/default", 1),
    (2, "GET /subscribedSkus", 1),
    (2, "GET /policies/roleManagementPolicyAssignments", 0),
    (3, f"GET {PARTNERS}/{{id}}", 2),
    (4, f"GET {PARTNERS}/{{id}}/identitySynchronization", 0),
    (5, f"GET {PARTNERS}/{{id}}", 0),
    (6, "GET /servicePrincipals", 0),
    (6, f"GET {SYNCHRONIZATION}/jobs", 0),
    (6, f"GET {SYNCHRONIZATION}/jobs/{{id}}/schema", 0),
    (7, "GET /servicePrincipals/{id}/appRoleAssignedTo", 0),
    (8, "GET /users", 0),
    (8, f"GET {SYNCHRONIZATION}/jobs/{{id}}", 0),
    (9, f"GET {_ELIGIBILITY}/roleEligibilityScheduleInstances", 0),
)
"""Act, call, and how often the call is let pass before it is refused."""


def _writes() -> list[tuple[int, str, int]]:
    """Act, call, and how often the same call is sent before this one."""
    return [(act, call, Counter(before for _, before in ONCE[:at])[call]) for at, (act, call) in enumerate(ONCE)]


@pytest.mark.parametrize(("act", "call", "passes"), _writes())
async def test_a_refused_write_ends_the_run_and_a_retry_goes_on_from_it(
    scene: Scene, act: int, call: str, passes: int
) -> None:
    scene.world.clouds.replication.off()
    scene.consented()
    error = synchronization_forbidden() if SYNCHRONIZATION in call else None
    refusal = Refusal(scene.world.points, call, error, passes=passes)

    await scene.post(scene.world.people.ana)

    assert await scene.settle() == ("WaitingForPerson" if act == 9 else "Failed")
    record = await scene.record()
    assert _stopped_at(act, "Waiting" if act == 9 else "Failed") == [one["state"] for one in record["acts"]]
    assert record["problem"]["what"]
    assert record["problem"]["do"]
    assert record["whatToDo"] == [record["problem"]["do"]]
    assert scene.sent()[-1].endswith(call.split(" ")[1])
    refused = (await scene.entries())[-1].deed
    assert (act, True) == (refused.act, refused.outcome.startswith("refused"))

    refusal.lift()

    assert await scene.retry() == "Ready"
    assert onboarding_of(1) == templated(scene.applied())
    assert (await scene.record())["problem"] is None


async def test_a_refused_read_ends_the_run_too_and_names_the_call(scene: Scene) -> None:
    """One tenant, refused at one read after another, and put right each time."""
    scene.world.clouds.replication.off()
    scene.consented()
    for number, (act, call, passes) in enumerate(_READS):
        error = synchronization_forbidden() if SYNCHRONIZATION in call else None
        refusal = Refusal(scene.world.points, call, error, passes=passes, reads=True)

        state = await scene.retry() if number else await _posted(scene)

        record = await scene.record()
        assert state == "Failed", (call, record["state"], record["problem"])
        assert _stopped_at(act) == [one["state"] for one in record["acts"]], (call, record["acts"])
        assert call.rpartition("/")[2] in record["problem"]["what"]
        refusal.lift()

    assert await scene.retry() == "Ready"
    assert onboarding_of(1) == templated(scene.applied())


async def _posted(scene: Scene) -> str:
    await scene.post(scene.world.people.ana)
    return await scene.settle()


def _stopped_at(act: int, how: str = "Failed") -> list[str]:
    return ["Done" if one < act else how if one == act else "Pending" for one in _NUMBERS]
