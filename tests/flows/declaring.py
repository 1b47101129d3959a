"""A managed subscription in a scene: what is declared there, what Azure's PIM holds by truth, and what was asked of it."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from shared.azure_permissions import VM_CONTRIBUTOR
from shared.chain import Entry, verify
from shared.identifiers import SubscriptionId
from shared.subscriptions.record import Subscription as Kept
from tests.flows.renewing import midnight
from tests.flows.scene import Scene
from tests.sandbox.arm.models.records import Schedule
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.graph.models.directory import Group
from tests.sandbox.population import managed_subscription

VMS = "Virtual Machine Contributor"


class Managed:
    """One subscription with one group of engineers, Emil, who are eligible for Virtual Machine Contributor."""

    def __init__(self, scene: Scene, subscription: Subscription, group: Group) -> None:
        self.scene = scene
        self.subscription = subscription
        self.group = group

    @property
    def id(self) -> SubscriptionId:
        """The subscription's id."""
        return SubscriptionId(self.subscription.id)

    @property
    def path(self) -> str:
        """Its record at the API."""
        return f"/api/subscriptions/{self.id}"

    async def declare(self, *eligibilities: dict[str, Any], token: str | None = "", **more: Any) -> httpx.Response:
        """PUT: these eligibilities; the group's, where none is given."""
        wanted = list(eligibilities) or [{"role": VMS, "groups": [self.group.id]}]
        return await self.scene.call("PUT", self.path, {"eligibilities": wanted, **more}, token=token)

    def held(self, principal_id: str = "", role_id: str = VM_CONTRIBUTOR) -> Schedule | None:
        """What PIM holds for the group, by truth."""
        return self.subscription.pim.of(principal_id or self.group.id, role_id)

    def end(self, principal_id: str = "", role_id: str = VM_CONTRIBUTOR) -> datetime:
        """When it ends."""
        found = self.held(principal_id, role_id)
        assert found is not None
        assert found.end is not None
        return found.end

    def requests(self) -> list[str]:
        """What the app asked PIM for, in order."""
        return [
            one.wanted.action for one in self.subscription.pim.requests.values() if one.wanted.justification is not None
        ]

    def calls(self, since: int = 0) -> list[str]:
        """What Resource Manager received of this subscription, as `METHOD last part of the path`."""
        entries = list(self.scene.world.clouds.recorder.entries)[since:]
        ours = [one for one in entries if one.service == "arm" and self.id in one.path]
        return [f"{one.method} {one.path.partition('Microsoft.Authorization/')[2].partition('/')[0]}" for one in ours]

    async def told(self) -> dict[str, tuple[str, str | None]]:
        """What today's report says of each of the subscription's eligibilities, by principal: outcome and why."""
        answer = await self.scene.call("GET", f"/api/renewals/{midnight(self.scene):%Y-%m-%d}")
        assert answer.status_code == 200, answer.text
        found = [one for one in answer.json()["subscriptions"] if one["subscriptionId"] == self.id]
        return {line["principalId"]: (line["outcome"], line["why"]) for one in found for line in one["eligibilities"]}

    async def kept(self) -> Kept:
        """Its partition, from the store."""
        found = await self.scene.subscriptions.read(self.id)
        assert found is not None
        return found

    async def entries(self) -> list[Entry]:
        """Its audit trail, oldest first, with its chain verified."""
        entries = await self.scene.audit.entries(self.id)
        verify(entries)
        return entries


def managed(scene: Scene, name: str = "Production", *, days: float | None = 100) -> Managed:
    """A subscription whose engineers are eligible for so many days more; None: not at all."""
    world = scene.world
    subscription = managed_subscription(world.clouds, world.contoso, name)
    group = world.contoso.directory.add_group(f"VM engineers of {name}", [world.people.engineer.object_id])
    if days is not None:
        subscription.eligible(group.id, end=midnight(scene) + timedelta(days=days))
    return Managed(scene, subscription, group)


async def declared(scene: Scene, name: str = "Production", *, days: float | None = 100) -> Managed:
    """As above, and declared by the operator."""
    found = managed(scene, name, days=days)
    answer = await found.declare()
    assert answer.status_code == 201, answer.text
    return found
