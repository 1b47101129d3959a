"""Who is declared on a subscription, as the source's directory knows them; and who has the benefit of it.

As Tenantry Lookup, read only.
"""

from collections.abc import Sequence

from shared.callers import Caller
from shared.errors import BadRequest, NotAllowed
from shared.graph.directory import User
from shared.identifiers import ObjectId
from shared.services import Services
from shared.side_by_side import each_of
from shared.subscriptions.lock_request import LockDownRequest, named_in
from shared.subscriptions.membership import is_in
from shared.subscriptions.record import Declaration, PrincipalKind
from shared.subscriptions.request import SubscriptionRequest, field_of

_AT_ONCE = 8
"""Read at the same time: enough to be quick, few enough not to be throttled."""


async def check_principals(services: Services, body: SubscriptionRequest, declared: tuple[Declaration, ...]) -> None:
    """Raise BadRequest that names the field of a principal that is no group or member of the source tenant."""
    named = sorted({(one.kind, one.principal_id) for one in declared})
    await _check(services, [(field_of(body, principal), kind, principal) for kind, principal in named])


async def check_named(services: Services, body: LockDownRequest) -> None:
    """The same for everybody whom a lock-down names."""
    fields: dict[tuple[PrincipalKind, ObjectId], str] = {}
    for field, kind, principal in named_in(body):
        fields.setdefault((kind, principal), field)
    await _check(services, [(field, *named) for named, field in fields.items()])


async def _check(services: Services, named: Sequence[tuple[str, PrincipalKind, ObjectId]]) -> None:
    async def why_not(one: tuple[str, PrincipalKind, ObjectId]) -> str:
        _, kind, principal = one
        if kind is PrincipalKind.GROUP:
            found = await services.directory.source_group(principal)
            return "is no group of the source tenant" if found is None else ""
        return _why_no_holder(await services.directory.source_user(principal))

    reasons = await each_of(named, why_not, at_once=_AT_ONCE)
    for (field, _, _), reason in zip(named, reasons, strict=True):
        if reason:
            raise BadRequest(field, reason)


async def check_stranger(services: Services, caller: Caller, declared: tuple[Declaration, ...]) -> None:
    """Raise NotAllowed for who holds one of these, by themselves or by a group that they are directly in."""
    if any(one.principal_id == caller.object_id for one in declared):
        raise NotAllowed("who is eligible may not say so: it is their own access")
    for group in sorted({one.principal_id for one in declared if one.kind is PrincipalKind.GROUP}):
        if await is_in(services, caller.object_id, group):
            raise NotAllowed(f"a member of the eligible group {group} may not say so: it is their own access")


def _why_no_holder(user: User | None) -> str:
    if user is None:
        return "is no user of the source tenant"
    if user.user_type == "Guest" or "#EXT#" in user.user_principal_name.upper():
        return "is a guest of the source tenant"
    return "is disabled in the source tenant" if user.account_enabled is False else ""
