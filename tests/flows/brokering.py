"""A locked subscription of the mode broker in a scene, with Tenantry Broker and the role that its deployment gives it."""

from typing import Any

from msgspec.structs import replace

from shared.broker_permissions import broker_actions
from shared.permissions import Registration
from shared.subscriptions.lockdown import ApprovalMode, LockDown
from shared.subscriptions.record import Change
from shared.subscriptions.record import Subscription as Kept
from tests.flows.activating import Locked, locked
from tests.flows.scene import Scene
from tests.sandbox.arm.models.activations import Activation as AtPim
from tests.sandbox.arm.models.policy import ADMIN_ASSIGNMENT, JUSTIFICATION
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.population import BROKER_CLIENT_ID

SETTINGS = {"TENANTRY_BROKER_CLIENT_ID": BROKER_CLIENT_ID}
PUT = "PUT /subscriptions/{id}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/{id}"


def deploy_broker(scene: Scene, subscription: Subscription) -> str:
    """As a deployment with the broker does: the registration, and its custom role there. Gives its principal's id."""
    clouds, contoso = scene.world.clouds, scene.world.contoso
    clouds.register_application(
        BROKER_CLIENT_ID,
        Registration.BROKER.value,
        contoso.id,
        multi_tenant=False,
        application_permissions=(),
    )
    scene.world.trust(Registration.BROKER, BROKER_CLIENT_ID)
    clouds.grant(BROKER_CLIENT_ID, contoso.id, ())
    principal = contoso.applications.by_app_id(BROKER_CLIENT_ID)
    assert principal is not None
    clouds.azure.give(principal.id, subscription, broker_actions())
    return principal.id


async def brokered(scene: Scene, *, deployed: bool = True, **changes: Any) -> Locked:
    """As `locked`, in the mode broker."""
    found = await locked(scene)
    if deployed:
        deploy_broker(scene, found.subscription)
    await declare(found, mode=ApprovalMode.BROKER, **changes)
    found.subscription.pim.policy().demand(JUSTIFICATION, level=ADMIN_ASSIGNMENT)
    return found


async def declare(found: Locked, **changes: Any) -> None:
    """Another lock-down."""

    def decide(one: Kept) -> Change | None:
        lock: LockDown | None = one.record.lock_down
        assert lock is not None
        return Change(record=replace(one.record, lock_down=replace(lock, **changes)))

    await found.scene.subscriptions.update(found.id, decide)


def granted(found: Locked) -> list[AtPim]:
    """What PIM was asked for by an application, by truth."""
    ours = found.subscription.activations.requests.values()
    return [one for one in ours if one.request.wanted.action.startswith("Admin")]


def exchanges(found: Locked) -> int:
    """How often Azure was called in a person's name."""
    return len([one for one in found.scene.world.clouds.recorder.entries if one.on_behalf_of is not None])
