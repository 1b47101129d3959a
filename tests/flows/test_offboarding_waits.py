"""Act 24: the accounts in the target are waited for while the synchronization can delete them, for a day; else the kit has
them, and it is said why.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.flows.letting_go import let_go, states
from tests.flows.scene import Scene
from tests.sandbox.graph.models.jobs import Job, Problem

pytestmark = pytest.mark.sampled(1)


def _paused(scene: Scene, job: Job) -> None:
    scene.world.contoso.jobs.pause(job)


def _quarantined(scene: Scene, job: Job) -> None:
    scene.world.contoso.jobs.quarantine(job, Problem(code="AzureActiveDirectoryForbidden", message="refused"))


def _deleted(scene: Scene, job: Job) -> None:
    scene.world.clock.advance(timedelta(hours=1))
    scene.world.contoso.jobs.delete(job)


STANDS_STILL: dict[str, tuple[Callable[[Scene, Job], None], str]] = {
    "paused": (_paused, "does not run"),
    "quarantined": (_quarantined, "in quarantine: EncounteredQuarantineException refused"),
    "deleted": (_deleted, "is gone"),
}


@pytest.mark.parametrize("name", STANDS_STILL)
async def test_where_the_synchronization_stands_still_nothing_is_waited_for(scene: Scene, name: str) -> None:
    stop, why = STANDS_STILL[name]
    await scene.onboarded()
    account = scene.account(scene.world.people.ana).id
    [job] = scene.world.contoso.jobs.jobs.values()
    stop(scene, job)
    began = scene.world.clock.now()

    assert await let_go(scene) == "Offboarded"

    assert scene.world.clock.now() - began < timedelta(minutes=10)
    [left] = (await scene.record())["leftToKit"]
    assert (left["act"], left["objects"]) == (24, [account])
    assert "Ana Analyst" in left["what"]
    assert why in left["why"]
    assert scene.synchronizations() == []


async def test_a_job_that_comes_to_a_standstill_during_the_wait_ends_it(scene: Scene) -> None:
    await scene.onboarded()
    [job] = scene.world.contoso.jobs.jobs.values()

    async def stop() -> None:
        _quarantined(scene, job)

    scene.world.points.arm("activity.after", "await_departures", 1, stop)

    assert await let_go(scene) == "Offboarded"

    [left] = (await scene.record())["leftToKit"]
    assert "quarantine" in left["why"]


async def test_accounts_that_never_go_are_waited_for_a_day_and_left_to_the_kit(scene: Scene) -> None:
    """The job runs, and no cycle ever ends. A day's wait leaves a short history."""
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    accounts = [scene.account(one).id for one in (people.ana, people.ben)]
    [job] = scene.world.contoso.jobs.jobs.values()
    job.next_cycle_ends = None
    began = scene.world.clock.now()

    assert await let_go(scene) == "Offboarded"

    waited = scene.world.clock.now() - began
    assert timedelta(hours=24) < waited < timedelta(hours=26)
    [left] = (await scene.record())["leftToKit"]
    assert (left["act"], sorted(left["objects"])) == (24, sorted(accounts))
    assert "after a day" in left["why"]
    assert set(states(await scene.record()).values()) == {"Done"}
    run = next(one for one in scene.world.host.orchestrations() if "offboarding" in one.id)
    assert len(scene.world.host.history(run.id)) < 700


async def test_one_account_that_stays_keeps_none_of_the_others_on_the_record(scene: Scene) -> None:
    """Ben's account was restored by hand after the cycle deleted it: nobody will delete it again."""
    people = scene.world.people
    await scene.onboarded(people.ana, people.ben)
    ben = scene.account(people.ben)
    [job] = scene.world.contoso.jobs.jobs.values()
    job.linked.pop(people.ben.object_id)

    assert await let_go(scene) == "Offboarded"

    [left] = (await scene.record())["leftToKit"]
    assert (left["objects"], left["what"]) == ([ben.id], "accounts of Ben Analyst")


async def test_a_cancel_ends_the_wait_at_once_and_nobody_is_onboarded_meanwhile(scene: Scene) -> None:
    await scene.onboarded()
    answers: list[int] = []

    async def cancel() -> None:
        answers.append((await scene.call("POST", f"/api/tenants/{scene.target}/cancel")).status_code)

    scene.world.points.arm("activity.after", "await_departures", 1, cancel)
    began = scene.world.clock.now()

    assert await let_go(scene) == "Cancelled"

    assert answers == [202]
    assert scene.world.clock.now() - began < timedelta(minutes=15)
    posted = await scene.post(scene.world.people.ana)
    assert posted.status_code == 409
    assert "being let go" in posted.json()["detail"]
    assert await scene.retry() == "Offboarded"
