"""Bad input over HTTP: each kind has its own answer that names the field, and nothing is written anywhere.

The shapes of bodies are tried out in tests/unit/test_request.py; here is what needs the directory, and the way from the
host's request to the answer.
"""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.app.answers import PROBLEM, content_type
from tests.app.store import rows
from tests.flows.scene import Scene
from tests.sandbox.personas import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

_NOBODY = "00000000-0000-4000-8000-000000000000"

type Wrong = Callable[[Scene], dict[str, Any]]


async def nothing_was_written(scene: Scene) -> None:
    assert await rows(scene.world) == {}
    assert scene.sent() == []
    assert scene.world.host.orchestrations() == []


def assert_problem(answer: httpx.Response, field: str, reason: str) -> None:
    assert answer.status_code == 400, answer.text
    assert content_type(answer) == PROBLEM
    problem = answer.json()
    assert (problem["type"], problem["status"], problem["field"]) == ("about:blank", 400, field)
    assert reason in problem["reason"]
    assert problem["title"]
    assert problem["detail"] == f"{field}: {problem['reason']}"


def analysts(*people: Person | str) -> dict[str, Any]:
    return {"analysts": {"userIds": [one if isinstance(one, str) else one.object_id for one in people]}}


def group(scene: Scene, *members: str) -> dict[str, Any]:
    """A group of the source that was there before."""
    return {"analysts": {"groupId": scene.world.contoso.directory.add_group("Group", members).id}}


def disabled(scene: Scene) -> str:
    user = scene.world.contoso.directory.add_user("dora@contoso.com", "Dora Disabled")
    user.account_enabled = False
    return user.id


def nested(scene: Scene) -> dict[str, Any]:
    inner = scene.world.contoso.directory.add_group("Inner", [scene.world.people.ana.object_id])
    return group(scene, inner.id)


_UNKNOWN: list[tuple[str, Wrong, str, str]] = [
    ("tenant", lambda _: {"tenantId": _NOBODY}, "tenantId", "no such tenant"),
    ("domain", lambda _: {"tenantId": None, "domain": "nowhere.example"}, "domain", "no such tenant"),
    ("source by id", lambda s: {"tenantId": s.world.contoso.id.upper()}, "tenantId", "source tenant itself"),
    ("source by domain", lambda _: {"tenantId": None, "domain": "Contoso.com"}, "domain", "source tenant itself"),
    (
        "source by its other domain",
        lambda _: {"tenantId": None, "domain": "contoso.onmicrosoft.com"},
        "domain",
        "source tenant itself",
    ),
    ("user", lambda s: analysts(s.world.people.ana, _NOBODY), "analysts.userIds", f"{_NOBODY} does not exist"),
    ("user of the target", lambda s: analysts(s.world.people.administrator), "analysts.userIds", "does not exist"),
    ("guest", lambda s: analysts(s.world.people.ana, s.world.people.guest), "analysts.userIds", "is a guest"),
    ("disabled", lambda s: analysts(disabled(s)), "analysts.userIds", "is disabled"),
    ("group", lambda _: {"analysts": {"groupId": _NOBODY}}, "analysts.groupId", "no such group"),
    (
        "a user as the group",
        lambda s: {"analysts": {"groupId": s.world.people.ana.object_id}},
        "analysts.groupId",
        "group",
    ),
    ("empty group", group, "analysts.groupId", "no direct members"),
    ("nested groups only", nested, "analysts.groupId", "nested groups do not count"),
    ("group with a guest", lambda s: group(s, s.world.people.guest.object_id), "analysts.groupId", "is a guest"),
    ("group with a disabled one", lambda s: group(s, disabled(s)), "analysts.groupId", "is disabled"),
]


@pytest.mark.parametrize(("wrong", "field", "reason"), [one[1:] for one in _UNKNOWN], ids=[one[0] for one in _UNKNOWN])
async def test_who_or_what_the_directory_does_not_know_is_named(
    untouched: Scene, wrong: Wrong, field: str, reason: str
) -> None:
    answer = await untouched.post(untouched.world.people.ana, **wrong(untouched))

    assert_problem(answer, field, reason)
    await nothing_was_written(untouched)


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_plan_is_refused_for_the_same_input(untouched: Scene, *, dry_run: bool) -> None:
    answer = await untouched.post(**analysts(_NOBODY), dryRun=dry_run)

    assert_problem(answer, "analysts.userIds", "does not exist")


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"tenantId": "fabrikam"}, "tenantId", "not a GUID"),
        ({"domain": "fabrikam.com"}, "tenantId", "exactly one"),
        ({"tenantId": None}, "tenantId", "exactly one"),
        ({"tenantId": None, "domain": "fabri kam"}, "domain", "not a domain"),
        ({"analysts": {}}, "analysts", "exactly one"),
        ({"analysts": {"groupId": _NOBODY, "userIds": [_NOBODY]}}, "analysts", "exactly one"),
        ({"analysts": {"userIds": [_NOBODY, _NOBODY]}}, "analysts.userIds", "twice"),
        ({"displayName": ["Fabrikam"]}, "displayName", "Expected `str`"),
        ({"displayName": "\u202efabrikam"}, "displayName", "printable"),
        ({"duration": "half a year"}, "duration", "ISO 8601"),
        ({"trust": {"mfa": 1}}, "trust.mfa", "Expected `bool`"),
        ({"features": ["fishing"]}, "features[0]", "none of hunting"),
        ({"features": ["hunting", "hunting"]}, "features", "twice"),
        ({"state": "Ready"}, "state", "is no field"),
    ],
)
async def test_a_body_of_another_shape_is_refused(
    untouched: Scene, changes: dict[str, Any], field: str, reason: str
) -> None:
    answer = await untouched.post(untouched.world.people.ana, **changes)

    assert_problem(answer, field, reason)
    await nothing_was_written(untouched)


@pytest.mark.parametrize(
    ("content", "content_type", "field"),
    [
        (b"", "application/json", "body"),
        (b"tenantId=x", "application/json", "body"),
        (b'{"displayName":"\xff"}', "application/json", "body"),
        (b"[]", "application/json", "body"),
        (b" " * 70_000, "application/json", "body"),
        (b"{}", "text/plain", "Content-Type"),
        (b"{}", "application/x-www-form-urlencoded", "Content-Type"),
    ],
    ids=["empty", "form", "no utf-8", "list", "too large", "text", "form by name"],
)
async def test_what_is_no_json_object_is_refused(
    untouched: Scene, content: bytes, content_type: str, field: str
) -> None:
    answer = await untouched.call("POST", "/api/tenants", content=content, headers={"Content-Type": content_type})

    assert_problem(answer, field, "")
    await nothing_was_written(untouched)


async def test_a_body_without_a_content_type_is_refused(untouched: Scene) -> None:
    good = json.dumps(untouched.world.fabrikam_request()).encode()

    answer = await untouched.call("POST", "/api/tenants", content=good)

    assert_problem(answer, "Content-Type", "application/json")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/tenants/fabrikam.com", "tenantId"),
        ("/api/tenants/fabri%0Akam", "tenantId"),
        ("/api/tenants?state=Sleeping", "state"),
        ("/api/tenants?state=", "state"),
        ("/api/tenants?cursor=x", "cursor"),
        ("/api/tenants?cursor=", "cursor"),
        ("/api/tenants?cursor=%C3%A4", "cursor"),
        ("/api/tenants?cursor=NQ==", "cursor"),  # 5
        ("/api/tenants?cursor=W10=", "cursor"),  # []
        ("/api/tenants?cursor=e30=", "cursor"),  # {}
        ("/api/tenants?cursor=eyJQYXJ0aXRpb25LZXkiOjV9", "cursor"),  # {"PartitionKey":5}
        ("/api/tenants?cursor=bnVsbA==", "cursor"),  # null
        ("/api/tenants?cursor=" + "W1tb" * 2000, "cursor"),  # [[[...
        ("/api/tenants?cursor=eyJQYXJ0aXRpb25LZXkiOiJ4IiwiUm93S2V5IjoieSJ9", "cursor"),  # of our form, but a forged one
    ],
)
async def test_a_path_or_query_that_is_wrong_is_refused(untouched: Scene, path: str, field: str) -> None:
    assert_problem(await untouched.call("GET", path), field, "")


@pytest.mark.parametrize("path", ["", "/cancel", "/retry"])
async def test_a_tenant_that_nobody_onboarded_is_not_found(untouched: Scene, path: str) -> None:
    method = "POST" if path else "GET"

    answer = await untouched.call(method, f"/api/tenants/{untouched.target}{path}")

    assert answer.status_code == 404
    assert content_type(answer) == PROBLEM
    await nothing_was_written(untouched)


async def test_no_answer_may_be_stored_or_sniffed(untouched: Scene) -> None:
    for answer in (
        await untouched.call("GET", "/api/tenants"),
        await untouched.call("GET", "/api/tenants/x"),
        await untouched.call("GET", "/api/tenants", token=None),
    ):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_plan_says_what_would_happen_and_writes_nothing(untouched: Scene) -> None:
    answer = await untouched.post(dryRun=True)

    assert answer.status_code == 200
    plan = answer.json()
    people = untouched.world.people
    assert (plan["tenantId"], plan["knownAs"], plan["domain"]) == (untouched.target, "Fabrikam", "fabrikam.com")
    assert plan["dryRun"] is True
    assert {one["objectId"] for one in plan["analysts"]} == {
        one.object_id for one in (people.ana, people.ben, people.cleo)
    }
    assert [act["would"] for act in plan["acts"]] == ["run"] * len(plan["acts"])
    assert (plan["state"], plan["hasWritten"]) == (None, False)
    assert plan["unknown"]
    await nothing_was_written(untouched)


async def test_a_plan_tells_the_permissions_of_what_is_wanted(untouched: Scene) -> None:
    plain, hunting = [(await untouched.post(dryRun=True, features=names)).json() for names in ([], ["hunting"])]

    told = [{one["registration"] for one in plan["permissions"]} for plan in (plain, hunting)]
    assert told[1] - told[0] == {"Tenantry Hunt"}
    assert {"Tenantry Setup", "Tenantry Access", "Tenantry Source"} == told[0]


async def test_a_domain_leads_to_the_tenant(untouched: Scene) -> None:
    for domain in ("fabrikam.com", "FABRIKAM.onmicrosoft.com"):
        answer = await untouched.post(tenantId=None, domain=domain, dryRun=True)

        assert (answer.status_code, answer.json()["tenantId"]) == (200, untouched.target)


async def test_a_group_with_users_and_groups_means_its_users(untouched: Scene) -> None:
    ana = untouched.world.people.ana
    inner = untouched.world.contoso.directory.add_group("Inner", [untouched.world.people.ben.object_id])

    answer = await untouched.post(**group(untouched, inner.id, ana.object_id), dryRun=True)

    assert [one["objectId"] for one in answer.json()["analysts"]] == [ana.object_id]
