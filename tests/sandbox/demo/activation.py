"""A subscription is locked down, an engineer asks with a plan, finance and an approver answer, and the grant ends by itself.

Everything by the API, each with the person's own token; Azure is only looked at, to tell what is so by truth.
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from standardwebhooks import Webhook

from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.demo.http import Answer, Patient
from tests.sandbox.demo.screen import Screen
from tests.sandbox.personas import Person
from tests.sandbox.population import APPROVE, READ, REQUEST, managed_subscription
from tests.sandbox.world import World

_HOURS = 2
_PLAN = {
    "region": "westeurope",
    "days": 30,
    "vms": [{"size": "Standard_D4s_v5", "count": 2, "operatingSystem": "linux"}],
    "disks": [{"kind": "ultra", "sizeGib": 512, "count": 2, "iops": 2000, "throughputMbps": 200}],
    "blob": {"gb": 2000, "redundancy": "GRS"},
}
_LOOKS = 60
_STEP = timedelta(minutes=2)
_IDLE_SECONDS = 60.0


class ActivationFailedError(Exception):
    """A step did not come to what it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activated:
    """What became of it. Money is as the API tells it."""

    request_id: str
    for_hours: str
    for_days: str
    monthly: str
    currency: str
    lines: tuple[tuple[str, str, str], ...]
    tampered: int
    verdict: int
    decided_by: str
    state: str
    until: str
    held_while_active: bool
    held_afterwards: bool
    vendor_calls: int

    @property
    def is_well(self) -> bool:
        """Whether everything came as it should."""
        refused, taken = self.tampered == 401, self.verdict == 202
        return refused and taken and self.state == "ended" and self.held_while_active and not self.held_afterwards


class Activating:
    """The story in a running world, whose app knows `key` as that of finance's webhook."""

    def __init__(self, world: World, screen: Screen, key: str) -> None:
        self._world, self._screen, self._key = world, screen, key
        people = world.people
        self._emil, self._fiona, self._ivan = people.engineer, people.fiona, people.ivan
        self._clients = {
            "operator": Patient(world.operator_token()),
            "emil": Patient(world.token(self._emil, REQUEST)),
            "ivan": Patient(world.token(self._ivan, APPROVE, READ)),
        }
        self._finance = Patient()

    async def run(self) -> Activated:
        """To the end, or cancelled from outside. Raises ActivationFailedError."""
        calls = len(self._world.clouds.recorder.entries)
        try:
            subscription = await self._lock_down()
            # From here on time passes only as the story wants it: nobody waits a day for an approver.
            self._world.host.auto_advance = False
            return await self._story(subscription, calls)
        finally:
            self._world.host.auto_advance = True
            for client in (*self._clients.values(), self._finance):
                await client.close()

    async def _lock_down(self) -> Subscription:
        people, clouds = self._world.people, self._world.clouds
        subscription = managed_subscription(clouds, people.contoso, "Workloads")
        engineers = people.contoso.directory.add_group("VM engineers", [self._emil.object_id])
        self._screen.say(f"{people.operator.display_name} locks down Virtual Machine Contributor on Workloads")
        body = {
            "eligibilities": [{"role": "Virtual Machine Contributor", "groups": [engineers.id]}],
            "lockDown": {
                "approvers": {"groups": [people.finance.id], "users": [self._ivan.object_id]},
                "longestActivation": "PT8H",
                "budget": {"amount": "5000"},
                "money": {
                    "currency": "USD",
                    "finance": [self._fiona.object_id],
                    "financeAbove": "100",
                    "seniorAbove": "500",
                    "senior": {"users": [self._ivan.object_id]},
                },
            },
        }
        path = f"/api/subscriptions/{subscription.id}"
        answer = await self._clients["operator"].put(self._url(path), body)
        _expect(answer, 200, 201, 202)
        for _ in range(_LOOKS):
            shown = await self._get("operator", path)
            if shown["lockDown"]["state"] == "locked":
                break
            await asyncio.sleep(0.5)
        else:
            raise ActivationFailedError(f"the lock-down is {shown['lockDown']['state']}: {shown['lockDown']}")
        self._screen.say("the role is only eligible now, and its activation waits for finance or senior IT")
        return subscription

    async def _story(self, subscription: Subscription, calls: int) -> Activated:
        body = {"subscriptionId": subscription.id, "hours": _HOURS, "reason": "A build farm", "plan": _PLAN}
        asked = self._url("/api/activation-requests")
        priced = await self._clients["emil"].post(asked, {**body, "dryRun": True})
        _expect(priced, 200)
        estimate = json.loads(priced.body)["money"]["estimate"]
        self._screen.say(
            f"{self._emil.display_name} plans two machines, ultra disks and 2 TB: {estimate['forHours']} "
            f"{estimate['currency']} for {_HOURS} hours, {estimate['monthly']} a month if left running"
        )
        answer = await self._clients["emil"].post(asked, body)
        _expect(answer, 202)
        request_id = json.loads(answer.body)["id"]
        self._screen.say(
            f"... asks for {_HOURS} hours: PIM waits for an approver, ticket {json.loads(answer.body)['ticket']}"
        )
        tampered = await self._verdict(request_id, tampered=True)
        self._screen.say(f"somebody tampers with a verdict of finance on its way: {tampered.status}, nothing changed")
        verdict = await self._verdict(request_id)
        self._screen.say(f"{self._fiona.display_name} agrees, by finance's signed webhook: {verdict.status}")
        return await self._decided(subscription, request_id, estimate, tampered, verdict, calls)

    async def _decided(
        self,
        subscription: Subscription,
        request_id: str,
        estimate: dict[str, Any],
        tampered: Answer,
        verdict: Answer,
        calls: int,
    ) -> Activated:
        path = f"/api/activation-requests/{request_id}"
        decision = {"decision": "approve", "reason": "Within the budget, finance agreed"}
        decided = await self._clients["ivan"].post(self._url(f"{path}/decision"), decision)
        # A first try whose answer was lost may have decided it.
        _expect(decided, 200, 202, *((409,) if decided.tries > 1 else ()))
        active = await self._until(path, "approved")
        held = self._holds(subscription, self._emil)
        until = active["end"] or ""
        self._screen.say(f"{self._ivan.display_name} approves, in person: the role is active until {until}")
        self._world.clock.advance(timedelta(hours=_HOURS, minutes=1))
        ended = await self._until(path, "ended")
        self._screen.say(f"{_HOURS} hours later nobody holds the role any more: it ended by itself")
        return Activated(
            request_id=request_id,
            for_hours=estimate["forHours"],
            for_days=estimate["forDays"],
            monthly=estimate["monthly"],
            currency=estimate["currency"],
            lines=tuple((one["what"], one["meter"], one["monthly"]) for one in estimate["lines"]),
            tampered=tampered.status,
            verdict=verdict.status,
            decided_by=(ended["decision"] or {}).get("by") or "",
            state=ended["state"],
            until=until,
            held_while_active=held,
            held_afterwards=self._holds(subscription, self._emil),
            vendor_calls=len(self._world.clouds.recorder.entries) - calls,
        )

    async def _verdict(self, request_id: str, *, tampered: bool = False) -> Answer:
        data = {"request": request_id, "verdict": "approve", "approver": self._fiona.object_id, "reason": "Planned"}
        body = json.dumps({"type": "finance.verdict", "timestamp": f"{datetime.now(UTC):%FT%TZ}", "data": data})
        message_id, now = f"msg_{request_id}{'x' * tampered}", datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self._key).sign(message_id, now, body),
        }
        sent = body.replace("Planned", "Planned, and more") if tampered else body
        return await self._finance.send(self._url("/api/webhooks/finance"), sent.encode(), headers)

    async def _until(self, path: str, state: str) -> dict[str, Any]:
        """Let time go by, two minutes at a time, until the request is in that state."""
        shown: dict[str, Any] = {}
        for _ in range(_LOOKS):
            await self._world.host.idle(_IDLE_SECONDS)
            shown = await self._get("ivan", path)
            if shown["state"] == state:
                return shown
            self._world.clock.advance(_STEP)
        raise ActivationFailedError(f"the request is {shown.get('state')}, and not {state}: {shown.get('problem')}")

    async def _get(self, who: str, path: str) -> dict[str, Any]:
        async with self._world.looking():
            answer = await self._clients[who].get(self._url(path))
        _expect(answer, 200)
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def _url(self, path: str) -> str:
        return f"{self._world.host.url}{path}"

    def _holds(self, subscription: Subscription, person: Person) -> bool:
        return bool(subscription.activations.held({person.object_id}))


def _expect(answer: Answer, *statuses: int) -> None:
    if answer.status not in statuses:
        raise ActivationFailedError(f"the app answered {answer.status}: {answer.text[:500]}")
