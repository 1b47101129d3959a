"""What a person declares on a subscription is kept: at once where renewal alone looks after it, by a run where a lock-down
is to be made so. The audit entry comes first.
"""

from collections.abc import Awaitable, Callable

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from shared.callers import Caller
from shared.chain import Deed
from shared.errors import StoreConflict
from shared.identifiers import SubscriptionId
from shared.permissions import Registration
from shared.services import Services
from shared.subscriptions.lockdown import LockDown
from shared.subscriptions.record import Change, Declaration, Record, Subscription, declared_anew

DECLARE_ACT = 34


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is declared, and what was when it was checked."""

    subscription_id: SubscriptionId
    known: Subscription | None
    declared: tuple[Declaration, ...]
    asked: LockDown | UnsetType | None

    @property
    def before(self) -> tuple[Declaration, ...]:
        """What was declared."""
        return self.known.record.declared if self.known else ()

    @property
    def lock_before(self) -> LockDown | None:
        """How it was locked down."""
        return self.known.record.lock_down if self.known else None

    @property
    def lock_down(self) -> LockDown | None:
        """How it is to be locked down: as it was, where nothing is said of it."""
        return self.lock_before if self.asked is UNSET else self.asked

    @property
    def differs(self) -> bool:
        """Whether it says anything new."""
        return self.known is None or (self.declared, self.lock_down) != (self.before, self.lock_before)


async def declare(services: Services, caller: Caller, wish: Wish) -> Subscription:
    """Keep what needs no run. Raises StoreConflict where something else was declared meanwhile."""
    return await audited(services, caller, wish, lambda: _declared(services, caller, wish))


async def audited[T](services: Services, caller: Caller, wish: Wish, change: Callable[[], Awaitable[T]]) -> T:
    """The audit entry comes before the declaration counts. A repeat leaves a second one, which says the same."""
    return await services.audit.around(wish.subscription_id, _deed(services, caller, wish), change)


async def _declared(services: Services, caller: Caller, wish: Wish) -> Subscription:
    now = services.clock.now()
    if wish.known is None:
        record = Record(
            subscription_id=wish.subscription_id,
            created=now,
            requested_by=caller.object_id,
            declared=wish.declared,
            changed=now,
            changed_by=caller.object_id,
        )
        await services.subscriptions.create(Change(record=record))  # or another request was faster: then as below
    before = wish.before if wish.known else wish.declared

    def decide(found: Subscription) -> Change | None:
        same = found.record.declared in (before, wish.declared)
        same_lock = found.record.lock_down in (wish.lock_before, wish.lock_down)
        if not same or not same_lock or found.record.under_way:
            # What the caller may declare was checked against what was there.
            raise StoreConflict(f"what is declared on {wish.subscription_id} has changed meanwhile")
        change = declared_anew(found, wish.declared, caller.object_id, now)
        if found.record.lock_down == wish.lock_down:
            return change
        # Nothing but letting go of it needs no run: what Azure has stays as it is.
        changed = change or Change(record=replace(found.record, changed=now, changed_by=caller.object_id))
        return replace(changed, record=replace(changed.record, lock_down=wish.lock_down, lock=None, drifted=0))

    return await services.subscriptions.update(wish.subscription_id, decide)


def _deed(services: Services, caller: Caller, wish: Wish) -> Deed:
    return Deed(
        at=services.clock.now(),
        registration=Registration.API.value,
        on_whose_word=caller.object_id,
        tenant_id=services.settings.source_tenant_id,
        act=DECLARE_ACT,
        run=wish.known.record.run if wish.known else 0,
        what="declare which eligibilities on the subscription are looked after, and how its roles are locked down",
        why="a declaration by an operator",
        object_name=f"declaration of {wish.subscription_id}",
        wanted=_told(wish.declared, wish.lock_down),
        before=_told(wish.before if wish.known else None, wish.lock_before),
        outcome="done",
        request_id="",
    )


def _told(declared: tuple[Declaration, ...] | None, lock: LockDown | None) -> msgspec.Raw:
    """What is declared; with its lock-down, where there is one."""
    told = declared if lock is None else {"eligibilities": declared, "lockDown": lock}
    return msgspec.Raw(msgspec.json.encode(told))
