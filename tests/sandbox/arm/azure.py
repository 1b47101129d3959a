"""All subscriptions of a world, and the services that look after all of them."""

from collections.abc import Iterable
from uuid import NAMESPACE_DNS, uuid5

from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.arm.quota import Buckets
from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.models.tenant import Tenant


class Azure:
    """Tests set up subscriptions here, slow one down, or kill it."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.subscriptions: dict[str, Subscription] = {}
        self.buckets = Buckets(ground)
        self.broken: set[str] = set()
        self.challenged: dict[str, str] = {}
        """Persons whom conditional access asks for an authentication context when they decide."""
        self.page = 100
        """How many elements a list gives at once; what the real one gives is not documented."""

    def add_subscription(self, tenant: Tenant, display_name: str, subscription_id: str | None = None) -> Subscription:
        """Enabled, in the directory of a tenant, with nobody on it. The same name has the same id in every world."""
        made = Subscription(
            self.ground,
            tenant,
            subscription_id or str(uuid5(NAMESPACE_DNS, f"{display_name}.subscription.sandbox.invalid")),
            display_name,
        )
        self.subscriptions[made.id] = made
        return made

    def give(
        self, principal_id: str, subscription: Subscription, actions: Iterable[str], name: str = "Tenantry"
    ) -> None:
        """A custom role with exactly these actions, assigned on the subscription long ago."""
        role = subscription.access.define(name, actions, subscription.scope)
        subscription.access.assign(principal_id, role, subscription.scope)

    def crawl(self, subscription: Subscription, *, size: int = 1, seconds: float = 60) -> None:
        """It throttles: after `size` calls one more in each `seconds`."""
        self.buckets.crawl(subscription.id, size=size, seconds=seconds)

    def recover(self, subscription: Subscription) -> None:
        """Whatever was done to it is undone."""
        self.buckets.recover(subscription.id)
        self.broken.discard(subscription.id)
        subscription.state, subscription.access.suspended = "Enabled", False

    def kill(self, subscription: Subscription, how: str = "broken") -> None:
        """`broken`: every call is a 503; `deleted`: 404; `disabled`: it can be read, not written; `forbidden`: 403."""
        if how == "broken":
            self.broken.add(subscription.id)
        elif how == "forbidden":
            subscription.access.suspended = True
        elif how in ("deleted", "disabled"):
            subscription.state = how.capitalize()
        else:
            raise ValueError(how)

    def find(self, subscription_id: str) -> Subscription | None:
        """One that still exists."""
        found = self.subscriptions.get(subscription_id)
        return found if found and found.state != "Deleted" else None
