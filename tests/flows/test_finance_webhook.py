"""Finance's verdicts by signed webhook: recorded, told on, or stopping a request; never deciding one, and never twice."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.activation.record import RequestId
from tests.conftest import OpenWorld
from tests.flows.activating import locked
from tests.flows.financing import KEY, PREVIOUS, SETTINGS, STRANGE, Finance
from tests.flows.scene import Scene
from tests.sandbox.population import guid

pytestmark = pytest.mark.sampled(6)


@pytest.fixture
async def finance(open_world: OpenWorld) -> AsyncIterator[Finance]:
    """A locked subscription, and finance's system with its keys."""
    async with Scene(await open_world(receiving=True, auto_advance=False, settings=SETTINGS)) as scene:
        yield Finance(await locked(scene))


async def unchanged(finance: Finance, request_id: RequestId) -> bool:
    """Whether nobody's word is on the request."""
    record = (await finance.found.record(request_id)).record
    return record.verdicts == () and finance.found.status(request_id) == "PendingApproval"


async def test_an_approve_is_recorded_and_told_to_the_approvers_and_decides_nothing(finance: Finance) -> None:
    found, request_id = finance.found, await finance.found.asked()

    answer = await finance.says(request_id)

    assert (answer.status_code, answer.json()["recorded"]) == (202, True)
    await found.rest()
    await found.after()
    [verdict] = (await found.shown(request_id))["money"]["verdicts"]
    assert (verdict["verdict"], verdict["by"]) == ("approve", found.fiona.object_id)
    assert found.status(request_id) == "PendingApproval"
    told = [one for one in found.scene.world.receiver.taken("webhook") if one["type"] == "activation.pending"]
    assert sorted(one["data"]["activation"].get("finance", "") for one in told) == ["", "approved"]
    assert [(one.deed.act, one.deed.on_whose_word) for one in await found.trail(request_id)][-1] == (
        44,
        found.fiona.object_id,
    )


async def test_a_deny_cancels_the_request_on_finances_word(finance: Finance) -> None:
    found, request_id = finance.found, await finance.found.asked()

    answer = await finance.says(request_id, "deny")
    await found.after(timedelta(minutes=1))

    assert answer.status_code == 202
    assert found.status(request_id) == "Canceled"
    shown = await found.shown(request_id)
    assert (shown["state"], "finance denied" in shown["problem"]) == ("cancelled", True)
    acts = [(one.deed.act, one.deed.on_whose_word, one.deed.outcome) for one in await found.trail(request_id)]
    assert acts[1:] == [(44, found.fiona.object_id, "done"), (42, found.fiona.object_id, "done")]


async def test_what_pim_refuses_to_cancel_is_a_violation_and_not_tried_for_ever(open_world: OpenWorld) -> None:
    flipped = ("arm-applications-cannot-cancel",)
    async with Scene(await open_world(flipped=flipped, receiving=True, auto_advance=False, settings=SETTINGS)) as scene:
        finance = Finance(await locked(scene))
        found, request_id = finance.found, await finance.found.asked()

        await finance.says(request_id, "deny")
        for _ in range(3):
            await found.after(timedelta(minutes=16))

        assert found.status(request_id) == "PendingApproval"
        shown = await found.shown(request_id)
        assert [one["code"] for one in shown["violations"]] == ["notCancelled"]
        assert found.sent().count("activation.violation") == 1
        cancels = [one for one in scene.world.clouds.recorder.entries if one.path.endswith("/cancel")]
        assert len(cancels) == 1


async def test_the_demanded_verdict_lets_a_senior_decide(finance: Finance) -> None:
    found = finance.found
    await found.rule(senior_above=Decimal(1))
    request_id = await found.asked()
    early = await found.decide(request_id, found.ivan)

    await finance.says(request_id)
    junior = await found.decide(request_id, found.frank)
    senior = await found.decide(request_id, found.ivan)

    assert (early.status_code, junior.status_code, senior.status_code) == (409, 403, 200)
    await found.rest()
    assert (await found.shown(request_id))["violations"] == []


async def test_a_repeat_gets_the_same_answer_and_is_not_acted_on_twice(finance: Finance) -> None:
    found, request_id = finance.found, await finance.found.asked()
    first = await finance.says(request_id)
    await found.decide(request_id)

    again = await finance.says(request_id)

    assert (again.status_code, again.json()) == (202, first.json())
    assert len((await found.record(request_id)).record.verdicts) == 1
    assert [one.deed.act for one in await found.trail(request_id)].count(44) == 1


async def test_another_body_under_a_known_id_is_refused(finance: Finance) -> None:
    request_id = await finance.found.asked()
    await finance.says(request_id)

    answer = await finance.says(request_id, "deny")

    assert (answer.status_code, answer.json()["title"]) == (409, "Another body")
    assert len((await finance.found.record(request_id)).record.verdicts) == 1


async def test_a_verdict_may_be_taken_back_by_a_later_one(finance: Finance) -> None:
    found, request_id = finance.found, await finance.found.asked()
    await finance.says(request_id)

    answer = await finance.says(request_id, "deny", message_id="msg_2")
    await found.rest()

    assert answer.status_code == 202
    assert found.status(request_id) == "Canceled"


async def test_keys_are_changed_without_a_moment_in_which_nothing_is_taken(finance: Finance) -> None:
    request_id = await finance.found.asked()

    new = await finance.says(request_id, key=KEY)
    old = await finance.says(request_id, key=PREVIOUS, message_id="msg_2")
    body = finance.body(request_id)
    both = f"v1,bm9uc2Vuc2U= {finance.signed(body, 'msg_3', STRANGE)} {finance.signed(body, 'msg_3', PREVIOUS)}"
    several = await finance.send(body, "msg_3", both)

    assert [one.status_code for one in (new, old, several)] == [202, 202, 202]


@pytest.mark.parametrize(
    ("how", "status", "word"),
    [
        ({"key": STRANGE}, 401, "signature"),
        ({"ago": timedelta(minutes=6)}, 401, "five minutes"),
        ({"ago": -timedelta(minutes=6)}, 401, "five minutes"),
        ({"sent": b'{"type":"finance.verdict"}'}, 401, "signature"),
        ({"sent": b"\xff\xfe"}, 400, "UTF-8"),
        ({"sent": b"x" * 1_000_000}, 413, "bytes"),
        ({"verdict": "maybe"}, 400, "verdict"),
        ({"surprise": 1}, 400, "surprise"),
        ({"by": guid("nobody")}, 403, "not declared"),
        ({"by": "not-a-guid"}, 400, "approver"),
        ({"message_id": ""}, 401, "headers"),
        ({"message_id": "x" * 300}, 401, "headers"),
    ],
)
async def test_what_is_wrong_has_its_own_clear_answer_and_changes_nothing(
    finance: Finance, how: dict[str, Any], status: int, word: str
) -> None:
    request_id = await finance.found.asked()

    answer = await finance.says(request_id, **how)

    assert answer.status_code == status, answer.text
    assert word in answer.json()["detail"]
    assert await unchanged(finance, request_id)


async def test_an_unknown_or_decided_request_is_told_so(finance: Finance) -> None:
    found, request_id = finance.found, await finance.found.asked()
    await found.decide(request_id, found.ivan)

    unknown = await finance.says(guid("no-request"))
    decided = await finance.says(request_id, "deny", message_id="msg_2")

    assert (unknown.status_code, decided.status_code) == (404, 409)
    assert found.holds()
    assert (await found.record(request_id)).record.verdicts == ()


async def test_an_approver_of_finance_who_left_or_asked_for_it_has_no_verdict(finance: Finance) -> None:
    found = finance.found
    request_id = await found.asked()
    found.scene.world.contoso.directory.users[found.frank.object_id].account_enabled = False
    found.group.members.append(found.fiona.object_id)
    own = await found.asked(by=found.fiona)

    gone = await finance.says(request_id, by=found.frank.object_id)
    mine = await finance.says(own, message_id="msg_2")

    assert (gone.status_code, mine.status_code) == (403, 403)
    assert "their own" in mine.json()["detail"]


async def test_without_a_key_no_verdict_is_taken(open_world: OpenWorld) -> None:
    async with Scene(await open_world(auto_advance=False)) as scene:
        finance = Finance(await locked(scene))
        request_id = await finance.found.asked()

        answer = await finance.says(request_id)

        assert answer.status_code == 404
        assert await unchanged(finance, request_id)


async def test_over_the_budget_a_request_is_not_put_to_pim(finance: Finance) -> None:
    found = await locked(finance.found.scene, "Small", budget="10")

    answer = await found.ask()
    portal = await found.ask_in_portal("small", ticketInfo={"ticketNumber": "x", "ticketSystem": "y"})
    await found.after()
    token = found.scene.world.token(found.emil, "Access.Request")
    body = {"plan": {"region": "westeurope", "days": 30, "vms": [{"size": "Standard_D4s_v5", "count": 2}]}}
    added = await found.scene.call("POST", f"/api/activation-requests/{portal}/plan", body, token=token)
    await found.rest()

    assert (answer.status_code, answer.json()["title"]) == (409, "Over the budget")
    assert added.status_code == 200, added.text
    assert found.status(portal) == "Canceled"
    assert "budget" in (await found.shown(portal))["problem"]
