"""A renewal's plan for a page of tenants or subscriptions, and its end. A plan only looks: what is due is written later."""

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from enum import StrEnum

import msgspec

from shared.errors import Forbidden, NotConsented, PimUnavailable, Rejected
from shared.notify.notices import Kind
from shared.renewal import telling
from shared.renewal.kinds import Renewable, SubjectKind
from shared.renewal.messages import EndCall, Page, RenewalOver, Wish
from shared.renewal.subscriptions import Subscriptions
from shared.renewal.tenants import Tenants
from shared.run import Run, RunKey
from shared.running.messages import Cursor, PageCall
from shared.running.pages import each, subscriptions_of, tenants_of
from shared.services import Services

_log = logging.getLogger(__name__)

GIVEN_UP = "GivenUp"


class Came(StrEnum):
    """What a look at one subject came to."""

    DONE = "done"
    DUE = "due"
    POSTPONED = "postponed"


async def plan_renewals(services: Services, call: PageCall) -> Page:
    """Look at one page of tenants, a few at a time; tell of those where nothing is due."""
    run, wish = await _run_of(services, call.run)
    return await _page(services, Tenants(services), call, run, wish, wish.tenant_ids, tenants_of)


async def plan_subscription_renewals(services: Services, call: PageCall) -> Page:
    """As above, of subscriptions."""
    run, wish = await _run_of(services, call.run)
    return await _page(services, Subscriptions(services), call, run, wish, wish.subscription_ids, subscriptions_of)


async def end_renewals(services: Services, call: EndCall) -> RenewalOver:
    """Close the run; tell of those that were given up. Safe twice."""
    run, wish = await _run_of(services, call.run)
    for tenant_id in call.given_up:
        await _give_up(services, Tenants(services), wish, tenant_id)
    for subscription_id in call.given_up_subscriptions:
        await _give_up(services, Subscriptions(services), wish, subscription_id)
    given_up = len(call.given_up) + len(call.given_up_subscriptions)
    outcome = f"{call.looked_at} looked at, {call.changed} renewed, {given_up} given up"
    if run.is_cancelled:
        outcome = f"cancelled: {outcome}"
    if call.failed:
        outcome = f"not everything could be looked at: {outcome}"
        await telling.failed(services, wish)
    await services.runs.close(call.run, outcome)
    _log.info("renewal.over subject=%s looked_at=%s changed=%s", call.run.subject, call.looked_at, call.changed)
    return RenewalOver()


async def _run_of(services: Services, key: RunKey) -> tuple[Run, Wish]:
    """A run of renewal, and what it is for. Raises LookupError where there is none: the run row comes before all else."""
    run = await services.runs.latest(key.subject)
    if run is None:
        raise LookupError("a run of renewal has a row")
    return run, msgspec.json.decode(run.wanted, type=Wish)


async def _page[S: Renewable](
    services: Services,
    kind: SubjectKind[S],
    call: PageCall,
    run: Run,
    wish: Wish,
    named: Sequence[str],
    listed: Callable[[Services, PageCall], Awaitable[tuple[Sequence[str], Cursor | None]]],
) -> Page:
    """Those of a page, or those that the wish names; of a run that was cancelled, none."""
    if run.is_cancelled:
        return await _planned(services, kind, wish, (), None)
    if wish.names and not call.only:
        return await _planned(services, kind, wish, named, None)
    ids, following = await listed(services, call)
    return await _planned(services, kind, wish, ids, following)


async def _planned[S: Renewable](
    services: Services, kind: SubjectKind[S], wish: Wish, ids: Sequence[str], following: Cursor | None
) -> Page:
    told = await services.renewals.told_of(wish.date, ids)
    found = await each(ids, lambda one: _looked(services, kind, wish, one, told), failed=Came.POSTPONED, of=kind.of)
    came = list(zip(ids, found, strict=True))
    return Page(
        wish=msgspec.structs.replace(wish, tenant_ids=(), subscription_ids=()),
        cursor=following,
        looked_at=sum(one is not Came.POSTPONED for one in found),
        due=tuple(subject_id for subject_id, one in came if one is Came.DUE),
        postponed=tuple(subject_id for subject_id, one in came if one is Came.POSTPONED),
    )


async def _looked[S: Renewable](
    services: Services, kind: SubjectKind[S], wish: Wish, subject_id: str, told: Collection[str]
) -> Came:
    """`told`: those that the day has a report of by now."""
    subject = await kind.read(subject_id)
    if subject is None or kind.is_let_go(subject) or not kind.has_any(subject):
        return Came.DONE
    if kind.is_busy(subject):
        return Came.POSTPONED
    if not kind.is_looked_after(subject):
        return Came.DONE
    await telling.remind_of_review(services, wish, kind.of, subject)
    try:
        seen = await kind.look(subject, wish)
    except (NotConsented, PimUnavailable, Forbidden, Rejected) as error:
        await telling.stopped(services, kind, wish, subject, error)
        return Came.DONE
    if seen.due:
        return Came.DUE
    await telling.keep(kind, seen, _as_it_was(kind, subject))
    await telling.tell(services, kind, wish, seen, is_told_of=subject_id in told)
    return Came.DONE


def _as_it_was[S: Renewable](kind: SubjectKind[S], subject: S) -> Callable[[S], bool]:
    run = (subject.record.run, subject.record.run_nonce)
    return lambda found: kind.is_looked_after(found) and (found.record.run, found.record.run_nonce) == run


async def _give_up[S: Renewable](services: Services, kind: SubjectKind[S], wish: Wish, subject_id: str) -> None:
    """What was tried all night is tried again the next; what ends before that may be lost."""
    await telling.notify(services, wish, kind.of, subject_id, Kind.GIVEN_UP)
    if await services.renewals.is_first(wish.date, GIVEN_UP, subject_id):
        _log.error("renewal.given_up %s_id=%s", kind.of.value, subject_id)
    await telling.tell_problem(
        services, wish, kind.of, subject_id, "It could not be looked at, or not to its end, in this night."
    )
    try:
        subject = await kind.read(subject_id)
    except msgspec.DecodeError:
        # What ends there cannot be told. Without the error's text, which holds what could not be read.
        _log.error("row.unreadable partition=%s key=", subject_id)
        return
    if subject is not None:
        await telling.alarm_of_all(services, kind, wish, subject, GIVEN_UP)
