"""Analysts confirm their checklist step by step, each in person; the record shows how far everybody is."""

from typing import Any

import httpx
import pytest

from shared.onboarding.checklist import Item
from shared.permissions import Registration
from tests.app.answers import PROBLEM, content_type
from tests.flows.scene import Scene
from tests.sandbox.personas import Person
from tests.sandbox.population import CLIENT_IDS, OPERATE

pytestmark = pytest.mark.sampled(3)

API = CLIENT_IDS[Registration.API]


async def confirm(scene: Scene, person: Person, body: Any, *, token: str | None = None) -> httpx.Response:
    """POST the person's own list, by the person's own token, which needs no app role."""
    path = f"/api/tenants/{scene.target}/checklist/{person.object_id}"
    return await scene.call("POST", path, body, token=token or scene.world.token(person))


async def test_a_step_is_confirmed_once_and_can_be_taken_back(scene: Scene) -> None:
    ana = scene.world.people.ana
    await scene.onboarded()

    first = await confirm(scene, ana, {"item": "role"})
    again = await confirm(scene, ana, {"item": "role"})

    assert first.status_code == 200, first.text
    assert first.json() == again.json()
    assert first.json()["confirmed"] == "1 of 5"
    times = {item["id"]: item["confirmed"] for item in first.json()["items"]}
    assert [name for name, at in times.items() if at] == ["role"]

    back = await confirm(scene, ana, {"item": "role", "confirmed": False})

    assert back.json()["confirmed"] == "0 of 5"


async def test_a_tenant_shows_how_many_analysts_have_confirmed_everything(scene: Scene) -> None:
    people = scene.world.people
    before = await scene.onboarded(people.ana, people.ben)
    assert before["confirmed"] == "0 of 2"

    for item in Item:
        await confirm(scene, people.ana, {"item": item.value})
    await confirm(scene, people.ben, {"item": "organization"})

    record = await scene.record()
    assert record["confirmed"] == "1 of 2"
    assert {one["name"]: one["confirmed"] for one in record["checklist"]} == {
        "Ana Analyst": "5 of 5",
        "Ben Analyst": "1 of 5",
    }


async def test_nobody_confirms_for_somebody_else(scene: Scene) -> None:
    world, ana = scene.world, scene.world.people.ana
    await scene.onboarded()
    others = {
        "a colleague": world.token(world.people.ben),
        "the operator": world.operator_token(),
        "a guest with her id": world.clouds.user_token(ana, API, (), acct=1),
        "an application with her id": world.clouds.app_token(world.contoso, API, (OPERATE,), oid=ana.object_id),
    }

    for who, token in others.items():
        refused = await confirm(scene, ana, {"item": "role"}, token=token)
        assert (refused.status_code, content_type(refused)) == (403, PROBLEM), who
    assert (await scene.record())["confirmed"] == "0 of 1"


async def test_there_is_nothing_to_confirm_for_strangers_and_before_the_tenant_is_ready(scene: Scene) -> None:
    people = scene.world.people
    await scene.post(people.ana)
    assert await scene.settle() == "WaitingForConsent"

    assert (await confirm(scene, people.ben, {"item": "role"})).status_code == 404
    early = await confirm(scene, people.ana, {"item": "role"})
    assert (early.status_code, "WaitingForConsent" in early.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "item"), ({"item": "everything"}, "item"), ({"item": "role", "done": True}, "done"), ([], "body")],
)
async def test_a_wrong_body_is_answered_by_the_name_of_its_field(scene: Scene, body: Any, field: str) -> None:
    answer = await confirm(scene, scene.world.people.ana, body)

    assert (answer.status_code, answer.json()["field"]) == (400, field)
