"""The kit for a target tenant's administrator, in Markdown: what is asked and why, what was changed, how to undo it. Pure.

Commands go by Invoke-MgGraphRequest, so they are the calls of Graph's own reference. Only ids stand in them.
"""

import re
from collections.abc import Iterable, Sequence

import msgspec

from shared.chain import Entry
from shared.identifiers import AppId, TenantId
from shared.onboarding.pages import PURPOSES, reasons
from shared.permissions import MULTI_TENANT, SECURITY_READER, Registration
from shared.tenants.record import Tenant

_CHANGES = frozenset({"done"})
_SCOPES = (
    "RoleEligibilitySchedule.ReadWrite.Directory",
    "User.DeleteRestore.All",
    "Policy.ReadWrite.CrossTenantAccess",
    "Application.ReadWrite.All",
)


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
        *_asked(),
        "## What was changed so far",
        _changed(target, trail),
        "## How to remove everything",
        *_removal(tenant, source, apps),
        "## What stays",
        "Sign-in and audit logs of your tenant, and soft-deleted accounts for 30 days. Nothing else.",
    ]
    return "\n\n".join(parts) + "\n"


def _asked() -> Iterable[str]:
    for registration in MULTI_TENANT:
        yield f"**{registration.value}** {PURPOSES[registration]}"
        rows = [f"| `{name}` | {'; '.join(why)} |" for name, why in reasons(registration)]
        yield "\n".join(["| Permission | What it is for |", "|---|---|", *rows])


def _changed(target: TenantId, trail: Sequence[Entry]) -> str:
    rows = [
        f"| {entry.deed.at:%Y-%m-%d %H:%M} | {entry.deed.registration} | {_plain(entry.deed.what)} | "
        f"`{_json(entry.deed.before)}` | `{_json(entry.deed.wanted)}` |"
        for entry in trail
        if entry.deed.tenant_id == target and entry.deed.outcome in _CHANGES
    ]
    if not rows:
        return "Nothing yet."
    return "\n".join(["| When (UTC) | By | What | Before | Wanted |", "|---|---|---|---|---|", *rows])


def _removal(tenant: Tenant, source: TenantId, apps: dict[Registration, AppId]) -> Iterable[str]:
    yield (
        "In this order, in Microsoft Graph PowerShell. In the portal the same is under *Privileged Identity Management*, "
        "*Cross-tenant access settings* and *Enterprise applications*."
    )
    yield _commands(f'Connect-MgGraph -TenantId "{tenant.record.tenant_id}" -Scopes "{",".join(_SCOPES)}"')
    yield "1. The analysts' eligibilities."
    yield _commands(*(_remove_eligibility(one.principal_id) for one in tenant.eligibilities.values()))
    yield (
        "2. The analysts' accounts: ask the sender to take the analysts out of scope first, and wait an hour. Accounts that "
        "are still there afterwards:"
    )
    accounts = [one.target_object_id for one in tenant.analysts.values() if one.target_object_id is not None]
    yield _commands(*(_call("DELETE", f"users/{account}") for account in accounts))
    yield "3. The trust in the source tenant. Where you use the same entry for something else, change it by hand instead."
    partner = f"policies/crossTenantAccessPolicy/partners/{source}"
    yield _commands(_call("DELETE", f"{partner}/identitySynchronization"), _call("DELETE", partner))
    yield "4. The sender's applications."
    yield _commands(*(_call("DELETE", f"servicePrincipals(appId='{apps[one]}')") for one in MULTI_TENANT))


def _remove_eligibility(principal_id: str) -> str:
    body = {
        "action": "adminRemove",
        "principalId": principal_id,
        "roleDefinitionId": SECURITY_READER,
        "directoryScopeId": "/",
        "justification": "No longer looked after by the source tenant",
    }
    return _call("POST", "roleManagement/directory/roleEligibilityScheduleRequests", body)


def _call(method: str, path: str, body: object = None) -> str:
    sent = f" -Body '{msgspec.json.encode(body).decode()}'" if body is not None else ""
    return f'Invoke-MgGraphRequest -Method {method} -Uri "v1.0/{path}"{sent}'


def _commands(*lines: str) -> str:
    return "\n".join(["```powershell", *(lines or ("# nothing",)), "```"])


def _plain(text: str) -> str:
    """Text in which Markdown sees nothing."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~])", r"\\\1", " ".join(text.split()))


def _json(raw: msgspec.Raw) -> str:
    return bytes(raw).decode().replace("`", "'").replace("|", "\\|")
