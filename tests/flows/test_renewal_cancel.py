"""A renewal that a person stops goes no further: what was written stays, and the next night is as ever."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from tests.conftest import OpenWorld
from tests.flows.renewing import EVENING, end_of, midnight, night_after, requests, told
from tests.flows.scene import Scene
from tests.flows.writes import REQUEST_ELIGIBILITY
from tests.sandbox.graph.errors import GraphError

pytestmark = pytest.mark.sampled(1)

_LOOK = "GET /v1.0/roleManagement/directory/roleEligibilityScheduleInstances"


@pytest.fixture
async def scene(open_world: OpenWorld) -> AsyncIterator[Scene]:
    """Ana is eligible, and it is evening."""
    async with Scene(await open_world(start=EVENING)) as opened:
        await opened.onboarded()
        yield opened


class Cancel:
    """Cancels the day's renewals when it is called, and keeps the answers' statuses."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.statuses: list[int] = []

    @property
    def path(self) -> str:
        """Today's renewals."""
        return f"/api/renewals/{midnight(self._scene):%Y-%m-%d}"

    async def __call__(self) -> None:
        answer = await self._scene.call("POST", f"{self.path}/cancel")
        self.statuses.append(answer.status_code)

    async def run(self) -> dict[str, object]:
        """The run of the day."""
        answer = await self._scene.call("GET", self.path)
        [run] = answer.json()["runs"]
        return dict(run)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_before_anything_is_written_nothing_is_and_the_next_night_renews(when: str, scene: Scene) -> None:
    cancel, kind = Cancel(scene), f"activity.{when}"
    scene.world.points.arm(kind, "plan_renewals", scene.world.points.passed(kind, "plan_renewals"), cancel)

    await night_after(scene, 170)

    assert cancel.statuses == [202]
    assert requests(scene) == ["adminAssign"]
    run = await cancel.run()
    assert run["cancelledBy"] == scene.world.people.operator.object_id
    assert str(run["outcome"]).startswith("cancelled: ")
    assert await scene.runs.list_open() == []
    assert (await scene.tenant()).record.renewing is None

    await night_after(scene, 1)

    assert end_of(scene) == midnight(scene) + timedelta(days=180)


async def test_what_is_being_written_is_read_back_and_told(scene: Scene) -> None:
    cancel = Cancel(scene)
    nth = scene.world.points.passed("vendor.after", REQUEST_ELIGIBILITY)
    scene.world.points.arm("vendor.after", REQUEST_ELIGIBILITY, nth, cancel)

    await night_after(scene, 170)

    assert cancel.statuses == [202]
    assert end_of(scene) == midnight(scene) + timedelta(days=180)
    assert await told(scene) == {scene.account(scene.world.people.ana).id: ("extended", None)}
    assert await scene.runs.list_open() == []


async def test_a_night_that_goes_nowhere_does_not_go_on_for_hours(scene: Scene) -> None:
    world, cancel = scene.world, Cancel(scene)

    async def refuse() -> None:
        raise GraphError(503, "ServiceUnavailable", "The service is temporarily unavailable.")

    first = scene.world.points.passed("vendor-read.before", _LOOK)
    for nth in range(first, first + 12):
        world.points.arm("vendor-read.before", _LOOK, nth, refuse)
    world.points.arm(
        "activity.after", "plan_renewals", scene.world.points.passed("activity.after", "plan_renewals"), cancel
    )

    await night_after(scene, 170)

    assert cancel.statuses == [202]
    run = await cancel.run()
    assert str(run["outcome"]).startswith("cancelled: ")
    assert "renewal.given_up" not in world.log.read_text()
    assert datetime.fromisoformat(str(run["ended"])) < midnight(scene) + timedelta(hours=2, minutes=50)


async def test_where_nothing_runs_there_is_nothing_to_cancel(scene: Scene) -> None:
    cancel = Cancel(scene)
    await cancel()
    await night_after(scene, 1)
    await cancel()

    assert cancel.statuses == [409, 409]
    assert (await scene.call("POST", "/api/renewals/soon/cancel")).status_code == 400
    answer = await scene.call("POST", f"{cancel.path}/cancel", token=scene.world.reader_token())
    assert answer.status_code == 403
