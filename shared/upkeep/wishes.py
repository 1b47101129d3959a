"""The bodies of PUT analysts and PATCH: bytes in, another wish or the field that is wrong out; and whether it may be.
Pure.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from shared.bodies import decode
from shared.errors import BadRequest
from shared.formats import Guid, exactly_one
from shared.identifiers import ObjectId
from shared.onboarding.answers import ChangedAnalyst, ChangePlan
from shared.onboarding.request import (
    AccessRequest,
    DisplayName,
    Lasting,
    UserIds,
    access_asked,
    days_asked,
    features_asked,
    name_asked,
    who,
)
from shared.running.opening import differing
from shared.tenants.record import Analyst, Goal, Record, Tenant, Trust, Wanted, WithoutPim
from shared.tenants.states import RESTING, State


class AnalystsWish(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Body of PUT analysts: the direct members of a source group, or users of the source."""

    group_id: Guid | None = None
    user_ids: UserIds | None = None
    dry_run: bool = False


type AnalystsBody = Annotated[AnalystsWish, exactly_one("groupId", "userIds")]


class TrustWish(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Which claims are to be trusted; what is not named stays as it is wanted."""

    mfa: bool | UnsetType = UNSET
    compliant_device: bool | UnsetType = UNSET
    hybrid_joined: bool | UnsetType = UNSET


class TenantWish(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """Body of PATCH: what is not named stays as it is wanted."""

    display_name: DisplayName | UnsetType = UNSET
    duration: Lasting | UnsetType = UNSET
    trust: TrustWish | UnsetType = UNSET
    features: list[str] | UnsetType = UNSET
    access: AccessRequest | UnsetType = UNSET
    without_pim: WithoutPim | UnsetType = UNSET
    dry_run: bool = False


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """The analysts that are wanted from now on: a group, or users."""

    group_id: ObjectId | None
    user_ids: tuple[ObjectId, ...]
    dry_run: bool


def parse_analysts(content: bytes, content_type: str) -> Who:
    """Read and check a body of PUT. Raises BadRequest that names the field."""
    body = decode(content, content_type, AnalystsWish)
    group_id, user_ids = who("", body.group_id, body.user_ids)
    return Who(group_id=group_id, user_ids=user_ids, dry_run=body.dry_run)


def parse_wish(content: bytes, content_type: str) -> TenantWish:
    """Read a body of PATCH. Raises BadRequest that names the field."""
    body = decode(content, content_type, TenantWish)
    named = msgspec.structs.asdict(body)
    if all(value is UNSET for name, value in named.items() if name != "dry_run"):
        raise BadRequest("body", "names nothing to be changed")
    return body


def wished(before: Wanted, wish: TenantWish) -> Wanted:
    """What is wanted from now on. Raises BadRequest that names the field."""
    return replace(
        before,
        display_name=before.display_name if wish.display_name is UNSET else name_asked(wish.display_name),
        duration_days=before.duration_days if wish.duration is UNSET else days_asked(wish.duration),
        features=before.features if wish.features is UNSET else features_asked(wish.features),
        access=before.access if wish.access is UNSET else access_asked(wish.access.mode, wish.access.group_id),
        without_pim=before.without_pim if wish.without_pim is UNSET else wish.without_pim,
        trust=before.trust if wish.trust is UNSET else _trust(before.trust, wish.trust),
    )


def _trust(before: Trust, wish: TrustWish) -> Trust:
    named = {name: value for name, value in msgspec.structs.asdict(wish).items() if value is not UNSET}
    return replace(before, **named)


def refusal(record: Record) -> str:
    """Why a tenant's wishes may not be changed now; empty where they may."""
    if record.goal is Goal.OFFBOARDING:
        return "The tenant is being let go, or was: there is nothing to change."
    if record.state not in (State.READY, *RESTING):
        return f"The tenant is {record.state}: change it when it has come to rest."
    return ""


def plan(tenant: Tenant, after: Wanted, analysts: tuple[Analyst, ...]) -> ChangePlan:
    """What a change would do."""
    wanted = {one.object_id: one for one in analysts}
    joiners = [one for key, one in wanted.items() if key not in tenant.staying]
    leavers = [one for key, one in tenant.staying.items() if key not in wanted]
    acts = {*differing(tenant.record.wanted, after), *_by_analyst(joiners, leavers)}
    return ChangePlan(
        dry_run=True,
        tenant_id=tenant.record.tenant_id,
        joiners=tuple(_told(one) for one in joiners),
        leavers=tuple(_told(one) for one in leavers),
        acts=tuple(sorted(acts)),
    )


def _by_analyst(joiners: list[Analyst], leavers: list[Analyst]) -> set[int]:
    return ({7, 8, 9, 12} if joiners else set()) | ({21, 22, 23, 12} if leavers else set())


def _told(analyst: Analyst) -> ChangedAnalyst:
    return ChangedAnalyst(object_id=analyst.object_id, display_name=analyst.display_name)
