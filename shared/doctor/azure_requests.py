"""What Azure says of requests that it only validates (.../validate): for what is there already, or for nobody."""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from shared.arm.shapes import AzureEligibility, held_at, role_path, rules_of
from shared.azure_permissions import LIST_AZURE_INSTANCES, LIST_AZURE_POLICIES
from shared.doctor.asking import Told, Wish
from shared.doctor.findings import Finding, either, likely, other, unsettled
from shared.doctor.visit import AzureVisit, Look, refused
from shared.eligibility.policy import asks_for_mfa, role_policy
from shared.graph.shapes import Rule
from shared.permissions import Registration

_NOBODY = "arm-unknown-principal-is-subject"
_PAST, _WINDOW, _RENEW = "arm-past-start-refused", "arm-extend-window-enforced", "arm-renew-needs-expired"
_NAMES, _MFA, _YEAR, _LOCK = (
    "arm-extend-names-schedule",
    "arm-mfa-spares-applications",
    "arm-eligibility-capped-at-a-year",
    "arm-lock-fails-the-request",
)
_OF_ONE = (_PAST, _WINDOW, _RENEW, _NAMES, _MFA, _YEAR, _LOCK)
_NEED_CONTROL = (_PAST, _WINDOW, _RENEW, _NAMES, _YEAR)
_VERSION = "2020-10-01"
_LOCKED = "FailedAsResourceIsLocked"
_POLICY_FAILED = "RoleAssignmentRequestPolicyValidationFailed"
_DAY, _LATE, _PORTAL = timedelta(days=1), timedelta(minutes=10), timedelta(days=14)
_OVER_A_YEAR = 370


class _Status(msgspec.Struct):
    status: str = ""


class _Validated(msgspec.Struct):
    properties: _Status = msgspec.field(default_factory=_Status)


async def _of_nobody(visit: AzureVisit) -> list[Finding]:
    now = visit.clock.now()
    wish = Wish(action="adminAssign", principal_id=visit.new_id(), start=now, end=now + _DAY, role=visit.role)
    told = await _would(visit, wish)
    if told.code in ("PrincipalNotFound", "SubjectNotFound"):
        return [either(_NOBODY, f"refused with {told.brief}", is_other=told.code == "SubjectNotFound")]
    return refused((_NOBODY,), told, Registration.ACCESS)


async def _of_one(visit: AzureVisit) -> list[Finding]:
    held = await _longest(visit)
    if held is None or held.end is None:
        return unsettled(_OF_ONE, "no eligibility for the role with an end is in force")
    now, rules = visit.clock.now(), await _rules(visit)
    same = Wish(
        action="adminUpdate",
        principal_id=held.principal_id,
        start=now - timedelta(seconds=1),
        end=held.end,
        role=visit.role,
        schedule_id=held.schedule_id,
    )
    control = await _would(visit, same)
    of_lock = _lock(control)
    if asks_for_mfa(rules):
        spared = _told_by(_MFA, control, _POLICY_FAILED, swapped=True)
    else:
        spared = unsettled([_MFA], "the role's policy does not ask for MFA")
    if not control.taken:
        return [*of_lock, *spared, *refused(_NEED_CONTROL, control, Registration.ACCESS)]
    late = await _would(visit, replace(same, start=now - _LATE))
    renewed = await _would(visit, replace(same, action="adminRenew"))
    return [
        *of_lock,
        *spared,
        *_told_by(_PAST, late, "InvalidRoleAssignmentRequestSchedule"),
        *_told_by(_RENEW, renewed, "RoleAssignmentExists"),
        *await _extended(visit, replace(same, action="adminExtend"), now),
        *await _long(visit, same, rules, now),
    ]


async def _extended(visit: AzureVisit, extension: Wish, now: datetime) -> list[Finding]:
    named = await _would(visit, extension)
    far = extension.end - now > _PORTAL
    window = (
        _told_by(_WINDOW, named, "InvalidRoleAssignmentRequest")
        if far
        else unsettled([_WINDOW], "every eligibility for the role ends within 14 days")
    )
    if not named.taken:
        return [*window, *unsettled([_NAMES], "an extension is refused also with it")]
    return [
        *window,
        *_told_by(_NAMES, await _would(visit, replace(extension, schedule_id="")), "InvalidRoleAssignmentRequest"),
    ]


async def _long(visit: AzureVisit, same: Wish, rules: tuple[Rule, ...], now: datetime) -> list[Finding]:
    most = role_policy(rules).maximum_days
    if most is None or most <= _OVER_A_YEAR:
        return unsettled([_YEAR], "the role's policy demands no end, or allows no more than a year")
    return _told_by(_YEAR, await _would(visit, replace(same, end=now + timedelta(days=_OVER_A_YEAR))), _POLICY_FAILED)


def _lock(told: Told) -> list[Finding]:
    if told.code == "ResourceIsLocked":
        return [likely(_LOCK, f"refused with {told.brief}")]
    if told.taken and told.decode(_Validated).properties.status == _LOCKED:
        return [other(_LOCK, f"validated, with status {_LOCKED}")]
    return unsettled([_LOCK], "no lock is on the subscription")


def _told_by(fact: str, told: Told, code: str, *, swapped: bool = False) -> list[Finding]:
    """Taken, or refused with that code: the refusal is the other answer, or, `swapped`, the likely one."""
    if told.taken or told.code == code:
        return [either(fact, f"validated with {told.brief}", is_other=told.taken is swapped)]
    return refused((fact,), told, Registration.ACCESS)


async def _longest(visit: AzureVisit) -> AzureEligibility | None:
    _, rows = await visit.asker.listed(
        LIST_AZURE_INSTANCES, Registration.ACCESS, visit.source, (visit.id,), {"api-version": _VERSION}
    )
    found = [one for row in rows if (one := held_at(row, visit.id)) is not None]
    # One that is held under a condition would have to be named with it.
    plain = [one for one in found if one.role_definition_id == visit.role and one.end and not one.condition]
    return max(plain, key=lambda one: one.end or visit.clock.now(), default=None)


async def _rules(visit: AzureVisit) -> tuple[Rule, ...]:
    query = {"api-version": _VERSION, "$filter": f"roleDefinitionId eq '{role_path(visit.id, visit.role)}'"}
    _, rows = await visit.asker.listed(LIST_AZURE_POLICIES, Registration.ACCESS, visit.source, (visit.id,), query)
    return tuple(rule for row in rows for rule in rules_of(row, visit.id, visit.role))


async def _would(visit: AzureVisit, wish: Wish) -> Told:
    return await visit.asker.would_azure(visit.id, visit.new_id(), wish)


AZURE_REQUESTS: tuple[Look[AzureVisit], ...] = (
    Look(facts=(_NOBODY,), by=_of_nobody, validates=True),
    Look(facts=_OF_ONE, by=_of_one, validates=True),
)
