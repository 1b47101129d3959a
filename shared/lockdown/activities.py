"""The acts of a lock-down: each makes one thing so, and looks first."""

import logging
from datetime import datetime, timedelta

from shared.azure_permissions import AZURE_ROLES
from shared.eligibility.decide import Held
from shared.eligibility.record import eligibility_key
from shared.errors import StoreConflict, StoreUnavailable
from shared.identifiers import SubscriptionId
from shared.lockdown import advice
from shared.lockdown.approvers import look_at_approvers
from shared.lockdown.messages import LockCall, LockPlan, Went
from shared.lockdown.opening import begin, wish_of
from shared.lockdown.performing import STORE_PAUSE_SECONDS, fence_of, perform, since_of
from shared.privileged import NotYet, check_fence
from shared.running.messages import Again
from shared.services import Services
from shared.side_by_side import KeptApart
from shared.subscriptions.record import Change, Declaration, PrincipalKind, Subscription
from shared.subscriptions.roles import RoleInForce, differences, wanted_of
from shared.writes.azure_eligibility import azure_assignment, close_subscription_intents
from shared.writes.azure_policy import role_policy_write

_log = logging.getLogger(__name__)


async def begin_lock_down(services: Services, call: LockCall) -> LockPlan | Again | Went:
    """The first activity of a run: the record shows it, open intents are closed by reading back, what is left is known."""
    run = await services.runs.open_run(call.run.subject)
    try:
        if run is None or run.nonce != call.run.nonce or await begin(services, run) is None:
            return Went(stops=True)
    except (StoreConflict, StoreUnavailable) as error:
        return Again(STORE_PAUSE_SECONDS, str(error))
    makes = wish_of(run).makes
    planned = LockPlan(roles=())

    async def plan(services: Services, call: LockCall, subscription: Subscription) -> Again | Went:
        nonlocal planned
        wait = await close_subscription_intents(services, SubscriptionId(call.run.subject))
        if wait:
            return Again(min(wait, 60.0), "an earlier write cannot be judged yet")
        lock = subscription.record.lock_down
        if lock is None:
            return Went(stops=True)
        if lock.budget.azure_name:
            # Whoever asks for a role over HTTP is told by what is kept. It stops no lock-down.
            with KeptApart(_log, "budget.postponed", subscription_id=call.run.subject):
                await services.budgets.read(SubscriptionId(call.run.subject), lock.budget.azure_name)
        planned = LockPlan(
            roles=lock.roles, eligibilities=await _missing(services, subscription, lock.roles) if makes else ()
        )
        return Went()

    outcome = await perform(
        services,
        call,
        plan,
        lambda error: advice.role_failed("the roles", error),
        lambda reason: advice.not_in_time("What was written before", reason),
    )
    if isinstance(outcome, Again):
        return outcome
    if outcome.problems or outcome.stops:
        return Went(problems=outcome.problems, stops=True)
    return planned


async def lock_role_down(services: Services, call: LockCall) -> Again | Went:
    """A role's policy is as it is declared: read, compared, patched where it differs, read back."""
    role = AZURE_ROLES.get(call.role, call.role)
    return await perform(
        services,
        call,
        _lock_role_down,
        lambda error: advice.role_failed(role, error),
        lambda reason: advice.not_in_time(f"The policy of {role}", reason),
    )


async def make_eligible(services: Services, call: LockCall) -> Again | Went:
    """Somebody who is declared for a role that is locked down is eligible, with an end."""
    return await perform(
        services,
        call,
        _make_eligible,
        lambda error: advice.holder_failed("Somebody who is declared", "their role", error),
        lambda reason: advice.not_in_time("An eligibility that is declared", reason),
    )


async def check_approvers(services: Services, call: LockCall) -> Again | Went:
    """Who can approve, and whether PIM's mail would reach them."""
    return await perform(
        services,
        call,
        _check_approvers,
        advice.approvers_unread,
        lambda reason: advice.not_in_time("The look at the approvers", reason),
    )


async def _lock_role_down(services: Services, call: LockCall, subscription: Subscription) -> Again | Went:
    write = role_policy_write(services, subscription, call.role)
    made = await services.subscription_intents.ensure(subscription.record.subscription_id, fence_of(call.run), write)
    if isinstance(made, NotYet):
        return Again(made.seconds, made.reason)
    seen = RoleInForce(role_definition_id=call.role, settings=made.image.settings, looked=services.clock.now())

    def decide(found: Subscription) -> Change:
        check_fence(found.record, fence_of(call.run))
        return Change(record=found.record, roles=[seen])

    await services.subscriptions.update(subscription.record.subscription_id, decide)
    _log.info("role.locked subscription_id=%s role=%s changed=%s", call.run.subject, call.role, made.changed)
    return Went()


async def _make_eligible(services: Services, call: LockCall, subscription: Subscription) -> Again | Went:
    declared = subscription.declared.get(call.eligibility)
    if declared is None:
        return Went()
    role = AZURE_ROLES.get(declared.role_definition_id, declared.role_definition_id)
    if not await _is_there(services, declared):
        return Went(problems=(advice.holder_gone(declared.principal_id, role),))
    since = since_of(subscription)
    if not _is_locked(subscription, declared.role_definition_id, since):
        return Went(problems=(advice.holder_waits(declared.principal_id, role),))
    end = since.replace(microsecond=0) + timedelta(days=declared.duration_days)
    write = azure_assignment(
        services,
        subscription,
        {"principal": declared.principal_id, "role": declared.role_definition_id, "end": end.isoformat()},
    )
    made = await services.subscription_intents.ensure(subscription.record.subscription_id, fence_of(call.run), write)
    if isinstance(made, NotYet):
        return Again(made.seconds, made.reason)
    await _keep(services, call, declared, made.image, changed=made.changed)
    return Went()


async def _keep(services: Services, call: LockCall, declared: Declaration, held: Held | None, *, changed: bool) -> None:
    """From now on renewal looks after it."""

    def decide(found: Subscription) -> Change | None:
        check_fence(found.record, fence_of(call.run))
        known = found.eligibilities.get(declared.key)
        if held is None or (known is not None and known.removed is None and known.schedule_id == held.schedule_id):
            return None
        row = declared.row(held.schedule_id, held.end)
        return Change(record=found.record, eligibilities=[row])

    await services.subscriptions.update(SubscriptionId(call.run.subject), decide)
    if changed:
        _log.info(
            "eligibility.made subscription_id=%s principal_id=%s role=%s",
            call.run.subject,
            declared.principal_id,
            declared.role_definition_id,
        )


async def _check_approvers(services: Services, call: LockCall, subscription: Subscription) -> Again | Went:
    lock = subscription.record.lock_down
    if lock is None:
        return Went()
    seen = await look_at_approvers(services, lock.approvers)

    def decide(found: Subscription) -> Change:
        check_fence(found.record, fence_of(call.run))
        return Change(record=found.record, approvers=seen)

    await services.subscriptions.update(subscription.record.subscription_id, decide)
    return Went(problems=advice.of_approvers(seen))


async def _missing(services: Services, subscription: Subscription, roles: tuple[str, ...]) -> tuple[str, ...]:
    """The eligibilities for the roles that are declared and not in force."""
    shown = await services.azure_pim.in_force(subscription.record.subscription_id)
    there = {eligibility_key(one.principal_id, one.role_definition_id) for one in shown}
    return tuple(
        key for key, one in subscription.declared.items() if one.role_definition_id in roles and key not in there
    )


def _is_locked(subscription: Subscription, role: str, since: datetime) -> bool:
    """Whether this run has seen the role's policy as it is declared: nobody is made eligible for a role that is open."""
    lock, seen = subscription.record.lock_down, subscription.roles.get(role)
    if lock is None or seen is None or seen.looked < since:
        return False
    return not differences(seen.settings, wanted_of(lock, subscription.record.longest_days(role)))


async def _is_there(services: Services, declared: Declaration) -> bool:
    if declared.kind is PrincipalKind.GROUP:
        return await services.directory.source_group(declared.principal_id) is not None
    user = await services.directory.source_user(declared.principal_id)
    return user is not None and user.account_enabled is not False
