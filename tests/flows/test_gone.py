"""The enterprise application, or its job, deleted by hand in the source before act 6 is done: a retry makes it anew."""

from datetime import timedelta

import pytest

from tests.flows.scene import Scene
from tests.flows.writes import ASSIGN, INSTANTIATE, START, SYNCHRONIZATION

pytestmark = pytest.mark.sampled(2)

_CREATE_JOB = f"POST /v1.0{SYNCHRONIZATION}/jobs"
_PUT_SECRETS = f"PUT /v1.0{SYNCHRONIZATION}/secrets"
_LONGER_THAN_PATIENCE = timedelta(minutes=20)


@pytest.mark.parametrize("last", [INSTANTIATE, _CREATE_JOB, _PUT_SECRETS])
async def test_an_application_that_was_deleted_is_made_anew_once(scene: Scene, last: str) -> None:
    await _cancelled_after(scene, last)
    [old] = scene.synchronizations()
    scene.delete_application()
    scene.world.clock.advance(_LONGER_THAN_PATIENCE)

    assert await scene.retry() == "Ready"

    [made] = scene.synchronizations()
    assert made.id != old.id
    _is_complete(scene)
    assert scene.sent().count(INSTANTIATE) == 2


@pytest.mark.parametrize("last", [_CREATE_JOB, _PUT_SECRETS])
async def test_a_job_that_was_deleted_is_made_anew_once_in_the_same_application(scene: Scene, last: str) -> None:
    jobs = scene.world.contoso.jobs
    await _cancelled_after(scene, last)
    before = scene.synchronizations()
    [old] = jobs.jobs.values()
    jobs.delete(old)
    scene.world.clock.advance(_LONGER_THAN_PATIENCE)

    assert await scene.retry() == "Ready"

    assert old.id not in jobs.jobs
    assert scene.synchronizations() == before
    _is_complete(scene)
    assert (scene.sent().count(INSTANTIATE), scene.sent().count(_CREATE_JOB)) == (1, 2)


@pytest.mark.parametrize(("last", "deletes_job"), [(ASSIGN, False), (ASSIGN, True), (START, False), (START, True)])
async def test_what_is_deleted_after_it_was_proved_is_named_and_made_again_by_a_retry(
    scene: Scene, last: str, *, deletes_job: bool
) -> None:
    jobs = scene.world.contoso.jobs
    await _cancelled_after(scene, last)
    if deletes_job:
        [old] = jobs.jobs.values()
        jobs.delete(old)
    else:
        scene.delete_application()
    scene.world.clock.advance(_LONGER_THAN_PATIENCE)

    assert await scene.retry() == "Failed"
    problem = (await scene.record())["problem"]
    assert problem["code"] == "SynchronizationGone"
    assert "deleted" in problem["what"]

    assert await scene.retry() == "Ready"
    _is_complete(scene)


async def _cancelled_after(scene: Scene, last: str) -> None:
    """Act 6 is cancelled just as this write was carried out."""

    async def cancel() -> None:
        answer = await scene.call("POST", f"/api/tenants/{scene.target}/cancel")
        assert answer.status_code == 202

    scene.world.points.arm("vendor.after", last, 0, cancel)
    scene.consented()
    await scene.post(scene.world.people.ana)
    assert await scene.settle() == "Cancelled"
    assert last == scene.sent()[-1]


def _is_complete(scene: Scene) -> None:
    """One application, one job in it that runs with secrets of its own, one analyst eligible by way of it."""
    sent = scene.sent()
    [application] = scene.synchronizations()
    [job] = scene.world.contoso.jobs.jobs.values()
    assert (job.principal_id, job.starts) == (application.id, 1)
    assert application.secrets["CompanyId"] == scene.target
    assert sent[::-1].index(_PUT_SECRETS) < sent[::-1].index(_CREATE_JOB)
    assert len(scene.world.contoso.applications.applications) == len(scene.synchronizations())
    assert [scene.account(scene.world.people.ana).id] == [one.principal_id for one in scene.world.fabrikam.pim.active()]
