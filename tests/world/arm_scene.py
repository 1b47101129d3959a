"""What tests of Azure share: a subscription with a group, our application on it, and calls by httpx."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import httpx

from shared.azure_permissions import azure_actions
from tests.sandbox.arm.models.roles import VM_CONTRIBUTOR
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.faults import Faults
from tests.sandbox.graph.models.directory import Group
from tests.world.clouds_scene import CONTOSO, SOURCE_APP, Scene, scene

PIM = "/providers/Microsoft.Authorization"
STABLE = "2020-10-01"
SCHEDULES, INSTANCES = f"{PIM}/roleEligibilitySchedules", f"{PIM}/roleEligibilityScheduleInstances"
REQUESTS, POLICIES = f"{PIM}/roleEligibilityScheduleRequests", f"{PIM}/roleManagementPolicyAssignments"
FURTHER_ACTIONS = (
    "Microsoft.Authorization/roleDefinitions/read",
    "Microsoft.Authorization/roleEligibilityScheduleRequests/cancel/action",
    "Microsoft.Authorization/roleManagementPolicies/approvalRule/action",
    "Microsoft.Authorization/roleManagementPolicies/read",
    "Microsoft.Authorization/roleManagementPolicies/write",
    "Microsoft.Resources/subscriptions/read",
)


def named(name: str) -> str:
    """A request's name: the same for the same word."""
    return str(uuid5(NAMESPACE_DNS, name))


def moment(value: datetime) -> str:
    """As Azure writes it."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(kw_only=True)
class AzureScene:
    """Production, a subscription of Contoso's, where engineers may be made eligible."""

    world: Scene
    production: Subscription
    engineers: Group
    principal_id: str

    async def token(self) -> str:
        """For Resource Manager."""
        answer = await self.world.token(CONTOSO, SOURCE_APP, scope=f"{self.world.clouds.arm}/.default")
        return str(answer.json()["access_token"])

    async def call(
        self, line: str, body: object = None, *, version: str | None = STABLE, token: str | None = None, **query: str
    ) -> httpx.Response:
        """One call; a path that begins with the provider is meant at Production's scope."""
        method, path = line.split(" ", 1)
        given = {**({"api-version": version} if version else {}), **query}
        return await self.world.client.request(
            method,
            self.world.clouds.arm + (self.production.scope.path if path.startswith("/providers") else "") + path,
            json=body,
            params={f"${name}" if name in ("filter", "skiptoken") else name: value for name, value in given.items()},
            headers={"Authorization": f"Bearer {token or await self.token()}"},
        )

    async def listed(self, path: str, **query: str) -> list[dict[str, Any]]:
        """The first page of a list that must answer."""
        answer = await self.call(f"GET {path}", **query)
        assert answer.status_code == 200, answer.text
        value: list[dict[str, Any]] = answer.json()["value"]
        return value

    def body(self, days: float = 180, **fields: object) -> dict[str, Any]:
        """A request that makes the engineers eligible for Virtual Machine Contributor."""
        end = moment(self.world.clock.now() + timedelta(days=days))
        properties = {
            "principalId": self.engineers.id,
            "roleDefinitionId": self.role(),
            "requestType": "AdminAssign",
            "justification": "Declared",
            "scheduleInfo": {"expiration": {"type": "AfterDateTime", "endDateTime": end}},
            **fields,
        }
        return {"properties": properties}

    def role(self, role_id: str = VM_CONTRIBUTOR) -> str:
        """As it must be sent at a subscription and below."""
        return f"{self.production.scope.path}{PIM}/roleDefinitions/{role_id}"

    async def ask(self, name: str, days: float = 180, **fields: object) -> dict[str, Any]:
        """A request that must be accepted."""
        answer = await self.call(f"PUT {REQUESTS}/{named(name)}", self.body(days, **fields))
        assert answer.status_code == 201, answer.text
        properties: dict[str, Any] = answer.json()["properties"]
        return properties

    async def refusal(self, name: str, days: float = 180, **fields: object) -> tuple[int, str]:
        """Status and code of a request that must not be."""
        answer = await self.call(f"PUT {REQUESTS}/{named(name)}", self.body(days, **fields))
        assert not answer.is_success, answer.text
        return answer.status_code, answer.json()["error"]["code"]


@asynccontextmanager
async def azure_scene(
    folder: Path,
    *,
    actions: Iterable[str] = (),
    flipped: Sequence[str] = (),
    faults: Faults | None = None,
    quick: bool = True,
) -> AsyncIterator[AzureScene]:
    """Our application holds the custom role of the app, and the further actions given."""
    async with scene(folder, flipped=flipped, faults=faults, quick=quick) as world:
        production = world.clouds.azure.add_subscription(world.contoso, "Production")
        principal = world.contoso.applications.by_app_id(SOURCE_APP)
        assert principal is not None
        world.clouds.azure.give(principal.id, production, {*azure_actions(), *FURTHER_ACTIONS, *actions})
        engineers = world.contoso.directory.add_group("Engineers", [world.ana.object_id])
        yield AzureScene(world=world, production=production, engineers=engineers, principal_id=principal.id)
