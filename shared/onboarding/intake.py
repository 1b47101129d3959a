"""Checks of what an operator asked for that need the directory: the tenant exists, the analysts are members of the
source.

As Tenantry Lookup, in the source tenant, read only. Everything is checked before anything is written.
"""

from collections.abc import Iterable

from shared.errors import BadRequest
from shared.graph.directory import TenantInformation, User
from shared.identifiers import ObjectId
from shared.onboarding.request import MOST_ANALYSTS, Asked, Intake
from shared.services import Services
from shared.side_by_side import each_of
from shared.tenants.record import Analyst, Wanted

_AT_ONCE = 8
"""Users read at the same time: enough to be quick, few enough not to be throttled."""


async def look_up(services: Services, asked: Asked) -> Intake:
    """Check a wish against the directory. Raises BadRequest that names the field."""
    tenant = await _tenant(services, asked)
    return Intake(
        tenant_id=tenant.tenant_id,
        domain=tenant.default_domain_name,
        known_as=tenant.display_name,
        wanted=Wanted(
            display_name=asked.display_name,
            group_id=asked.group_id,
            user_ids=asked.user_ids,
            duration_days=asked.duration_days,
            trust=asked.trust,
            features=asked.features,
            access=asked.access,
            without_pim=asked.without_pim,
            service_principal_id=asked.service_principal_id,
        ),
        analysts=await look_up_analysts(services, "analysts.", asked.group_id, asked.user_ids),
    )


async def look_up_analysts(
    services: Services, within: str, group_id: ObjectId | None, user_ids: tuple[ObjectId, ...]
) -> tuple[Analyst, ...]:
    """The analysts of a group, or those named. `within` is where they stand in the body, for BadRequest."""
    users = await _members(services, within, group_id) if group_id else await _users(services, within, user_ids)
    return tuple(analyst(user) for user in sorted(users, key=lambda one: one.id))


def analyst(user: User) -> Analyst:
    """A user of the source as an analyst."""
    return Analyst(
        object_id=user.id,
        display_name=user.display_name or user.user_principal_name,
        user_principal_name=user.user_principal_name,
        mail=user.mail or "",
    )


def why_no_analyst(user: User) -> str | None:
    """Why a user of the source cannot be an analyst."""
    if user.user_type == "Guest" or "#EXT#" in user.user_principal_name.upper():
        return "is a guest of the source tenant, and only its own members are synchronized"
    if user.account_enabled is False:
        return "is disabled in the source tenant"
    return None


async def _tenant(services: Services, asked: Asked) -> TenantInformation:
    if asked.tenant_id is not None:
        found = await services.directory.find_tenant_by_id(asked.tenant_id)
        field = "tenantId"
    else:
        found = await services.directory.find_tenant_by_domain(asked.domain or "")
        field = "domain"
    if found is None:
        raise BadRequest(field, "no such tenant is known to Entra")
    if found.tenant_id == services.settings.source_tenant_id:
        raise BadRequest(field, "is the source tenant itself")
    return found


async def read_users(services: Services, user_ids: Iterable[ObjectId]) -> dict[ObjectId, User | None]:
    """Users of the source; None where there is none of that id. Whom no list shows is looked for by their id."""
    wanted = list(user_ids)
    listed = {one.id: one for one in await services.directory.source_users(wanted)}
    unlisted = [one for one in wanted if one not in listed]
    read = dict(zip(unlisted, await each_of(unlisted, services.directory.source_user, at_once=_AT_ONCE), strict=True))
    return {one: listed[one] if one in listed else read[one] for one in wanted}


async def _users(services: Services, within: str, user_ids: tuple[ObjectId, ...]) -> list[User]:
    users = []
    for object_id, user in (await read_users(services, user_ids)).items():
        if user is None:
            raise BadRequest(f"{within}userIds", f"{object_id} does not exist in the source tenant")
        users.append(_member(f"{within}userIds", user))
    return users


async def _members(services: Services, within: str, group_id: ObjectId) -> list[User]:
    field = f"{within}groupId"
    if await services.directory.source_group(group_id) is None:
        raise BadRequest(field, "no such group in the source tenant")
    members = await services.directory.direct_members(group_id)
    users = [_member(field, one) for one in members if one.is_user]
    if not users:
        raise BadRequest(field, "the group has no direct members who are users (nested groups do not count)")
    if len(users) > MOST_ANALYSTS:
        raise BadRequest(field, f"the group has more than {MOST_ANALYSTS} direct members")
    return users


def _member(field: str, user: User) -> User:
    if (reason := why_no_analyst(user)) is not None:
        raise BadRequest(field, f"{user.id} {reason}")
    return user
