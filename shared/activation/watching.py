"""The watcher: every two minutes one list per locked subscription finds what waits for an approver, however it was asked for.

Nothing is lost by a missed cycle, or a missed day: whatever PIM lists and we don't know yet gets its row and its run.
"""

import asyncio
import logging
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from shared.activation.locked import locked_subscriptions
from shared.activation.record import RUN_KIND, State
from shared.activation.store import Hint
from shared.activation.taking_up import follow, take_up
from shared.arm.activation_shapes import AskedActivation, Standing
from shared.identifiers import SubscriptionId
from shared.orchestrations import Orchestrations
from shared.services import Services
from shared.side_by_side import KeptApart

_log = logging.getLogger(__name__)

_LISTS_AT_ONCE = 20
_REQUESTS_AT_ONCE = 20
"""Of all subscriptions together: hundreds that are new in one cycle are taken up well within functionTimeout."""

_LONGEST_LIST_SECONDS = 60.0
"""Of machine time: subscriptions that do not answer must not use up what all of them have."""

_BETWEEN_CYCLES = timedelta(minutes=30)
"""What was granted longer ago, and is not known, is found by the nightly reconcile."""


class _Cycle(msgspec.Struct, frozen=True, kw_only=True):
    """What one cycle works with: what is followed already, and how much is done at once."""

    services: Services
    orchestrations: Orchestrations
    followed: frozenset[str]
    lists: asyncio.Semaphore
    requests: asyncio.Semaphore


async def watch_activations(services: Services, orchestrations: Orchestrations) -> None:
    """One cycle over all locked subscriptions. A subscription that fails, or a request, does not stop the others."""
    locked = await locked_subscriptions(services)
    known = _by_subscription(await services.activations.open_hints())
    cycle = _Cycle(
        services=services,
        orchestrations=orchestrations,
        followed=frozenset(run.subject for run in await services.runs.list_open() if run.kind == RUN_KIND),
        lists=asyncio.Semaphore(_LISTS_AT_ONCE),
        requests=asyncio.Semaphore(_REQUESTS_AT_ONCE),
    )
    # What is left of a lock-down that was taken away is followed to its end, without a look at the subscription.
    left = [hint for one in known.keys() - locked.keys() for hint in known[one].values()]
    await asyncio.gather(
        *(_watched(cycle, one, lock.roles, known.get(one, {})) for one, lock in locked.items()),
        *(_one(cycle, hint.request_id, _begun(cycle, hint)) for hint in left if hint.request_id not in cycle.followed),
    )


async def _watched(
    cycle: _Cycle, subscription_id: SubscriptionId, roles: Sequence[str], known: Mapping[str, Hint]
) -> None:
    """One subscription: one list, then whatever of it is new, has moved, or is not followed."""
    listed = None
    with KeptApart(_log, "watch.postponed", subscription_id=subscription_id):
        async with cycle.lists, asyncio.timeout(_LONGEST_LIST_SECONDS):
            listed = await cycle.services.azure_activations.asked(subscription_id)
    if listed is None:
        return
    asked = {one.request_id: one for one in listed}
    now = cycle.services.clock.now()
    fresh = [
        one
        for one in asked.values()
        if (one.request_id not in known or known[one.request_id].brokered)
        and one.role_definition_id in roles
        and _is_news(one, now)
    ]
    await asyncio.gather(
        *(_one(cycle, one.request_id, take_up(cycle.services, cycle.orchestrations, one)) for one in fresh),
        *(
            _one(cycle, hint.request_id, work)
            for hint in known.values()
            if (work := _due(cycle, hint, asked.get(hint.request_id), now)) is not None
        ),
    )


async def _one(cycle: _Cycle, request_id: str, work: Awaitable[None]) -> None:
    """What is to be done of one request, when its turn comes. What fails is tried again in the next cycle."""
    async with cycle.requests:
        with KeptApart(_log, "watch.postponed", request_id=request_id):
            await work


def _due(cycle: _Cycle, hint: Hint, found: AskedActivation | None, now: datetime) -> Awaitable[None] | None:
    """What is to be done of a request that is known; None: nothing."""
    if hint.request_id in cycle.followed:
        # Of what waits for the broker, PIM knows nothing: a list has no news of it.
        return _woken(cycle, hint) if not hint.brokered and _has_moved(hint, found) else None
    return _begun(cycle, hint) if hint.state is not State.APPROVED or _is_over(hint, now) else None


def _has_moved(hint: Hint, found: AskedActivation | None) -> bool:
    """Whether its run has something to see: PIM shows something else than that it waits, or somebody else has seen so."""
    return hint.state is State.APPROVED or found is None or found.standing is not Standing.WAITING


def _is_over(hint: Hint, now: datetime) -> bool:
    return hint.end is not None and now >= hint.end


def _is_news(asked: AskedActivation, now: datetime) -> bool:
    """Whether it waits; or was granted just now: it may have been asked for and decided between two cycles."""
    granted = asked.standing is Standing.GRANTED and now - asked.created < _BETWEEN_CYCLES
    return asked.standing is Standing.WAITING or granted


async def _begun(cycle: _Cycle, hint: Hint) -> None:
    """Begin a run of what is open; forget the hint of what is not."""
    if not await cycle.services.activations.forget_hint(hint):
        await follow(cycle.services, cycle.orchestrations, hint.request_id)


async def _woken(cycle: _Cycle, hint: Hint) -> None:
    """Wake the run that follows it."""
    run = await cycle.services.runs.open_run(hint.request_id)
    if run is not None:
        await cycle.orchestrations.wake(run.orchestration_id)


def _by_subscription(hints: Sequence[Hint]) -> dict[SubscriptionId, dict[str, Hint]]:
    found: dict[SubscriptionId, dict[str, Hint]] = {}
    for hint in hints:
        found.setdefault(hint.subscription_id, {})[hint.request_id] = hint
    return found
