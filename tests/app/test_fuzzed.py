"""Whatever anybody sends: no answer is an error of ours, and each is as the API document says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from shared.activation.record import RUN_KIND
from shared.api import OPERATIONS
from shared.azure_permissions import VM_CONTRIBUTOR
from shared.callers import AppRole
from shared.operations import Access, Operation
from shared.problems import cursor_of
from tests.app.approver import Approver
from tests.app.fuzzing import Known, call_all
from tests.flows.activating import locked
from tests.flows.declaring import VMS
from tests.flows.scene import SETTLE_SECONDS, Scene
from tests.sandbox.population import APPROVE, AUDIT, REQUEST, guid
from tests.sandbox.session import Session
from tests.sandbox.world import World

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.sampled(5)]

_EXAMPLES = 15
_EXAMPLES_REFUSED = 2

_ONCE = {"GET /sign-in/callback"}
"""What is answered well once, in the browser that began: a test of its own tells."""
_RARELY_TAKEN = {"POST /activation-requests"}
"""A plan that Azure could build is hardly made by chance; the flows of activation make them."""

type Caller = AppRole | Access

_TOKENS: dict[Caller, Callable[[World], str | None]] = {
    Access.OPEN: lambda _: None,
    AppRole.READ: lambda world: world.reader_token(),
    AppRole.OPERATE: lambda world: world.operator_token(),
    AppRole.AUDIT: lambda world: world.token(world.people.engineer, AUDIT),
    AppRole.REQUEST: lambda world: world.token(world.people.engineer, REQUEST),
    AppRole.APPROVE: lambda world: world.token(world.people.fiona, APPROVE),
    Access.ANALYST: lambda world: world.token(world.people.ana),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lived_in(session: Session, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """Fabrikam is Ready, Northwind waits for consent, a subscription is locked down, Emil asked for its role; a renewal has
    run.
    """
    async with World(folder=tmp_path_factory.mktemp("fuzzed"), session=session) as world, Scene(world) as scene:
        # Else a day would pass until nobody decided what Emil asks for.
        world.host.be_patient_with(RUN_KIND)
        await scene.onboarded()
        northwind = world.clouds.add_tenant(guid("northwind"), "Northwind", "northwind.com")
        await scene.post(world.people.ben, tenantId=northwind.id, displayName="Northwind")
        await (await locked(scene)).ask()
        await scene.call("POST", "/api/renewals", {})
        await world.host.idle(SETTLE_SECONDS)
        yield scene


async def known(scene: Scene) -> Known:
    """What is there, and some of what only looks so."""
    people, northwind = scene.world.people, guid("northwind")
    tenants = [scene.target, northwind, scene.target.upper(), scene.world.contoso.id]
    subscriptions = [*scene.world.clouds.azure.subscriptions, guid("no-subscription")]
    analysts = [people.ana.object_id, people.ben.object_id]
    requests = next(iter(scene.world.clouds.azure.subscriptions.values())).activations.requests
    record = (await scene.call("GET", f"/api/tenants/{northwind}")).json()
    states = [one["link"].rpartition("/")[2] for one in record["consents"] if one["link"]]
    tokens = [{"PartitionKey": "x", "RowKey": "y"}, {"PartitionKey": "\x00"}, {"x": None}]
    return Known(
        places={
            "path.tenantId": tenants,
            "path.subscriptionId": subscriptions,
            "path.date": [f"{scene.world.clock.now():%Y-%m-%d}", "2026-02-30"],
            "path.analyst": analysts,
            "path.state": states,
            "path.id": [*requests, guid("no-request")],
            "body.subscriptionId": subscriptions,
            "query.subscriptionId": subscriptions,
            "body.plan.region": ["westeurope"],
            "body.plan.vms[*].size": ["Standard_D4s_v5", "Standard_Nothing"],
            "query.state": [*states, "Ready"],
            "query.tenant": tenants,
            "query.subject": [*tenants, *subscriptions],
            "query.from": ["2026-03-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
            "query.cursor": [str(cursor_of(token)) for token in tokens],
            "body.tenantId": tenants,
            "body.tenantIds[*]": tenants,
            "body.subscriptionIds[*]": subscriptions,
            "body.eligibilities[*].role": [VMS, VM_CONTRIBUTOR, "Owner"],
            "body.eligibilities[*].groups[*]": [people.analysts.id],
            "body.eligibilities[*].users[*]": analysts,
            "body.reviewBy": [f"{scene.world.clock.now() + timedelta(days=90):%Y-%m-%d}"],
            "body.domain": ["fabrikam.com", "northwind.com"],
            "body.displayName": ["Fabrikam"],
            "body.duration": ["P180D"],
            "body.analysts.groupId": [people.analysts.id],
            "body.analysts.userIds[*]": analysts,
            "body.groupId": [people.analysts.id],
            "body.userIds[*]": analysts,
        }
    )


def bearing(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def may(caller: Caller, operation: Operation) -> bool:
    return caller in operation.who if isinstance(operation.who, tuple) else operation.who in (caller, Access.OPEN)


def labels(operations: list[Operation]) -> set[str]:
    return {f"{one.method} /{one.path}" for one in operations}


@pytest.mark.parametrize("caller", _TOKENS, ids=str)
async def test_what_is_allowed_is_answered_as_described(lived_in: Scene, caller: Caller) -> None:
    allowed = [one for one in OPERATIONS if may(caller, one) and (caller is Access.OPEN) == (one.who is Access.OPEN)]
    document: dict[str, Any] = (await lived_in.call("GET", "/api/openapi.json", token=None)).json()

    found = await asyncio.to_thread(
        call_all,
        document,
        [one.name for one in allowed],
        bearing(_TOKENS[caller](lived_in.world)),
        await known(lived_in),
        examples=_EXAMPLES,
        coverage=True,
    )
    await lived_in.world.host.idle(SETTLE_SECONDS)

    assert found.wrong == []
    taken = {label for label, status in found.answers if status not in (400, 401, 403)}
    assert taken | _RARELY_TAKEN == (labels(allowed) - _ONCE) | _RARELY_TAKEN
    assert {label for label, status in found.answers if status < 400} | _ONCE >= labels(
        [one for one in allowed if one.method == "GET"]
    )
    assert lived_in.world.host.failures == []
    assert lived_in.world.violations() == []


@pytest.mark.parametrize("caller", _TOKENS, ids=str)
async def test_what_is_not_allowed_is_refused_as_described(lived_in: Scene, caller: Caller) -> None:
    refused = [one for one in OPERATIONS if not may(caller, one) and one.who is not Access.SESSION]
    document: dict[str, Any] = (await lived_in.call("GET", "/api/openapi.json", token=None)).json()

    found = await asyncio.to_thread(
        call_all,
        document,
        [one.name for one in refused],
        bearing(_TOKENS[caller](lived_in.world)),
        await known(lived_in),
        examples=_EXAMPLES_REFUSED,
        coverage=False,
    )

    assert found.wrong == []
    assert found.operations == labels(refused)
    assert {status for _, status in found.answers} == {401 if caller is Access.OPEN else 403}
    assert lived_in.world.host.failures == []


async def test_a_browser_with_a_session_is_answered_as_described(lived_in: Scene) -> None:
    pages = [one for one in OPERATIONS if one.who is Access.SESSION]
    document: dict[str, Any] = (await lived_in.call("GET", "/api/openapi.json", token=None)).json()
    fiona = lived_in.world.people.fiona
    async with Approver(lived_in.world, fiona) as browser:
        await browser.open("/api/approvals")
        cookies = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())

    found = await asyncio.to_thread(
        call_all,
        document,
        [one.name for one in pages],
        {"Cookie": cookies},
        await known(lived_in),
        examples=_EXAMPLES,
        coverage=True,
    )

    assert found.wrong == []
    assert found.operations == labels(pages)
    assert "GET /approvals" in {label for label, status in found.answers if status == 200}
    assert lived_in.world.host.failures == []
    assert lived_in.world.violations() == []
