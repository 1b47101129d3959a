"""The routes that read: the list, by state and paged, and the record."""

import asyncio

import msgspec
import pytest

from shared.permissions import SECURITY_READER, Registration, needed
from shared.running.acts import ACTS
from shared.tenants.change import Change
from shared.tenants.record import Tenant
from shared.tenants.states import State
from tests.app.seeds import seed
from tests.flows.scene import STANDARD, Scene

pytestmark = pytest.mark.sampled(3)

_SUMMARY = {"tenantId", "displayName", "domain", "state", "since", "deadline", "run", "problem", "whatToDo", "href"}
_RECORD = _SUMMARY | {
    "wanted",
    "requestedBy",
    "cancelledBy",
    "confirmed",
    "warnings",
    "acts",
    "consents",
    "analysts",
    "eligibilities",
    "permissions",
    "signIn",
    "health",
    "skipped",
    "leftToKit",
    "reviewBy",
    "proof",
    "checklist",
    "administratorChecklist",
}


async def listed(scene: Scene, query: str = "") -> list[str]:
    """Tenant ids over all pages, in the order given."""
    found: list[str] = []
    cursor = ""
    while True:
        answer = await scene.call("GET", f"/api/tenants?{'&'.join(part for part in (query, cursor) if part)}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [one["tenantId"] for one in page["value"]]
        if "cursor" not in page:
            return found
        cursor = f"cursor={page['cursor']}"


async def test_an_empty_house_has_an_empty_list(scene: Scene) -> None:
    assert (await scene.call("GET", "/api/tenants")).json() == {"value": []}
    assert await listed(scene, "state=Ready") == []


async def test_a_long_list_comes_in_pages_and_every_tenant_once(scene: Scene) -> None:
    blocked = await asyncio.gather(*(seed(scene, f"blocked-{number}", State.BLOCKED) for number in range(105)))
    ready = await asyncio.gather(*(seed(scene, f"ready-{number}", State.READY) for number in range(3)))

    first = (await scene.call("GET", "/api/tenants?state=Blocked")).json()
    by_state, everybody = await listed(scene, "state=Blocked"), await listed(scene)

    assert len(first["value"]) < len(blocked)
    assert sorted(by_state) == sorted(blocked)
    assert sorted(everybody) == sorted([*blocked, *ready])


def begun(tenant: Tenant) -> Change:
    return Change(record=msgspec.structs.replace(tenant.record, state=State.ONBOARDING))


async def test_a_tenant_is_listed_in_the_state_it_is_in_and_in_no_other(scene: Scene) -> None:
    moved = await seed(scene, "moved", State.FAILED)

    await scene.tenants.update(moved, begun)

    assert await listed(scene, "state=Failed") == []
    assert await listed(scene, "state=Onboarding") == [moved]
    assert await listed(scene) == [moved]


async def test_a_line_of_the_list_says_how_it_stands_and_where_to_read_more(scene: Scene) -> None:
    tenant_id = await seed(scene, "one", State.BLOCKED)

    [line] = (await scene.call("GET", "/api/tenants", token=scene.world.reader_token())).json()["value"]

    assert set(line) == _SUMMARY
    assert (line["state"], line["displayName"], line["run"]) == ("Blocked", "Seeded", 1)
    assert line["href"] == f"{scene.world.host.url}/api/tenants/{tenant_id}"


async def test_the_record_of_a_ready_tenant_shows_all_that_was_done(scene: Scene) -> None:
    people, world = scene.world.people, scene.world

    record = await scene.onboarded(people.ana, people.ben)

    assert set(record) == _RECORD
    assert [(act["number"], act["name"], act["state"]) for act in record["acts"]] == [
        (act.number, act.name, "Done") for act in ACTS
    ]
    assert all(act["since"] <= act["ended"] for act in record["acts"])
    assert (record["problem"], record["whatToDo"], record["deadline"]) == (None, [], None)
    assert (record["requestedBy"], record["cancelledBy"]) == (people.operator.object_id, None)
    assert record["wanted"] == {
        "analysts": {"userIds": sorted([people.ana.object_id, people.ben.object_id])},
        "duration": "P180D",
        "trust": {"mfa": True, "compliantDevice": False, "hybridJoined": False},
        "features": [],
        "access": {"mode": "users", "groupId": None},
        "withoutPim": "refuse",
    }
    assert record["health"] is None  # no night has been yet
    accounts = {one["objectId"]: one["targetObjectId"] for one in record["analysts"]}
    assert set(accounts.values()) <= set(world.fabrikam.directory.users)
    assert {(one["analyst"], one["principalId"]) for one in record["eligibilities"]} == set(accounts.items())
    assert {one["roleDefinitionId"] for one in record["eligibilities"]} == {SECURITY_READER}
    assert [one["state"] for one in record["consents"]] == ["proved"] * len(STANDARD)
    assert {one["registration"]: (one["tenant"], one["permissions"]) for one in record["permissions"]} == {
        **{one.value: (scene.target, list(needed(one))) for one in STANDARD},
        Registration.SOURCE.value: (world.contoso.id, list(needed(Registration.SOURCE))),
    }
    assert {one["analyst"] for one in record["checklist"]} == set(accounts)
    assert any(scene.target in item["link"] for one in record["checklist"] for item in one["items"])


async def test_an_id_is_read_in_any_case(scene: Scene) -> None:
    tenant_id = await seed(scene, "one", State.BLOCKED)

    answer = await scene.call("GET", f"/api/tenants/{tenant_id.upper()}")

    assert answer.json()["tenantId"] == tenant_id
