"""The kit for a target tenant's administrator, in Markdown: what is asked, what was changed, how to undo it. Pure."""

import re
from collections.abc import Iterable, Sequence

import msgspec

from shared.chain import Deed, Entry
from shared.identifiers import AppId, TenantId
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
from shared.tenants.record import AccessMode, IntentState, Tenant

_NOT_CHANGED = ("refused", "not sent", "found to be so")
"""How the outcomes begin of writes that changed nothing."""

_ACCOUNT = "account of "
"""The object of a provisioning: the source's job is asked, and the account is made here."""

_SCOPES = (
    "RoleEligibilitySchedule.ReadWrite.Directory",
    "User.DeleteRestore.All",
    "Policy.ReadWrite.CrossTenantAccess",
    "Application.ReadWrite.All",
)
_SETTINGS = ("automaticUserConsentSettings", "inboundTrust")
_ROLES = "Privileged Role Administrator, User Administrator, Security Administrator and Cloud Application Administrator"
_STAYS = """Here: your sign-in and audit logs, and deleted accounts and applications for 30 days among the deleted items. With
the sender: the record of what was done, and, until they let go of your tenant, their own entry for it and the application
that synchronized the analysts. It can do nothing here any more."""


def markdown(
    tenant: Tenant, source: TenantId, source_name: str, apps: dict[Registration, AppId], trail: Sequence[Entry]
) -> str:
    """The whole kit for one tenant. `trail` is its audit, oldest first."""
    target = tenant.record.tenant_id
    parts = [
        f"# {_plain(source_name)} looks after {_plain(tenant.record.wanted.display_name)}",
        (
            f"For the administrator of the tenant `{target}` ({_plain(tenant.record.domain)}). The state is "
            f"**{tenant.record.state.value}** since {tenant.record.since:%Y-%m-%d %H:%M} UTC."
        ),
        "## What is asked of you, and why",
        *_asked(tenant),
        "## What was changed so far",
        _changed(_changes(target, trail)),
        *_under_way(tenant),
        *_access(tenant),
        "## How to remove everything",
        *_removal(tenant, source, apps, _changes(target, trail)),
        "## What stays",
        _STAYS,
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
        if (entry.deed.tenant_id == target or entry.deed.object_name.startswith(_ACCOUNT))
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


def _removal(
    tenant: Tenant, source: TenantId, apps: dict[Registration, AppId], changes: Sequence[Deed]
) -> Iterable[str]:
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
    accounts = [one.target_object_id for one in tenant.analysts.values() if one.target_object_id is not None]
    held = [one.principal_id for one in tenant.eligibilities.values() if not one.plain]
    principals = dict.fromkeys(held if tenant.record.without_pim else [*held, *accounts])
    yield "2. The analysts' eligibilities for Security Reader."
    yield block(*(_remove_eligibility(one) for one in principals))
    if tenant.record.without_pim:
        yield (
            "What you assigned for good goes with the accounts; a group's assignment you remove under *Roles and "
            "administrators*, or you delete the group."
        )
    yield (
        "3. The analysts' accounts. Ask the sender to take the analysts out of scope first, and wait an hour: then they are "
        "gone by themselves. Of those that are left, keep the ones that you had before (their creation date tells)."
    )
    yield block(*(call("DELETE", f"users/{account}") for account in accounts))
    yield "4. The trust in the source tenant, as it was before."
    yield block(*_untrust(source, changes))


def _untrust(source: TenantId, changes: Sequence[Deed]) -> Iterable[str]:
    """Our own entry goes; one that was there before gets back what it had."""
    partner = f"policies/crossTenantAccessPolicy/partners/{source}"
    here = {deed.object_name: deed for deed in changes}
    if (sync := here.get(f"identity synchronization {source}")) is not None:
        before = _decoded(sync.before)
        yield (
            call("PATCH", f"{partner}/identitySynchronization", {"userSyncInbound": before.get("userSyncInbound")})
            if before
            else call("DELETE", f"{partner}/identitySynchronization")
        )
    if f"partner {source}" in here:
        yield call("DELETE", partner)
    elif (trust := here.get(f"partner settings {source}")) is not None:
        before = _decoded(trust.before)
        yield call("PATCH", partner, {name: before[name] for name in _SETTINGS if before.get(name) is not None})


def _decoded(raw: msgspec.Raw) -> dict[str, object]:
    return msgspec.json.decode(raw, type=dict[str, object] | None) or {}


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
    return bytes(raw).decode().replace("`", "'").replace("|", "\\|")
