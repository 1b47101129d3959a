"""Who is to be an analyst by now, as the source's directory says. A source group is read once for all of its tenants."""

import asyncio
from collections.abc import Mapping

from shared.identifiers import ObjectId
from shared.onboarding.intake import analyst, read_users, why_no_analyst
from shared.services import Services
from shared.tenants.record import Analyst, Tenant


class Rosters:
    """The rosters of one page of tenants."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._groups: dict[ObjectId, asyncio.Task[Mapping[ObjectId, Analyst]]] = {}

    async def of(self, tenant: Tenant) -> Mapping[ObjectId, Analyst]:
        """The analysts by id: direct members of the group, or those who were named; without who is disabled or gone."""
        group_id = tenant.record.wanted.group_id
        if group_id is None:
            return await self._named(tenant.record.wanted.user_ids)
        if group_id not in self._groups:
            self._groups[group_id] = asyncio.ensure_future(self._members(group_id))
        return await asyncio.shield(self._groups[group_id])

    async def _members(self, group_id: ObjectId) -> Mapping[ObjectId, Analyst]:
        if await self._services.directory.source_group(group_id) is None:
            return {}
        members = await self._services.directory.direct_members(group_id)
        return {one.id: analyst(one) for one in members if one.is_user and why_no_analyst(one) is None}

    async def _named(self, user_ids: tuple[ObjectId, ...]) -> Mapping[ObjectId, Analyst]:
        found = await read_users(self._services, user_ids)
        return {key: analyst(one) for key, one in found.items() if one is not None and why_no_analyst(one) is None}
