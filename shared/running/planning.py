"""What a run has left to do: its acts in order, and the analysts they go through. Pure."""

from shared.eligibility.record import Eligibility
from shared.identifiers import ObjectId
from shared.running.acts import ACTS, LEAVING, OFFBOARDING, SUPERSEDED
from shared.running.messages import Plan
from shared.tenants.record import AccessMode, ActState, Analyst, Goal, Tenant
from shared.tenants.states import State

_SECURITY_READER = 9


def plan(tenant: Tenant, *, change: bool) -> Plan:
    """What is left. After a change of what is wanted, only those analysts go through the acts who are not there yet."""
    analysts = [key for key, one in tenant.staying.items() if not (change and is_there(tenant, one))]
    return Plan(acts=acts_left(tenant), analysts=tuple(sorted(analysts)), then=goal_state(tenant))


def acts_left(tenant: Tenant) -> tuple[int, ...]:
    """The acts that are left. Leavers are let go first: nothing else may keep them in."""
    if tenant.record.goal is Goal.OFFBOARDING:
        proving = [1] if asks_again(tenant) else []
        return (*proving, *(act.number for act in OFFBOARDING if not is_done(tenant, act.number)))
    left = [act.number for act in ACTS if not is_done(tenant, act.number)]
    letting_go = [act.number for act in LEAVING] if tenant.leavers else []
    # Another account, or another mode, is only known when act 9 is done.
    superseded = [SUPERSEDED.number] if _SECURITY_READER in left and tenant.eligibilities else []
    return (*letting_go, *left, *superseded)


def asks_again(tenant: Tenant) -> bool:
    """Whether an offboarding waits for a consent that it found missing. Nothing is asked for before it is missed."""
    known = tenant.acts.get(1)
    asked = known is not None and known.state in (ActState.PENDING, ActState.WAITING, ActState.RUNNING)
    return asked and bool(without_consent(tenant)) and not tenant.record.target_by_kit


def without_consent(tenant: Tenant) -> list[int]:
    """The acts of offboarding that wait: they met no consent."""
    return [
        act.number
        for act in OFFBOARDING
        if act.targets and act.number in tenant.acts and tenant.acts[act.number].state is ActState.WAITING
    ]


def goal_state(tenant: Tenant) -> State:
    """Where a run leads that does all of its acts."""
    return State.READY if tenant.record.goal is Goal.ONBOARDING else State.OFFBOARDED


def is_done(tenant: Tenant, number: int) -> bool:
    """Whether an act was done, and nothing has asked for it since."""
    return number in tenant.acts and tenant.acts[number].state is ActState.DONE


def is_there(tenant: Tenant, analyst: Analyst) -> bool:
    """Whether an analyst has gone through all acts already, as it is wanted now."""
    if analyst.problem is not None or analyst.provisioned is None:
        return False
    principal = _principal(tenant, analyst)
    return any(
        one.principal_id == principal and one.wanted_days == tenant.record.wanted.duration_days
        for one in tenant.eligibilities.values()
    )


def holders(tenant: Tenant) -> set[ObjectId]:
    """Who is to hold an eligibility: the analysts' accounts, or the target's group."""
    found = {_principal(tenant, one) for one in tenant.staying.values()}
    return {one for one in found if one is not None}


def surplus(tenant: Tenant) -> dict[str, Eligibility]:
    """Eligibilities of ours that nobody is to hold any more."""
    wanted = holders(tenant)
    return {key: one for key, one in tenant.eligibilities.items() if one.principal_id not in wanted}


def surplus_of_leavers(tenant: Tenant) -> dict[str, Eligibility]:
    """Those of leavers; all of them, where the tenant itself is let go."""
    if tenant.record.goal is Goal.OFFBOARDING:
        return surplus(tenant)
    return {key: one for key, one in surplus(tenant).items() if one.analyst_id in tenant.leavers}


def _principal(tenant: Tenant, analyst: Analyst) -> ObjectId | None:
    access = tenant.record.wanted.access
    return access.group_id if access.mode is AccessMode.GROUP else analyst.target_object_id
