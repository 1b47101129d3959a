"""What reads tell of a subscription's open questions."""

from datetime import datetime, timedelta

import msgspec

from shared.arm.access_shapes import Where, assignments_of, roles_of, where
from shared.arm.shapes import last_part, role_path
from shared.azure_permissions import (
    LIST_ACTIVATIONS,
    LIST_AZURE_ASSIGNMENTS,
    LIST_AZURE_INSTANCES,
    LIST_AZURE_POLICIES,
    LIST_AZURE_REQUESTS,
    LIST_AZURE_ROLES,
    LIST_AZURE_SCHEDULES,
)
from shared.doctor.asking import Told
from shared.doctor.findings import Finding, barred, either, likely, other, unsettled
from shared.doctor.visit import AzureVisit, Look, refused
from shared.permissions import LIST_GROUP_MEMBERS, Call, Registration

_OWNER, _REFUSAL = "arm-pim-needs-owner", "arm-lists-refuse-with-400"
_FILTER, _PIM_ONLY = "arm-policy-filter-ignored", "arm-pim-only-mode-available"
_KEEPS, _LAPSED, _MEMBERS = (
    "arm-extension-keeps-schedule",
    "arm-lapsed-schedules-stay-listed",
    "arm-lists-show-group-members",
)
_UNDECIDED, _BARE, _CANCEL = "arm-undecided-becomes-failed", "arm-approval-id-is-bare", "arm-applications-cannot-cancel"

_VERSION, _PREVIEW, _ROLES_VERSION = "2020-10-01", "2024-09-01-preview", "2022-04-01"
_SUFFICIENT = frozenset({"8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"})
"""Owner and User Access Administrator (Azure built-in roles reference)."""
_RULE = "PIMOnlyMode_Admin_Assignment"
_A_MONTH, _A_DAY = timedelta(days=30), timedelta(hours=24)
_CHANGES = frozenset({"AdminExtend", "AdminUpdate"})
_EFFECTIVE = frozenset({"Provisioned", "Granted", "ScheduleCreated"})


class _Expiration(msgspec.Struct, rename="camel"):
    end_date_time: datetime | None = None


class _Info(msgspec.Struct):
    expiration: _Expiration | None = None


class _Properties(msgspec.Struct, rename="camel", kw_only=True):
    principal_id: str = ""
    principal_type: str | None = None
    role_definition_id: str = ""
    member_type: str | None = None
    end_date_time: datetime | None = None
    created_on: datetime | None = None
    request_type: str = ""
    status: str = ""
    approval_id: str | None = None
    schedule_info: _Info | None = None
    effective_rules: list[dict[str, object]] = []

    @property
    def ends(self) -> datetime | None:
        """The end that a request asks for."""
        info = self.schedule_info
        return info.expiration.end_date_time if info is not None and info.expiration is not None else None

    @property
    def whose(self) -> tuple[str, str]:
        """Whose eligibility for which role."""
        return self.principal_id.lower(), last_part(self.role_definition_id)


class _Item(msgspec.Struct):
    properties: _Properties


async def _owner(visit: AzureVisit) -> list[Finding]:
    told, _ = await _list(visit, LIST_AZURE_INSTANCES)
    own = (await visit.asker.claims(Registration.ACCESS, visit.source, of_azure=True)).oid
    held = await roles_held(visit, own)
    if told.taken and held & _SUFFICIENT:
        return unsettled([_OWNER], "Tenantry Access holds Owner or User Access Administrator")
    if told.taken:
        return [likely(_OWNER, "Tenantry Access lists eligibilities by its custom role")]
    _, found = await _raw(visit, LIST_AZURE_ROLES, {"api-version": _ROLES_VERSION})
    roles = [one for key, one in roles_of(found).items() if key in held]
    if any(one.allows(LIST_AZURE_INSTANCES.permissions[0]) for one in roles):
        return [other(_OWNER, f"refused with {told.brief}, though a role of Tenantry Access allows it")]
    return barred([_OWNER], f"refused with {told.brief}: assign the custom role of the subscription to Tenantry Access")


async def roles_held(visit: AzureVisit, principal_id: str) -> frozenset[str]:
    """The role definitions that a principal holds at the subscription, or above it."""
    _, below = await _raw(visit, LIST_AZURE_ASSIGNMENTS, {"api-version": _ROLES_VERSION})
    _, above = await _raw(visit, LIST_AZURE_ASSIGNMENTS, {"api-version": _ROLES_VERSION, "$filter": "atScope()"})
    ours = [one for one in assignments_of([*below, *above]) if one.principal_id == principal_id]
    return frozenset(one.role_definition_id for one in ours if where(one.scope, visit.id) is not Where.BELOW)


async def _refusal(visit: AzureVisit) -> list[Finding]:
    query = {"api-version": _VERSION}
    told = await visit.asker.ask(
        LIST_AZURE_INSTANCES, Registration.LOOKUP, visit.source, (visit.id,), query, as_stranger=True
    )
    if told.status in (400, 403):
        return [either(_REFUSAL, f"Tenantry Lookup is refused with {told.brief}", is_other=told.status == 400)]
    if told.taken:
        return barred([_REFUSAL], "Tenantry Lookup has rights in Azure, and should have none: take them away")
    return refused((_REFUSAL,), told, Registration.LOOKUP)


async def _policies(visit: AzureVisit) -> list[Finding]:
    chosen = f"roleDefinitionId eq '{role_path(visit.id, visit.role)}'"
    told, found = await _list(visit, LIST_AZURE_POLICIES, chosen)
    if not told.taken:
        return refused((_FILTER,), told, Registration.ACCESS)
    others = {one.whose[1] for one in found} - {visit.role}
    return [either(_FILTER, f"policies of {len(others)} other roles came", is_other=bool(others))] if found else []


async def _pim_only(visit: AzureVisit) -> list[Finding]:
    query = {"api-version": _PREVIEW, "$filter": f"roleDefinitionId eq '{role_path(visit.id, visit.role)}'"}
    told, rows = await _raw(visit, LIST_AZURE_POLICIES, query)
    if told.status == 400 and not told.forbidden:
        return [likely(_PIM_ONLY, f"the preview answers with {told.brief}")]
    if not told.taken:
        return refused((_PIM_ONLY,), told, Registration.ACCESS)
    rules = [rule.get("id") for row in rows for rule in _properties(row).effective_rules]
    return [either(_PIM_ONLY, f"the rule is {'' if _RULE in rules else 'not '}there", is_other=_RULE in rules)]


async def _extension(visit: AzureVisit) -> list[Finding]:
    told, asked = await _list(visit, LIST_AZURE_REQUESTS)
    if not told.taken:
        return refused((_KEEPS,), told, Registration.ACCESS)
    latest: dict[tuple[str, str], datetime] = {}
    for one in asked:
        if one.request_type in _CHANGES and one.status in _EFFECTIVE and one.created_on:
            latest[one.whose] = max(one.created_on, latest.get(one.whose, one.created_on))
    _, schedules = await _list(visit, LIST_AZURE_SCHEDULES)
    for one in schedules:
        at = latest.get(one.whose)
        if at is not None and one.created_on is not None and one.member_type in (None, "Direct"):
            older = one.created_on < at - timedelta(minutes=5)
            return [
                either(_KEEPS, "the schedule is older than the extension" if older else "it is new", is_other=older)
            ]
    return unsettled([_KEEPS], "nothing was extended in the last weeks")


async def _lapsed(visit: AzureVisit) -> list[Finding]:
    now = visit.clock.now()
    told, schedules = await _list(visit, LIST_AZURE_SCHEDULES)
    if not told.taken:
        return refused((_LAPSED,), told, Registration.ACCESS)
    past = [one for one in schedules if one.end_date_time is not None and one.end_date_time < now]
    if past:
        return [other(_LAPSED, f"{len(past)} with an end in the past are listed")]
    _, asked = await _list(visit, LIST_AZURE_REQUESTS)
    newest: dict[tuple[str, str], _Properties] = {}
    for one in sorted(asked, key=lambda one: one.created_on or now):
        newest[one.whose] = one
    there = {one.whose for one in schedules}
    for whose, one in newest.items():
        end = one.ends
        ended = end is not None and now - _A_MONTH < end < now and one.status in _EFFECTIVE
        if ended and one.request_type != "AdminRemove" and whose not in there:
            return [likely(_LAPSED, "one that lapsed in the last 30 days is not listed")]
    return unsettled([_LAPSED], "nothing lapsed in the last 30 days")


async def _group_members(visit: AzureVisit) -> list[Finding]:
    told, found = await _list(visit, LIST_AZURE_INSTANCES)
    if not told.taken:
        return refused((_MEMBERS,), told, Registration.ACCESS)
    if any(one.member_type == "Group" for one in found):
        return [other(_MEMBERS, "members of a group are listed")]
    for one in found:
        if one.principal_type == "Group":
            told, members = await visit.asker.listed(
                LIST_GROUP_MEMBERS, Registration.LOOKUP, visit.source, (one.principal_id,), {"$select": "id"}
            )
            if not told.taken:
                return refused((_MEMBERS,), told, Registration.LOOKUP)
            if members:
                return [likely(_MEMBERS, f"a group with {len(members)} members is listed, and none of them")]
    return unsettled([_MEMBERS], "no group with members is eligible")


async def _activations(visit: AzureVisit) -> list[Finding]:
    told, asked = await _list(visit, LIST_ACTIVATIONS)
    if not told.taken:
        return refused((_UNDECIDED, _BARE), told, Registration.ACCESS)
    approved = [one for one in asked if one.approval_id]
    found: list[Finding] = []
    for one in approved[:1]:
        bare = "/" not in (one.approval_id or "")
        found.append(either(_BARE, "it is a GUID" if bare else "it is a path", is_other=bare))
    now = visit.clock.now()
    over = [one for one in approved if one.created_on is not None and now - one.created_on >= _A_DAY]
    statuses = {one.status for one in over} & {"TimedOut", "Failed"}
    if statuses:
        # One that timed out settles it; a failed one may have failed for another reason.
        found.append(either(_UNDECIDED, f"seen: {', '.join(sorted(statuses))}", is_other="TimedOut" not in statuses))
    return found


async def _cancellations(visit: AzureVisit) -> list[Finding]:
    if visit.cancellations is None:
        return unsettled([_CANCEL], "what the app has kept of its cancellations is out of reach here")
    outcomes = [one.outcome for one in visit.cancellations]
    if "done" in outcomes:
        return [likely(_CANCEL, "the app has cancelled requests")]
    if any(one.startswith("refused") for one in outcomes):
        told = sorted({one for one in outcomes if one.startswith("refused")})
        return [other(_CANCEL, f"the app's cancellations were {', '.join(told)}")]
    return unsettled([_CANCEL], "the app has cancelled nothing yet")


async def _list(visit: AzureVisit, call: Call, chosen: str = "") -> tuple[Told, list[_Properties]]:
    told, rows = await _raw(visit, call, {"api-version": _VERSION, **({"$filter": chosen} if chosen else {})})
    return told, [_properties(row) for row in rows]


async def _raw(visit: AzureVisit, call: Call, query: dict[str, str]) -> tuple[Told, list[msgspec.Raw]]:
    return await visit.asker.listed(call, Registration.ACCESS, visit.source, (visit.id,), query)


def _properties(row: msgspec.Raw) -> _Properties:
    return msgspec.json.decode(row, type=_Item).properties


AZURE_LOOKS: tuple[Look[AzureVisit], ...] = (
    Look(facts=(_OWNER,), by=_owner),
    Look(facts=(_REFUSAL,), by=_refusal),
    Look(facts=(_FILTER,), by=_policies),
    Look(facts=(_PIM_ONLY,), by=_pim_only),
    Look(facts=(_KEEPS,), by=_extension),
    Look(facts=(_LAPSED,), by=_lapsed),
    Look(facts=(_MEMBERS,), by=_group_members),
    Look(facts=(_UNDECIDED, _BARE), by=_activations),
    Look(facts=(_CANCEL,), by=_cancellations),
)
