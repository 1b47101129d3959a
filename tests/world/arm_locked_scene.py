"""What tests of activations and approvals share: an engineer who is eligible, and finance, who approves."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.sandbox.arm.tokens import person_token
from tests.sandbox.personas import Person
from tests.world.arm_scene import PIM, AzureScene, azure_scene, named

REQUESTS = f"{PIM}/roleAssignmentScheduleRequests"
SCHEDULES, INSTANCES = f"{PIM}/roleAssignmentSchedules", f"{PIM}/roleAssignmentScheduleInstances"
APPROVALS = f"{PIM}/roleAssignmentApprovals"
PREVIEW = "2021-01-01-preview"
_ACTIONS = (
    "roleAssignmentScheduleRequests/read",
    "roleAssignmentScheduleRequests/write",
    "roleAssignmentScheduleRequests/cancel/action",
    "roleAssignmentSchedules/read",
    "roleAssignmentScheduleInstances/read",
    "roleAssignments/read",
)
APPROVE = {"properties": {"reviewResult": "Approve", "justification": "Within budget"}}
DENY = {"properties": {"reviewResult": "Deny", "justification": "Too dear"}}


class Locked:
    """Ana is eligible through the engineers; Fay and Finn, of finance, approve."""

    def __init__(self, azure: AzureScene, fay: Person, finn: Person, finance: str) -> None:
        self.azure, self.fay, self.finn, self.finance = azure, fay, finn, finance
        self.ana, self.activations = azure.world.ana, azure.production.activations

    async def by(
        self,
        person: Person,
        line: str,
        body: object = None,
        *,
        mfa: bool = True,
        contexts: Sequence[str] = (),
        **query: str,
    ) -> httpx.Response:
        """A call with the person's own token."""
        token = person_token(self.azure.world.clouds, person, mfa=mfa, contexts=contexts)
        version = PREVIEW if "Approvals" in line else "2020-10-01"
        at_tenant = line.partition(" ")[2].startswith(APPROVALS)
        if at_tenant:
            method, path = line.split(" ", 1)
            return await self.azure.world.client.request(
                method,
                f"{self.azure.world.clouds.arm}{path}",
                json=body,
                params={"api-version": version, **{f"${name}": value for name, value in query.items()}},
                headers={"Authorization": f"Bearer {token}"},
            )
        return await self.azure.call(line, body, version=version, token=token, **query)

    def body(self, **fields: object) -> dict[str, Any]:
        """Four hours of Virtual Machine Contributor for Ana."""
        window = {"startDateTime": None, "expiration": {"type": "AfterDuration", "duration": "PT4H"}}
        properties = {
            "principalId": self.ana.object_id,
            "roleDefinitionId": self.azure.role(),
            "requestType": "SelfActivate",
            "justification": "A build machine",
            "ticketInfo": {"ticketNumber": "CHG1", "ticketSystem": "Tenantry"},
            "scheduleInfo": window,
            **fields,
        }
        return {"properties": properties}

    async def activate(self, name: str, **fields: object) -> httpx.Response:
        """By Ana."""
        return await self.by(self.ana, f"PUT {REQUESTS}/{named(name)}", self.body(**fields))

    async def stage(self, person: Person, name: str) -> str:
        """The address of the stage, as the person finds it."""
        answer = await self.by(person, f"GET {APPROVALS}/{named(name)}")
        assert answer.status_code == 200, answer.text
        found: str = answer.json()["properties"]["stages"][0]["id"]
        return found

    async def decide(self, person: Person, name: str, body: object = APPROVE, **how: Any) -> httpx.Response:
        """At the stage that the person is asked at."""
        return await self.by(person, f"PATCH {await self.stage(person, name)}", body, **how)

    async def status(self, name: str) -> str:
        """As the app reads it."""
        answer = await self.azure.call(f"GET {REQUESTS}/{named(name)}")
        found: str = answer.json()["properties"]["status"]
        return found


@asynccontextmanager
async def locked(folder: Path, *, flipped: Sequence[str] = (), approval: bool = True) -> AsyncIterator[Locked]:
    async with azure_scene(
        folder, flipped=flipped, actions=[f"Microsoft.Authorization/{action}" for action in _ACTIONS]
    ) as azure:
        contoso, clouds = azure.world.contoso, azure.world.clouds
        fay = clouds.person(contoso, "fay@contoso.com", "Fay Finance")
        finn = clouds.person(contoso, "finn@contoso.com", "Finn Finance")
        finance = contoso.directory.add_group("Finance", [fay.object_id, finn.object_id]).id
        azure.production.eligible(azure.engineers.id, end=azure.world.clock.now() + timedelta(days=100))
        if approval:
            azure.production.pim.policy().approve_by(groups=[finance])
        yield Locked(azure, fay, finn, finance)
