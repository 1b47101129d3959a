"""An approval at the page, killed at every point and on bad days: the person goes on until the page says it; decided once."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from shared.activation.record import RequestId
from tests.app.approver import Approver
from tests.flows.activating import Locked
from tests.flows.dying import Story, killed
from tests.flows.test_activation_kills import opened, patiently
from tests.sandbox.faults import Faults
from tests.sandbox.session import Session

pytestmark = [pytest.mark.matrix]

_TRIES = 25
_PARTS = 8


async def asked(found: Locked) -> RequestId:
    """Emil asks; nothing goes wrong yet."""
    answer = await patiently(found, lambda: found.ask(key="mine"), 202)
    await found.rest()
    return RequestId(answer.json()["id"])


async def approved_at_the_page(found: Locked, request_id: RequestId) -> None:
    """As a person does it: opens the page again until it says that it is approved, and decides where it can be decided."""
    address = f"/api/approvals/{request_id}"
    async with Approver(found.scene.world, found.fiona) as fiona:
        for _ in range(_TRIES):
            try:
                page = await fiona.open(address)
                if "Approved by" in page.text:
                    return
                if 'value="approve"' in page.html:
                    page = await fiona.submit(page, address, verdict="approve", reason="Within the budget")
            except httpx.TransportError:
                continue
            if "Approved by" not in page.text:
                await found.after(timedelta(minutes=1))
    raise TimeoutError("the page never said that it is approved")


def decided_once(found: Locked, request_id: RequestId) -> list[str]:
    """What is not as it should be."""
    approval = found.at_pim(request_id).approval
    sent = [
        one.status
        for one in found.scene.world.clouds.recorder.entries
        if one.service == "arm" and one.method == "PATCH" and "roleAssignmentApprovals" in one.path
    ]
    checks = {
        "approved by Fiona": approval is not None and approval.reviewer_id == found.fiona.object_id,
        "granted once": len(found.subscription.activations.schedules) == 1,
        "taken once by PIM": len([one for one in sent if one in (200, 204)]) == 1,
    }
    return [f"{name}: {sent}" for name, holds in checks.items() if not holds]


async def _told(found: Locked, request_id: RequestId | None) -> RequestId:
    assert request_id is not None
    await approved_at_the_page(found, request_id)
    return request_id


async def _wrong(found: Locked, request_id: RequestId) -> list[str]:
    return decided_once(found, request_id)


STORY = Story(name="page", opened=opened, before=asked, told=_told, wrong=_wrong)


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("part", range(_PARTS))
async def test_killed_at_any_point_the_page_decides_once(session: Session, tmp_path: Path, part: int) -> None:
    assert await killed(STORY, session, tmp_path, part, _PARTS) == []


@pytest.mark.parametrize("seed", range(8))
async def test_on_a_bad_day_the_page_decides_once(session: Session, tmp_path: Path, seed: int) -> None:
    async with opened(session, tmp_path, faults=Faults.harsh(seed)) as found:
        request_id = await asked(found)

        await approved_at_the_page(found, request_id)

        assert decided_once(found, request_id) == []
