"""The kit for a target tenant's administrator, in Markdown: what is asked, what was changed, how to undo it. Pure."""

import re
from collections.abc import Iterable, Sequence

import msgspec

from shared.chain import Deed, Entry
from shared.identifiers import AppId, ObjectId, TenantId
from shared.onboarding.commands import (
    GROUP_SCOPES,
    ROLE_SCOPES,
    add_member,
    assign_for_good,
    block,
    call,
    connect,
    make_group,
)
from shared.onboarding.pages import PURPOSES, reasons
from shared.permissions import MULTI_TENANT, SECURITY_READER, Registration
from shared.running.acts import asked_of
from shared.running.planning import is_done
from shared.subjects import IntentState
from shared.tenants.record import AccessMode, Goal, Left, Tenant, Undo
from shared.tenants.states import State
from shared.writes.by_hand import undo_in_target

_NOT_CHANGED = ("refused", "not sent", "found to be so")
"""How the outcomes begin of writes that changed nothing."""

_ACCOUNT = "account of "
"""The object of a provisioning: the source's job is asked, and the account is made here."""

_SCOPE = 22
"""The act that takes analysts out of scope in the source: the job then deletes their accounts here."""

_SCOPES = (
    "RoleEligibilitySchedule.ReadWrite.Directory",
    "User.DeleteRestore.All",
    "Policy.ReadWrite.CrossTenantAccess",
    "Application.ReadWrite.All",
)
_ROLES = "Privileged Role Administrator, User Administrator, Security Administrator and Cloud Application Administrator"
_STAYS_HERE = """Here: your sign-in and audit logs, and deleted accounts, applications and organizations for 30 days among the
deleted items. With the sender: the record of what was done."""
_STAYS_THERE = """And, until they let go of your tenant, their own entry for it and the application that synchronized the
analysts. It can do nothing here any more."""


def markdown(
    tenant: Tenant, source: TenantId, source_name: str, apps: dict[Registration, AppId], trail: Sequence[Entry]
) -> str:
    """The whole kit for one tenant. `trail` is its audit, oldest first."""
    target = tenant.record.tenant_id
    changes = _changes(target, trail)
    parts = [
        f"# {_plain(source_name)} looks after {_plain(tenant.record.wanted.display_name)}",
        (
            f"For the administrator of the tenant `{target}` ({_plain(tenant.record.domain)}). The state is "
            f"**{tenant.record.state.value}** since {tenant.record.since:%Y-%m-%d %H:%M} UTC."
        ),
        "## What is asked of you, and why",
        *_asked(tenant),
        "## What was changed so far",
        _changed(changes),
        *_under_way(tenant),
        *_access(tenant),
        *_let_go(tenant),
        "## How to remove everything"
        if tenant.record.state is not State.OFFBOARDED
        else "## What is left for you to do",
        *_removal(tenant, source, apps),
        "## What stays",
        _STAYS_HERE if tenant.record.state is State.OFFBOARDED else f"{_STAYS_HERE} {_STAYS_THERE}",
    ]
    return "\n\n".join(parts) + "\n"


def _asked(tenant: Tenant) -> Iterable[str]:
    for registration in asked_of(tenant.record.wanted):
        yield f"**{registration.value}** {PURPOSES[registration]}"
        rows = [f"| `{name}` | {'; '.join(why)} |" for name, why in reasons(registration)]
        yield "\n".join(["| Permission | What it is for |", "|---|---|", *rows])


def _changes(target: TenantId, trail: Sequence[Entry]) -> Sequence[Deed]:
    """What changed this tenant, or may have."""
    return [
        entry.deed
        for entry in trail
        if (entry.deed.tenant_id == target or entry.deed.object_name.startswith(_ACCOUNT) or entry.deed.act == _SCOPE)
        and not entry.deed.outcome.startswith(_NOT_CHANGED)
    ]


def _changed(changes: Sequence[Deed]) -> str:
    rows = [
        f"| {deed.at:%Y-%m-%d %H:%M} | {deed.registration} | {_plain(deed.what)} | {deed.outcome} | "
        f"`{_json(deed.before)}` | `{_json(deed.wanted)}` |"
        for deed in changes
    ]
    if not rows:
        return "Nothing yet."
    return "\n".join(["| When (UTC) | By | What | Outcome | Before | Wanted |", "|---|---|---|---|---|---|", *rows])


def _under_way(tenant: Tenant) -> Iterable[str]:
    under_way = [one for one in tenant.intents.values() if one.state is not IntentState.CLOSED]
    if under_way:
        names = "; ".join(_plain(one.object_name) for one in under_way)
        yield f"Under way, and not yet read back: {names}."


def _access(tenant: Tenant) -> Iterable[str]:
    """What only an administrator can do so that the analysts get their role, where it does not go by analyst."""
    wanted = tenant.record.wanted.access
    accounts = [one.target_object_id for one in tenant.staying.values() if one.target_object_id is not None]
    if wanted.mode is AccessMode.GROUP:
        yield "## How to make the group and add its members"
        yield (
            "Access is by a role-assignable group of your own. In Microsoft Graph PowerShell, by a Privileged Role "
            "Administrator (in the portal: *Groups*, *New group*, *Microsoft Entra roles can be assigned to the group*)."
        )
        yield block(connect(tenant.record.tenant_id, GROUP_SCOPES))
        if wanted.group_id is None:
            yield "Make it, and tell the sender its id:"
            yield block(make_group())
        else:
            yield f"Make the analysts' accounts members of `{wanted.group_id}`; who is a member already is refused: go on."
            yield block(*(add_member(wanted.group_id, one) for one in accounts))
    if tenant.record.without_pim:
        holders = [wanted.group_id] if wanted.mode is AccessMode.GROUP and wanted.group_id else accounts
        yield "## How to assign the role"
        yield "Your tenant has no PIM, so Security Reader is assigned for good, by a Privileged Role Administrator:"
        yield block(connect(tenant.record.tenant_id, ROLE_SCOPES), *(assign_for_good(one) for one in holders))


def _let_go(tenant: Tenant) -> Iterable[str]:
    """What the sender did not take back by themselves, and why."""
    if tenant.record.goal is not Goal.OFFBOARDING:
        return
    yield "## What the sender took back"
    if tenant.record.state is not State.OFFBOARDED:
        yield (
            "They are letting your tenant go. Wait until the state is Offboarded, and read this again then: what they take "
            "back is no longer among the commands below. Do not delete their applications before, unless they ask for it."
        )
    elif not tenant.record.left_to_kit:
        yield "Everything that they made or changed here, but for what is named below."
    rows = [f"| {_plain(one.what)} | {_plain(one.why)} |" for one in tenant.record.left_to_kit]
    if rows:
        yield "This is left to you; the commands are below."
        yield "\n".join(["| What | Why |", "|---|---|", *rows])
    yield from _not_put_back(tenant)


def _not_put_back(tenant: Tenant) -> Iterable[str]:
    rows = [
        f"| {_plain(one.what)} | `{_cell(one.before)}` | `{_cell(one.left)}` | `{_cell(one.now)}` | {_plain(one.why)} |"
        for one in tenant.record.skipped
        if one.where == tenant.record.tenant_id
    ]
    if rows:
        yield "This was not put back, and is yours to judge."
        yield "\n".join(
            ["| What | Before | As they left it | When they looked | Why |", "|---|---|---|---|---|", *rows]
        )


def _removal(tenant: Tenant, source: TenantId, apps: dict[Registration, AppId]) -> Iterable[str]:
    yield (
        f"In this order, in Microsoft Graph PowerShell, by somebody with the roles {_ROLES}. In the portal the same is under "
        "*Enterprise applications*, *Privileged Identity Management*, *Users* and *Cross-tenant access settings*. What is "
        "gone already answers 404, or that the assignment does not exist: go on."
    )
    yield block(connect(tenant.record.tenant_id, _SCOPES))
    yield "1. The sender's applications, so that nothing is made anew."
    # Also those that were asked for once and are not wanted any more.
    ours = [one for one in MULTI_TENANT if one in asked_of(tenant.record.wanted) or one in tenant.consents]
    yield block(*(call("DELETE", f"servicePrincipals(appId='{apps[one]}')") for one in ours))
    yield "2. The analysts' eligibilities for Security Reader."
    yield block(*(_remove_eligibility(one) for one in _principals(tenant)))
    if tenant.record.without_pim:
        yield (
            "What you assigned for good goes with the accounts; a group's assignment you remove under *Roles and "
            "administrators*, or you delete the group."
        )
    yield (
        "3. The analysts' accounts. Ask the sender to take the analysts out of scope first, and wait an hour: then they are "
        "gone by themselves. Of those that are left, keep the ones that you had before (their creation date tells)."
    )
    yield block(*(call("DELETE", f"users/{account}") for account in _accounts(tenant)))
    yield (
        "4. The trust in the source tenant, as it was before. Where you have used the entry for something else since, do not "
        "delete it: turn off there what was changed."
    )
    yield block(*(_undo(one) for one in _undone_by(tenant, source)))


def _principals(tenant: Tenant) -> Sequence[ObjectId]:
    """Whose eligibilities there may be."""
    if _is_over(tenant, 21):
        return _left(tenant, 21).objects
    rows = [one.principal_id for one in tenant.eligibilities.values() if not one.plain]
    return list(dict.fromkeys(rows if tenant.record.without_pim else [*rows, *_accounts(tenant)]))


def _accounts(tenant: Tenant) -> Sequence[ObjectId]:
    """The analysts' accounts that there may be."""
    if _is_over(tenant, 24):
        return _left(tenant, 24).objects
    known = (one for one in tenant.analysts.values() if not one.earlier_account)
    return [one.target_object_id for one in known if one.target_object_id is not None]


def _undone_by(tenant: Tenant, source: TenantId) -> Sequence[Undo]:
    """The calls that put the settings back."""
    return _left(tenant, 27).undo if _is_over(tenant, 27) else undo_in_target(tenant, source)


def _is_over(tenant: Tenant, number: int) -> bool:
    """Whether an act of offboarding has done what it could."""
    return tenant.record.goal is Goal.OFFBOARDING and is_done(tenant, number)


def _left(tenant: Tenant, number: int) -> Left:
    nothing = Left(act=number, what="", why="")
    return next((one for one in tenant.record.left_to_kit if one.act == number), nothing)


def _undo(one: Undo) -> str:
    return call(one.method, one.path, msgspec.Raw(one.body.encode()) if one.body else None)


def _remove_eligibility(principal_id: str) -> str:
    body = {
        "action": "adminRemove",
        "principalId": principal_id,
        "roleDefinitionId": SECURITY_READER,
        "directoryScopeId": "/",
        "justification": "No longer looked after by the source tenant",
    }
    return call("POST", "roleManagement/directory/roleEligibilityScheduleRequests", body)


def _plain(text: str) -> str:
    """Text in which Markdown sees nothing."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~])", r"\\\1", " ".join(text.split()))


def _json(raw: msgspec.Raw) -> str:
    return _cell(bytes(raw).decode())


def _cell(text: str) -> str:
    return text.replace("`", "'").replace("|", "\\|")
