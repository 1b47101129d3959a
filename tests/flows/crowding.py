"""Many engineers and many subscriptions at once, set up past the app so that it is quick."""

from datetime import timedelta
from uuid import NAMESPACE_DNS, uuid5

from msgspec.structs import replace

from shared.activation.record import RequestId
from shared.azure_permissions import VM_CONTRIBUTOR
from shared.subscriptions.record import Change
from tests.flows.activating import Locked
from tests.flows.declaring import Managed, managed
from tests.sandbox.arm.models.records import Requestor, Ticket, Wanted, Window
from tests.sandbox.personas import Person

HOURS = 4


def crowd(found: Locked, count: int, name: str = "engineer") -> dict[RequestId, Person]:
    """That many engineers, each of whom asks in the portal for four hours: PIM knows of it, and the app does not."""
    clouds, contoso = found.scene.world.clouds, found.scene.world.contoso
    people = [clouds.person(contoso, f"{name}{one}@contoso.com", f"{name.title()} {one}") for one in range(count)]
    found.group.members.extend(one.object_id for one in people)
    return {ask(found, person): person for person in people}


def ask(found: Managed, person: Person) -> RequestId:
    """One who is eligible asks in the portal."""
    now, scope = found.scene.world.clock.now(), found.subscription.scope
    request_id = RequestId(str(uuid5(NAMESPACE_DNS, f"{person.object_id}.{found.id}.{now.isoformat()}")))
    wanted = Wanted(
        action="SelfActivate",
        principal_id=person.object_id,
        role_id=VM_CONTRIBUTOR,
        role_prefix=scope.path,
        scope=scope,
        window=Window(start=now, end=now + timedelta(hours=HOURS), kind="AfterDuration", duration=f"PT{HOURS}H"),
        justification="One of many",
        ticket=Ticket(),
    )
    who = Requestor(object_id=person.object_id, is_application=False, has_mfa=True)
    found.subscription.activations.request(request_id, wanted, who, None)
    return request_id


def decide_past_the_app(found: Locked, request_id: RequestId, by: Person, *, approve: bool) -> None:
    """An approver decides in the portal."""
    asked = found.at_pim(request_id)
    assert asked.approval is not None
    asked.approval.result = "Approve" if approve else "Deny"
    asked.approval.justification = "In the portal"
    asked.approval.reviewer_id, asked.approval.reviewed_at = by.object_id, found.scene.world.clock.now()
    found.subscription.activations.decided(asked, approved=approve)


async def locked_like(found: Locked, count: int) -> list[Locked]:
    """That many more subscriptions, declared and locked down as this one is."""
    record = (await found.kept()).record
    made = []
    for number in range(count):
        one = Locked(managed(found.scene, f"Subscription {number}"))
        named = replace(record, subscription_id=one.id)
        assert await found.scene.subscriptions.create(Change(record=named))
        one.subscription.pim.policy().approve_by(groups=list(_approvers(found)))
        made.append(one)
    return made


def _approvers(found: Locked) -> list[str]:
    people = found.scene.world.people
    return [people.finance.id, people.senior.id]
