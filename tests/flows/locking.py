"""A subscription that is to be locked down in a scene: what is declared of it, and what its PIM policy says by truth."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx

from shared.azure_permissions import VM_CONTRIBUTOR
from tests.flows.declaring import Managed, managed
from tests.flows.scene import Scene
from tests.sandbox.arm.models.policy import END_USER_ASSIGNMENT, Policy
from tests.sandbox.arm.models.records import Schedule, Window
from tests.sandbox.arm.models.scope import Scope

APPROVAL = f"Approval_{END_USER_ASSIGNMENT}"
PATCH = "PATCH /subscriptions/{id}/providers/Microsoft.Authorization/roleManagementPolicies/{id}"
ASSIGN = "PUT /subscriptions/{id}/providers/Microsoft.Authorization/roleEligibilityScheduleRequests/{id}"


class Locked:
    """A subscription whose engineers are to need an approval by finance, or by senior IT."""

    def __init__(self, scene: Scene, managed: Managed) -> None:
        self.scene = scene
        self.managed = managed
        self.finance = scene.world.people.finance

    @property
    def policy(self) -> Policy:
        """The policy of the role, by truth."""
        return self.managed.subscription.pim.policy(VM_CONTRIBUTOR)

    def lock(self, **changes: Any) -> dict[str, Any]:
        """The `lockDown` of a body."""
        people = self.scene.world.people
        approvers = {"groups": [self.finance.id], "users": [people.ivan.object_id]}
        return {"approvers": approvers, **changes}

    async def put(self, *eligibilities: dict[str, Any], dry_run: bool = False, **changes: Any) -> httpx.Response:
        """PUT: the group's eligibility, and the lock-down."""
        more: dict[str, Any] = {"dryRun": True} if dry_run else {}
        return await self.managed.declare(*eligibilities, lockDown=self.lock(**changes), **more)

    async def locked(self, *eligibilities: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """PUT, and let the run come to its end; gives the record's lock-down."""
        answer = await self.put(*eligibilities, **changes)
        assert answer.status_code == 202, answer.text
        await self.scene.settle()
        return await self.view()

    async def view(self) -> dict[str, Any]:
        """The record's lock-down."""
        answer = await self.scene.call("GET", self.managed.path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["lockDown"]
        return found

    def approvers(self) -> list[str]:
        """Who approves an activation, by truth; nobody where no approval is asked for."""
        setting: Any = self.policy.rules[APPROVAL]["setting"]
        if not setting["isApprovalRequired"]:
            return []
        [stage] = setting["approvalStages"]
        return [one["id"] for one in stage["primaryApprovers"]]

    def writes(self) -> list[str]:
        """What Resource Manager received that was no read."""
        return [one for one in self.managed.calls() if not one.startswith("GET ")]

    def active(
        self, principal_id: str, *, linked: bool, role_id: str = VM_CONTRIBUTOR, scope: Scope | None = None
    ) -> None:
        """PIM shows an active assignment: of somebody who activated it, or whom somebody assigned."""
        subscription, now = self.managed.subscription, self.scene.world.clock.now()
        made = Schedule(
            id=str(uuid4()),
            request_id=None,
            principal_id=principal_id,
            role_id=role_id,
            scope=scope or subscription.scope,
            window=Window(start=now, end=now + timedelta(days=30), kind="AfterDateTime"),
            made_at=None,
            modified_at=now,
        )
        subscription.activations.schedules[made.id] = made
        subscription.activations._linked[made.id] = str(uuid4()) if linked else None

    async def drift(self) -> dict[str, Any]:
        """What the latest night found."""
        found: dict[str, Any] | None = (await self.view())["drift"]
        assert found is not None
        return found

    async def findings(self, kind: str) -> list[dict[str, Any]]:
        """Of one kind."""
        return [one for one in (await self.drift())["findings"] if one["kind"] == kind]


def to_lock(scene: Scene, name: str = "Production", *, days: float | None = None) -> Locked:
    """A subscription whose engineers are eligible for so many days more; None: not at all."""
    return Locked(scene, managed(scene, name, days=days))
