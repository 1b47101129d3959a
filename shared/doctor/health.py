"""Whether the deployment is sound: identity, registrations and what they hold, stores, clock, public address."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from shared.arm.access_shapes import RoleDefinition, roles_of
from shared.azure_permissions import LIST_AZURE_ROLES, azure_actions
from shared.broker_permissions import broker_actions
from shared.credentials import Credentials
from shared.doctor.asking import Asker
from shared.doctor.azure_looks import roles_held
from shared.doctor.findings import Check
from shared.doctor.signed_in import OutOfReach
from shared.doctor.visit import AzureVisit
from shared.errors import AutomationError, NotConsented
from shared.identifiers import TenantId
from shared.permissions import FIND_SERVICE_PRINCIPALS, MULTI_TENANT, Registration, needed
from shared.roles import TRUSTS
from shared.settings import Settings, is_reference
from shared.tables import Table
from shared.tenants.findings import Feature
from shared.tenants.record import Tenant

_MOST_SKEW = timedelta(minutes=2)
"""Assertions and tokens carry their times; Entra allows five minutes."""


class _Principal(msgspec.Struct, rename="camel"):
    id: str
    app_id: str


def references(values: Iterable[str]) -> Check:
    """Whether the settings hold secrets, or references to them as the deployment wrote them. Sound either way."""
    left = any(is_reference(one) for one in values)
    told = "not looked at: references are resolved inside of the app alone" if left else "there is no reference left"
    return Check(name="key vault", sound=True, told=told)


async def identity(credentials: Credentials) -> Check:
    """Whether the managed identity answers here."""
    try:
        await credentials.check_identity()
    except AutomationError as error:
        return Check(
            name="managed identity",
            sound=False,
            told=f"no token: {type(error).__name__}",
            do="run the doctor where the app's user-assigned identity is attached (docs/doctor.md)",
        )
    return Check(name="managed identity", sound=True, told="it gives the assertion")


async def registrations(
    settings: Settings, credentials: Credentials, tenants: Sequence[Tenant]
) -> AsyncIterator[Check]:
    """Each registration's token where it has to work, beside the permission table."""
    source = settings.source_tenant_id
    for one in settings.client_ids:
        if one not in MULTI_TENANT:
            yield await _held(settings, credentials, one, source, needed_there=True)
    for tenant in tenants:
        for one in MULTI_TENANT:
            wanted = one is Registration.ACCESS or (
                one is Registration.HUNT and Feature.HUNTING in tenant.record.wanted.features
            )
            yield await _held(settings, credentials, one, tenant.record.tenant_id, needed_there=wanted)


async def _held(
    settings: Settings, credentials: Credentials, registration: Registration, tenant_id: TenantId, *, needed_there: bool
) -> Check:
    name = f"{registration.value} in {tenant_id}"
    if registration not in TRUSTS[settings.role]:
        return Check(name=name, sound=True, told="not looked at: it trusts the identity of another app alone")
    wanted = frozenset(needed(registration, settings.source_mode))
    try:
        roles = await credentials.fresh_roles(registration, tenant_id)
    except NotConsented:
        if not needed_there:
            return Check(name=name, sound=True, told="it is not there, and need not be")
        return Check(name=name, sound=False, told="it is not there", do=f"have {registration.value} consented there")
    except AutomationError as error:
        do = f"see that {registration.value} trusts the managed identity (federated credential), and try again"
        return Check(name=name, sound=False, told=f"no token: {error}", do=do)
    missing, beyond = sorted(wanted - roles), sorted(roles - wanted)
    if not missing and not beyond:
        return Check(name=name, sound=True, told="it holds what the permission table says, and no more")
    told = "; ".join(
        f"{what}: {', '.join(names)}" for what, names in (("lacks", missing), ("holds beyond need", beyond)) if names
    )
    acts = [f"consent to {', '.join(missing)} for {name}"] if missing else []
    acts += [f"take {', '.join(beyond)} from {name}"] if beyond else []
    return Check(name=name, sound=False, told=told, do="; ".join(acts))


async def azure_roles(settings: Settings, asker: Asker, visit: AzureVisit) -> AsyncIterator[Check]:
    """What those of our registrations may do on a subscription that have a custom role, beside the permission table."""
    yield await _azure_role(settings, asker, visit, Registration.ACCESS, azure_actions())
    if settings.has_broker:
        yield await _azure_role(settings, asker, visit, Registration.BROKER, broker_actions())


async def _azure_role(
    settings: Settings, asker: Asker, visit: AzureVisit, registration: Registration, actions: Sequence[str]
) -> Check:
    name = f"{registration.value} on {visit.id}"
    try:
        own = await _principal(settings, asker, registration)
        held = await roles_held(visit, own)
        query = {"api-version": "2022-04-01"}
        _, rows = await asker.listed(LIST_AZURE_ROLES, Registration.ACCESS, visit.source, (visit.id,), query)
    except OutOfReach as error:
        return Check(name=name, sound=True, told=f"not looked at: {error}")
    except NotConsented as error:
        do = "run the doctor with --as-me" if error.missing else f"have {registration.value} made there"
        return Check(name=name, sound=False, told=f"not found: {error}", do=do)
    except AutomationError as error:
        return Check(name=name, sound=False, told=f"not read: {error}", do=f"run the doctor again later for {name}")
    roles = [one for key, one in roles_of(rows).items() if key in held]
    if registration is Registration.BROKER and not visit.brokered:
        return _unused(name, roles, actions, brokered=visit.brokered)
    return _beside(name, roles, actions)


async def _principal(settings: Settings, asker: Asker, registration: Registration) -> str:
    """The object id of a registration's service principal in the source: by its own token, or else looked up there.

    Raises NotConsented where it is not there, or, with what is missing, where it may not be looked up.
    """
    source, app_id = settings.source_tenant_id, settings.client_ids[registration]
    if asker.acts_as(registration):
        return (await asker.claims(registration, source, of_azure=True)).oid
    query = {"$filter": f"appId eq '{app_id}'", "$select": "id,appId"}
    told, rows = await asker.listed(FIND_SERVICE_PRINCIPALS, Registration.SOURCE, source, (), query)
    found = [msgspec.json.decode(row, type=_Principal) for row in rows]
    for one in found:
        if one.app_id == app_id:
            return one.id
    raise NotConsented(registration.value, source, () if told.taken else FIND_SERVICE_PRINCIPALS.permissions)


def _beside(name: str, roles: Sequence[RoleDefinition], actions: Sequence[str]) -> Check:
    missing = [action for action in actions if not any(one.allows(action) for one in roles)]
    beyond = sorted(_granted(roles) - set(actions))
    if missing:
        do = f"assign the custom role with {', '.join(missing)} to {name}"
        more = f"; holds beyond the permission table: {', '.join(beyond)}" if beyond else ""
        return Check(name=name, sound=False, told=f"lacks {', '.join(missing)}{more}", do=do)
    if beyond:
        # It may have to hold Owner or User Access Administrator: that is one of the open questions.
        return Check(name=name, sound=True, told=f"it holds beyond the permission table: {', '.join(beyond)}")
    return Check(name=name, sound=True, told="it holds the actions of the permission table, and no more")


def _unused(name: str, roles: Sequence[RoleDefinition], actions: Sequence[str], *, brokered: bool | None) -> Check:
    """The broker where it is not known to be wanted: it should hold nothing, for it may make anybody active."""
    if not roles:
        return Check(name=name, sound=True, told="it holds nothing there")
    if brokered is None:
        return _beside(name, roles, actions)
    told = f"it holds {', '.join(sorted(_granted(roles)))}, and the subscription is not of the mode broker"
    return Check(name=name, sound=False, told=told, do=f"take the role from {name}, or declare the mode broker there")


def _granted(roles: Sequence[RoleDefinition]) -> set[str]:
    return {action for one in roles for part in one.permissions for action in part.actions}


async def store(name: str, table: Table, do: str) -> Check:
    """Whether a table can be read."""
    try:
        await table.page("", {}, size=1, token=None)
    except AutomationError as error:
        return Check(name=name, sound=False, told=f"not reached: {type(error).__name__}", do=do)
    return Check(name=name, sound=True, told="it answers")


def clock_skew(date: str, now: datetime) -> Check:
    """Our clock beside the vendor's Date header."""
    skew = abs((parsedate_to_datetime(date) - now).total_seconds())
    sound = skew <= _MOST_SKEW.total_seconds()
    do = "" if sound else "let the machine's clock follow a time server: tokens are refused for it"
    return Check(name="clock", sound=sound, told=f"{skew:.0f} seconds from the vendor's", do=do)


async def public_address(http: httpx.AsyncClient, url: str) -> Check:
    """Whether the app answers where people are sent."""
    try:
        status = (await http.get(f"{url}/api/health")).status_code
    except httpx.HTTPError as error:
        told = f"no answer: {type(error).__name__}"
    else:
        told = f"/api/health answers {status}"
        if status == 204:
            return Check(name="public address", sound=True, told=told)
    return Check(
        name="public address",
        sound=False,
        told=told,
        do="see that TENANTRY_PUBLIC_URL leads to the app, and that it runs",
    )
