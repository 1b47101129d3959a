"""How a lock-down's run begins: the run row, which keeps a renewal out as it would another run, then the record."""

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from shared.errors import StoreConflict, StoreUnavailable
from shared.identifiers import SubscriptionId
from shared.lockdown.messages import KIND, LockWish
from shared.run import Run, StartOrchestration, key_of, orchestration_id
from shared.running.launching import launch
from shared.services import Services
from shared.subjects import Renewing
from shared.subscriptions.record import Change, Lock, LockState, Record, Subscription, declared_anew

BY_HAND = "a lock-down that a person declared"
BY_NIGHT = "the nightly look at what is locked down"


async def open_lock_run(
    services: Services,
    start: StartOrchestration | None,
    subscription_id: SubscriptionId,
    number: int,
    requested_by: str,
    wish: LockWish,
) -> Run | None:
    """Insert a run, show it on the record, start it. None: it is under way; else the run that holds the subscription.

    Where nothing can be started from (`start` None), the sweeper does. Raises StoreUnavailable where the row is there and
    nobody knows what comes of it.
    """
    run = Run(
        subject=subscription_id,
        kind=KIND,
        number=number,
        orchestration_id=orchestration_id(KIND, subscription_id, number),
        nonce=services.new_id(),
        opened=services.clock.now(),
        requested_by=requested_by,
        wanted=msgspec.Raw(msgspec.json.encode(wish)),
    )
    holder = await services.runs.insert(run)
    if holder is not None:
        return holder
    try:
        if await begin(services, run) is None:
            await services.runs.close(key_of(run), "followed")
            return run
        await launch(services, start, run)
    except StoreConflict as error:
        # That says that nothing was done, but the sweeper begins whatever run is open.
        raise StoreUnavailable(f"run {run.number} is open: {error}") from error
    return None


async def begin(services: Services, run: Run) -> Subscription | None:
    """Make the record show the run, and what is declared with it. Safe twice. None when another run came first, or what is
    declared has changed since the word for it was checked.
    """
    subscription_id, wish = SubscriptionId(run.subject), wish_of(run)
    now = services.clock.now()
    if wish.lock_down is not None:
        fresh = _held(
            Record(
                subscription_id=subscription_id,
                created=now,
                requested_by=run.requested_by,
                declared=wish.declared,
                changed=now,
                changed_by=run.requested_by,
                lock_down=wish.lock_down,
            ),
            run,
        )
        if await services.subscriptions.read(subscription_id) is None:
            await services.subscriptions.create(Change(record=fresh))  # or another was faster: then as below

    def decide(found: Subscription) -> Change | None:
        record = found.record
        if record.run_nonce == run.nonce or record.run >= run.number or not _is_as_checked(record, wish):
            return None
        if wish.lock_down is None:
            return Change(record=_held(record, run))
        changed = declared_anew(found, wish.declared, run.requested_by, now) or Change(record=record)
        record = replace(changed.record, lock_down=wish.lock_down)
        if wish.lock_down != found.record.lock_down:
            record = replace(record, changed=now, changed_by=run.requested_by)
        return replace(changed, record=_held(record, run))

    subscription = await services.subscriptions.update(subscription_id, decide)
    return subscription if subscription.record.run_nonce == run.nonce else None


def wish_of(run: Run) -> LockWish:
    """What a run is for."""
    return msgspec.json.decode(run.wanted, type=LockWish)


def _is_as_checked(record: Record, wish: LockWish) -> bool:
    if wish.lock_down is None:
        return record.lock_down is not None
    if wish.lock_before is not UNSET and record.lock_down not in (wish.lock_before, wish.lock_down):
        return False
    return record.declared in (wish.before, wish.declared)


def _held(record: Record, run: Run) -> Record:
    """The record as the run holds it: it writes on the word of who asked for it."""
    hold = Renewing(
        nonce=run.nonce,
        since=run.opened,
        on_whose_word=run.requested_by,
        reason=BY_HAND if wish_of(run).makes else BY_NIGHT,
    )
    lock = Lock(state=LockState.LOCKING, since=run.opened)
    return replace(record, run=run.number, run_nonce=run.nonce, cancel=False, renewing=hold, lock=lock)
