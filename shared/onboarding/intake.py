"""Checks of what an operator asked for that need the directory: the tenant exists, the analysts are members of the
source.

As Tenantry Lookup, in the source tenant, read only. Everything is checked before anything is written.
"""

import asyncio

from shared.errors import BadRequest
from shared.graph.directory import TenantInformation, User
from shared.identifiers import ObjectId
from shared.onboarding.request import MOST_ANALYSTS, Asked, Intake
from shared.services import Services
from shared.tenants.record import Analyst, Wanted

_AT_ONCE = 8
"""Users read at the same time: enough to be quick, few enough not to be throttled."""


async def look_up(services: Services, asked: Asked) -> Intake:
    """Check a wish against the directory. Raises BadRequest that names the field."""
    tenant = await _tenant(services, asked)
    users = await _members(services, asked.group_id) if asked.group_id else await _users(services, asked.user_ids)
    analysts = tuple(
        Analyst(
            object_id=user.id,
            display_name=user.display_name or user.user_principal_name,
            user_principal_name=user.user_principal_name,
            mail=user.mail or "",
        )
        for user in sorted(users, key=lambda one: one.id)
    )
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
        ),
        analysts=analysts,
    )


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


async def _users(services: Services, user_ids: tuple[ObjectId, ...]) -> list[User]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def read(object_id: ObjectId) -> User | None:
        async with gate:
            return await services.directory.source_user(object_id)

    found = await asyncio.gather(*(read(object_id) for object_id in user_ids))
    users = []
    for object_id, user in zip(user_ids, found, strict=True):
        if user is None:
            raise BadRequest("analysts.userIds", f"{object_id} does not exist in the source tenant")
        users.append(_member("analysts.userIds", user))
    return users


async def _members(services: Services, group_id: ObjectId) -> list[User]:
    if await services.directory.source_group(group_id) is None:
        raise BadRequest("analysts.groupId", "no such group in the source tenant")
    members = await services.directory.direct_members(group_id)
    users = [_member("analysts.groupId", one) for one in members if one.odata_type == "#microsoft.graph.user"]
    if not users:
        raise BadRequest(
            "analysts.groupId", "the group has no direct members who are users (nested groups do not count)"
        )
    if len(users) > MOST_ANALYSTS:
        raise BadRequest("analysts.groupId", f"the group has more than {MOST_ANALYSTS} direct members")
    return users


def _member(field: str, user: User) -> User:
    if user.user_type == "Guest" or "#EXT#" in user.user_principal_name.upper():
        raise BadRequest(field, f"{user.id} is a guest of the source tenant, and only its own members are synchronized")
    if user.account_enabled is False:
        raise BadRequest(field, f"{user.id} is disabled in the source tenant")
    return user
