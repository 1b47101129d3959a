"""A locked subscription in a scene: Emil asks, finance and senior IT decide, and PIM is looked at by truth."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import httpx
from msgspec.structs import replace

from shared.activation.record import Activation, RequestId
from shared.activation.store import ActivationStore
from shared.azure_permissions import VM_CONTRIBUTOR
from shared.chain import Entry, verify
from shared.identifiers import ObjectId
from shared.services import new_id
from shared.subscriptions.lockdown import Budget, ExpectedSizes, LockDown, MoneyRules, Principals
from shared.subscriptions.record import Change
from shared.subscriptions.record import Subscription as Kept
from shared.tables import Table
from tests.flows.declaring import Managed, managed
from tests.flows.scene import Scene
from tests.sandbox.arm.models.activations import Activation as AtPim
from tests.sandbox.arm.tokens import person_token
from tests.sandbox.personas import Person
from tests.sandbox.population import APPROVE, REQUEST

PLAN: dict[str, Any] = {
    "region": "westeurope",
    "days": 10,
    "vms": [{"size": "Standard_D4s_v5", "count": 2, "operatingSystem": "linux"}],
    "disks": [{"kind": "premiumSsd", "sizeGib": 128, "count": 2}],
}
REQUESTS = "/api/activation-requests"
_CYCLE = timedelta(minutes=3)


class Locked(Managed):
    """A subscription whose engineers need an approval by finance or senior IT."""

    def __init__(self, found: Managed) -> None:
        super().__init__(found.scene, found.subscription, found.group)
        world = found.scene.world
        self.emil, self.fiona, self.frank, self.ivan = (
            world.people.engineer,
            world.people.fiona,
            world.people.frank,
            world.people.ivan,
        )
        state = found.scene._state.get_table_client
        self.store = ActivationStore(
            Table(state, "Requests", world.clock), Table(state, "RequestIndex", world.clock), world.clock, new_id
        )

    async def ask(self, *, by: Person | None = None, token: str = "", **changes: Any) -> httpx.Response:
        """POST /api/activation-requests for two hours with a plan, as Emil."""
        body = {"subscriptionId": self.id, "hours": 2, "reason": "A build machine", "plan": PLAN, **changes}
        headers = {"Idempotency-Key": body.pop("key")} if "key" in body else {}
        bearer = token or self.scene.world.token(by or self.emil, REQUEST)
        return await self.scene.call("POST", REQUESTS, body, token=bearer, headers=headers)

    async def asked(self, **changes: Any) -> RequestId:
        """As above, and PIM took it; the run that follows it had its first look."""
        answer = await self.ask(**changes)
        assert answer.status_code == 202, answer.text
        await self.rest()
        return RequestId(answer.json()["id"])

    async def ask_in_portal(
        self, name: str = "portal", *, by: Person | None = None, as_id: str = "", **fields: object
    ) -> RequestId:
        """The same in the portal: Azure hears of it, and the app does not."""
        person, request_id = by or self.emil, RequestId(as_id or str(uuid5(NAMESPACE_DNS, name)))
        window = {"startDateTime": None, "expiration": {"type": "AfterDuration", "duration": "PT4H"}}
        properties = {
            "principalId": person.object_id,
            "roleDefinitionId": f"{self._pim}/roleDefinitions/{VM_CONTRIBUTOR}",
            "requestType": "SelfActivate",
            "justification": "Something in the portal",
            "ticketInfo": {"ticketNumber": "CHG1", "ticketSystem": "Somewhere"},
            "scheduleInfo": window,
            **fields,
        }
        answer = await self.at_azure(person, "PUT", f"{self._requests}/{request_id}", {"properties": properties})
        assert answer.status_code == 201, answer.text
        return request_id

    async def decide_in_portal(self, request_id: RequestId, by: Person, result: str = "Approve") -> None:
        """An approver decides without us."""
        path = f"/providers/Microsoft.Authorization/roleAssignmentApprovals/{request_id}"
        found = await self.at_azure(by, "GET", path, version="2021-01-01-preview")
        assert found.status_code == 200, found.text
        [stage] = found.json()["properties"]["stages"]
        decision = {"reviewResult": result, "justification": "In the portal"}
        flat = self.scene.world.clouds.switches.is_flipped("arm-decision-is-flat")
        body = decision if flat else {"properties": decision}
        answer = await self.at_azure(by, "PATCH", stage["id"], body, version="2021-01-01-preview")
        assert answer.status_code in (200, 204), answer.text

    async def at_azure(
        self, person: Person, method: str, path: str, body: object = None, *, version: str = "2020-10-01"
    ) -> httpx.Response:
        """A call with the person's own token for Azure, past the app."""
        clouds = self.scene.world.clouds
        headers = {"Authorization": f"Bearer {person_token(clouds, person)}"}
        async with httpx.AsyncClient(verify=self.scene.world.certificates.client_context(), trust_env=False) as http:
            return await http.request(
                method, f"{clouds.arm}{path}", json=body, params={"api-version": version}, headers=headers
            )

    async def decide(
        self,
        request_id: RequestId,
        by: Person | None = None,
        decision: str = "approve",
        reason: str = "Within the budget",
        token: str = "",
    ) -> httpx.Response:
        """POST .../decision, as Fiona unless somebody else is named."""
        bearer = token or self.scene.world.token(by or self.fiona, APPROVE)
        body = {"decision": decision, "reason": reason}
        return await self.scene.call("POST", f"{REQUESTS}/{request_id}/decision", body, token=bearer)

    async def shown(self, request_id: RequestId) -> dict[str, Any]:
        """GET /api/activation-requests/{id}."""
        answer = await self.scene.call("GET", f"{REQUESTS}/{request_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def record(self, request_id: RequestId) -> Activation:
        """Its partition, from the store."""
        found = await self.store.read(request_id)
        assert found is not None
        return found

    async def rest(self, seconds: float = 60.0) -> None:
        """Let everything that runs come to rest, for now."""
        await self.scene.world.host.idle(seconds)

    async def after(self, time: timedelta = _CYCLE) -> None:
        """Let time go by, with the watcher at work."""
        self.scene.world.clock.advance(time.total_seconds())
        await self.rest()

    def sent(self, endpoint: str = "webhook") -> list[str]:
        """The kinds of what went out, in order."""
        return [str(one.get("type")) for one in self.scene.world.receiver.taken(endpoint)]

    def at_pim(self, request_id: RequestId) -> AtPim:
        """The request, by truth."""
        return self.subscription.activations.requests[request_id]

    def status(self, request_id: RequestId) -> str:
        """PIM's status, by truth."""
        return self.subscription.activations.status_of(self.at_pim(request_id))

    def holds(self, person: Person | None = None) -> bool:
        """Whether somebody has the role now."""
        who = (person or self.emil).object_id
        return bool(self.subscription.activations.held({who}))

    async def trail(self, request_id: RequestId) -> list[Entry]:
        """The request's audit trail, oldest first, with its chain verified."""
        entries = await self.scene.audit.entries(request_id)
        verify(entries)
        return entries

    async def rule(self, **changes: Any) -> None:
        """Other money rules."""

        def decide(found: Kept) -> Change | None:
            assert found.record.lock_down is not None
            money = replace(found.record.lock_down.money, **changes)
            return Change(record=replace(found.record, lock_down=replace(found.record.lock_down, money=money)))

        await self.scene.subscriptions.update(self.id, decide)

    @property
    def _pim(self) -> str:
        return f"/subscriptions/{self.id}/providers/Microsoft.Authorization"

    @property
    def _requests(self) -> str:
        return f"{self._pim}/roleAssignmentScheduleRequests"


async def locked(
    scene: Scene, name: str = "Production", *, budget: str = "5000", approvers: Sequence[str] = ()
) -> Locked:
    """Declared and locked down: Fiona and Frank of finance, and Ivan of senior IT, approve; Emil is eligible."""
    found = Locked(managed(scene, name))
    answer = await found.declare()
    assert answer.status_code == 201, answer.text
    people = scene.world.people
    groups = tuple(sorted(ObjectId(one) for one in approvers or (people.finance.id, people.senior.id)))
    lock_down = LockDown(
        roles=(VM_CONTRIBUTOR,),
        approvers=Principals(groups=groups),
        budget=Budget(amount=Decimal(budget)),
        expected=(ExpectedSizes(region="westeurope", sizes=("Standard_D4s_v5",)),),
        money=MoneyRules(
            currency="USD",
            finance=(ObjectId(people.fiona.object_id), ObjectId(people.frank.object_id)),
            senior=Principals(groups=(ObjectId(people.senior.id),)),
        ),
    )
    await scene.subscriptions.update(found.id, lambda one: Change(record=replace(one.record, lock_down=lock_down)))
    found.subscription.pim.policy().approve_by(groups=list(groups))
    return found
