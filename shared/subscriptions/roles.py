"""What a role's PIM policy asks on a subscription, as far as a lock-down is about it; what is wanted; what differs. Pure.

Rules have the ids that Azure gives them. A rule that differs is sent whole, and no other one is.
"""

from datetime import datetime

import msgspec

from shared.durations import days_of
from shared.subscriptions.lockdown import LockDown, Principals

APPROVAL = "Approval_EndUser_Assignment"
ACTIVATION = "Expiration_EndUser_Assignment"
ENABLEMENT = "Enablement_EndUser_Assignment"
CONTEXT = "AuthenticationContext_EndUser_Assignment"
LONGEST = "Expiration_Admin_Eligibility"
ELIGIBILITY = "Enablement_Admin_Eligibility"
APPROVERS_MAIL = "Notification_Approver_EndUser_Assignment"

MFA, JUSTIFICATION, TICKET = "MultiFactorAuthentication", "Justification", "Ticketing"
_WORDS = {MFA: "MFA", JUSTIFICATION: "a justification", TICKET: "a ticket number"}


class RoleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of a policy. `longest`, `longest_eligibility`: as ISO 8601; empty where no end is demanded.

    `plain_approval`: one stage of one day, the approver gives a reason, and nothing escalates. `context`: empty where none
    is asked for. `tells_approvers`: by mail, of a request.
    """

    approval: bool = False
    approvers: Principals = Principals()
    plain_approval: bool = True
    longest: str = ""
    enabled: tuple[str, ...] = ()
    context: str = ""
    longest_eligibility: str = ""
    enabled_for_eligibility: tuple[str, ...] = ()
    tells_approvers: bool = True


class RoleInForce(msgspec.Struct, frozen=True, kw_only=True):
    """A role's policy as it was last read."""

    role_definition_id: str
    settings: RoleSettings
    looked: datetime


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a lock-down wants of a role's policy. `longest_days`: of the eligibilities that are declared for it."""

    approvers: Principals
    hours: int
    mfa: bool
    context: str
    ticket: bool
    longest_days: int = 0


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that is not as wanted, in words: how it is, and how it is to be."""

    rule: str
    found: str
    wanted: str


def wanted_of(lock: LockDown, longest_days: int) -> Wanted:
    """What a lock-down wants of each of its roles. An authentication context takes MFA's place: both are refused."""
    return Wanted(
        approvers=lock.approvers,
        hours=lock.hours,
        mfa=lock.mfa and not lock.context,
        context=lock.context,
        ticket=lock.ticket,
        longest_days=longest_days,
    )


def target(found: RoleSettings, wanted: Wanted) -> RoleSettings:
    """The policy as it is to be. What of it nobody wanted otherwise stays as it is."""
    asked = [MFA] * wanted.mfa + [JUSTIFICATION] + [TICKET] * wanted.ticket
    longest = found.longest_eligibility
    if longest and (days_of(longest) or 0) < wanted.longest_days:
        longest = f"P{wanted.longest_days}D"
    return RoleSettings(
        approval=True,
        approvers=wanted.approvers,
        plain_approval=True,
        longest=found.longest if days_of(found.longest) == wanted.hours / 24 else f"PT{wanted.hours}H",
        enabled=tuple(sorted(asked)),
        context=wanted.context,
        longest_eligibility=longest,
        # No application can give MFA, so with it nobody could be made eligible any more.
        enabled_for_eligibility=tuple(one for one in found.enabled_for_eligibility if one != MFA),
        # Nobody else tells them: no mail is ours.
        tells_approvers=True,
    )


def differences(found: RoleSettings, wanted: Wanted) -> tuple[Difference, ...]:
    """The rules that are not as wanted, in the order in which they are sent."""
    is_now, is_to_be = _told(found), _told(target(found, wanted))
    return tuple(
        Difference(rule=rule, found=is_now[rule], wanted=is_to_be[rule])
        for rule in is_to_be
        if is_now[rule] != is_to_be[rule]
    )


def _told(settings: RoleSettings) -> dict[str, str]:
    """Each rule in words that differ where the rule does."""
    return {
        APPROVAL: _approval(settings),
        ACTIVATION: f"an activation lasts {settings.longest} at most"
        if settings.longest
        else "an activation has no end",
        ENABLEMENT: f"an activation asks for {_listed(settings.enabled)}",
        CONTEXT: f"authentication context {settings.context}" if settings.context else "no authentication context",
        LONGEST: f"an eligibility lasts {settings.longest_eligibility} at most"
        if settings.longest_eligibility
        else "an eligibility needs no end",
        ELIGIBILITY: f"an eligibility asks for {_listed(settings.enabled_for_eligibility)}",
        APPROVERS_MAIL: "approvers are told by mail" if settings.tells_approvers else "approvers are told by no mail",
    }


def _approval(settings: RoleSettings) -> str:
    if not settings.approval:
        return "no approval"
    named = [f"group {one}" for one in settings.approvers.groups] + [f"user {one}" for one in settings.approvers.users]
    odd = "" if settings.plain_approval else ", in another way than one stage of a day with the approver's reason"
    return f"approval by {', '.join(named) or 'nobody'}{odd}"


def _listed(enabled: tuple[str, ...]) -> str:
    return ", ".join(_WORDS.get(one, one) for one in enabled) or "nothing"
