"""May a run start, and what is it to do. Pure. What the tenant's record looks like when it does is opening.py."""

from enum import StrEnum

import msgspec

from shared.run import Run
from shared.tenants.record import Analyst, Goal, Record, Tenant, Wanted
from shared.tenants.states import RESTING, State


class Onboarding(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of a run towards Ready. `replace`: the wanted values and analysts take the place of what was wanted
    before. `change`: they do so for a tenant that has come further: joiners are added, and leavers let go.

    `only_from`: nobody asked for this run but an answer that came; it begins only while the tenant still waits for it.
    """

    domain: str
    wanted: Wanted
    analysts: tuple[Analyst, ...]
    replace: bool
    change: bool = False
    only_from: State | None = None
    reason: str = ""


class Offboarding(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of a run towards Offboarded. `by_kit`: what lacks a consent in the target is left to its administrator.

    `only_from`: as above.
    """

    by_kit: bool = False
    only_from: State | None = None
    reason: str = ""


type Payload = Onboarding | Offboarding


def payload_of(run: Run) -> Payload:
    """What a run is to do."""
    match Goal(run.kind):
        case Goal.ONBOARDING:
            return msgspec.json.decode(run.wanted, type=Onboarding)
        case Goal.OFFBOARDING:
            return msgspec.json.decode(run.wanted, type=Offboarding)


def goal_of(payload: Payload) -> Goal:
    """Where a payload leads."""
    return Goal.ONBOARDING if isinstance(payload, Onboarding) else Goal.OFFBOARDING


def continued(record: Record, *, only_from: State | None = None) -> Payload:
    """The payload of a run that goes on with what is wanted already. An operator's word takes the place of an earlier reason;
    an answer that came does not.
    """
    reason = record.reason if only_from else ""
    if record.goal is Goal.OFFBOARDING:
        return Offboarding(by_kit=record.target_by_kit, only_from=only_from, reason=reason)
    return Onboarding(
        domain=record.domain,
        wanted=record.wanted,
        analysts=(),
        replace=False,
        only_from=only_from,
        reason=reason,
    )


class Verdict(StrEnum):
    """What becomes of a POST."""

    START = "start"
    CONTINUE = "continue"
    UNCHANGED = "unchanged"
    BUSY = "busy"
    READY_OTHERWISE = "ready otherwise"
    BEGUN_OTHERWISE = "begun otherwise"
    WRONG_STATE = "wrong state"
    LEAVING = "leaving"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a POST, with the reason in words."""

    verdict: Verdict
    reason: str = ""


def on_post(tenant: Tenant | None, wanted: Wanted) -> Answer:
    """Whether a POST with this wish starts a run."""
    if tenant is None or tenant.record.state is State.OFFBOARDED:
        return Answer(verdict=Verdict.START)
    record = tenant.record
    same = record.wanted == wanted
    if record.state is State.READY:
        if same:
            return Answer(verdict=Verdict.UNCHANGED)
        return Answer(
            verdict=Verdict.READY_OTHERWISE,
            reason="The tenant is Ready with other wishes. Change the analysts by PUT /api/tenants/{tenantId}/analysts, "
            "the rest by PATCH /api/tenants/{tenantId}.",
        )
    if record.state not in RESTING:
        return Answer(verdict=Verdict.BUSY, reason=f"The tenant is {record.state}.")
    if record.goal is Goal.OFFBOARDING:
        return Answer(
            verdict=Verdict.LEAVING,
            reason="The tenant is being let go. POST /api/tenants/{tenantId}/retry goes on with that; onboard it when it is "
            "Offboarded.",
        )
    if same:
        return Answer(verdict=Verdict.CONTINUE)
    if has_written(tenant):
        return Answer(
            verdict=Verdict.BEGUN_OTHERWISE,
            reason="An act after preflight has written already, so what is wanted cannot be replaced any more. Send the "
            "same body, or POST /api/tenants/{tenantId}/retry, and change the rest when the tenant is Ready.",
        )
    return Answer(verdict=Verdict.START)


def on_delete(tenant: Tenant) -> Answer:
    """Whether a DELETE starts a run: from Ready, and from wherever a run rests."""
    state = tenant.record.state
    if state is State.OFFBOARDED:
        return Answer(verdict=Verdict.UNCHANGED)
    if state is State.READY or state in RESTING:
        return Answer(verdict=Verdict.START)
    if state is State.OFFBOARDING:
        return Answer(verdict=Verdict.BUSY, reason="The tenant is being let go already.")
    return Answer(
        verdict=Verdict.BUSY,
        reason=f"The tenant is {state}. POST /api/tenants/{{tenantId}}/cancel stops that; then it can be let go.",
    )


def on_retry(tenant: Tenant) -> Answer:
    """Whether a retry starts a run."""
    if tenant.record.state in RESTING:
        return Answer(verdict=Verdict.CONTINUE)
    if tenant.record.state in (State.READY, State.OFFBOARDED):
        reason = f"The tenant is {tenant.record.state}: there is nothing to retry."
        return Answer(verdict=Verdict.WRONG_STATE, reason=reason)
    return Answer(verdict=Verdict.BUSY, reason=f"The tenant is {tenant.record.state}.")


def has_written(tenant: Tenant) -> bool:
    """Whether an act after preflight has tried a write in either tenant."""
    return any(intent.act > 2 for intent in tenant.intents.values())
