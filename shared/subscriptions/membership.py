"""Who is in a group of the source tenant, as the directory knows it at this moment. As Tenantry Lookup, read only."""

from shared.errors import NotFound
from shared.identifiers import ObjectId
from shared.services import Services


async def is_in(services: Services, person: ObjectId, group: ObjectId) -> bool:
    """Whether somebody is directly in the group. A group that is gone has no members."""
    try:
        members = await services.directory.direct_members(group)
    except NotFound:
        return False
    return any(one.id == person for one in members)
