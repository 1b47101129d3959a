"""The body of POST /api/tenants: bytes in, a checked value or the field that is wrong out. Pure."""

import re
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.bodies import decode
from shared.durations import days_of
from shared.errors import BadRequest
from shared.formats import Guid, exactly_one
from shared.identifiers import ObjectId, TenantId, as_guid
from shared.permissions import SourceMode
from shared.tenants.findings import Feature
from shared.tenants.record import Access, AccessMode, Analyst, Trust, Wanted, WithoutPim

MOST_ANALYSTS = 200
"""Analysts of one tenant: provisioning takes two seconds for each of them, from a limit that all tenants share."""

_LONGEST_DAYS = 3650
_DEFAULT_DURATION = "P180D"
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.ASCII)


type UserIds = Annotated[
    list[Guid], Meta(extra_json_schema={"minItems": 1, "maxItems": MOST_ANALYSTS, "uniqueItems": True})
]
type DisplayName = Annotated[
    str, Meta(description="Printable characters only.", extra_json_schema={"minLength": 1, "maxLength": 60})
]
type Lasting = Annotated[
    str,
    Meta(
        description=f"How long eligibilities last: whole days, P1D to P{_LONGEST_DAYS}D.",
        extra_json_schema={"format": "duration"},
    ),
]


class AnalystsRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Who is to work in the target: exactly one of a group of the source tenant, meaning its direct members who are
    users, and users by their object ids.
    """

    group_id: Guid | None = None
    user_ids: UserIds | None = None


class TrustRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Which claims of the analysts' home sign-in the target is to accept."""

    mfa: bool = True
    compliant_device: bool = False
    hybrid_joined: bool = False


class AccessRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Who is made eligible: each analyst, or a role-assignable group of the target's own. Its id may follow by PATCH."""

    mode: AccessMode = AccessMode.USERS
    group_id: Guid | None = None


class TenantRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """The target tenant, by exactly one of id and domain, and what is wanted there."""

    tenant_id: Guid | None = None
    domain: str | None = None
    display_name: DisplayName
    analysts: Annotated[AnalystsRequest, exactly_one("groupId", "userIds")]
    duration: Lasting = _DEFAULT_DURATION
    trust: TrustRequest = msgspec.field(default_factory=TrustRequest)
    features: Annotated[
        list[str],
        Meta(
            description=f"What the tenant gets beyond the eligibilities: {', '.join(Feature)}.",
            extra_json_schema={"items": {"type": "string", "enum": [*Feature]}, "uniqueItems": True},
        ),
    ] = []
    access: AccessRequest = msgspec.field(default_factory=AccessRequest)
    without_pim: Annotated[
        WithoutPim,
        Meta(description="A target without PIM is refused, or its administrator assigns the role for good."),
    ] = WithoutPim.REFUSE
    synchronization_service_principal_id: Annotated[
        Guid | None,
        Meta(description="The enterprise application to be adopted, where the deployment makes none of its own."),
    ] = None
    dry_run: Annotated[bool, Meta(description="Check and tell what would be done; write nothing.")] = False


type TenantBody = Annotated[TenantRequest, exactly_one("tenantId", "domain")]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator asked for, in our types. Either the tenant's id or its domain."""

    tenant_id: TenantId | None
    domain: str | None
    display_name: str
    group_id: ObjectId | None
    user_ids: tuple[ObjectId, ...]
    duration_days: int
    trust: Trust
    features: tuple[Feature, ...]
    access: Access
    without_pim: WithoutPim
    service_principal_id: str
    dry_run: bool


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, checked against the directory."""

    tenant_id: TenantId
    domain: str
    known_as: str
    wanted: Wanted
    analysts: tuple[Analyst, ...]


def parse(content: bytes, content_type: str, source: TenantId, mode: SourceMode = SourceMode.OWN) -> Asked:
    """Read and check a body. Raises BadRequest that names the field."""
    body = decode(content, content_type, TenantRequest)
    tenant_id = _tenant(body, source)
    group_id, user_ids = who("analysts", body.analysts.group_id, body.analysts.user_ids)
    return Asked(
        tenant_id=tenant_id,
        domain=_domain(body) if tenant_id is None else None,
        display_name=name_asked(body.display_name),
        group_id=group_id,
        user_ids=user_ids,
        duration_days=days_asked(body.duration),
        trust=Trust(
            mfa=body.trust.mfa,
            compliant_device=body.trust.compliant_device,
            hybrid_joined=body.trust.hybrid_joined,
        ),
        features=features_asked(body.features),
        access=access_asked(body.access.mode, body.access.group_id),
        without_pim=body.without_pim,
        service_principal_id=_adopted(body.synchronization_service_principal_id, mode),
        dry_run=body.dry_run,
    )


def _tenant(body: TenantRequest, source: TenantId) -> TenantId | None:
    if (body.tenant_id is None) == (body.domain is None):
        raise BadRequest("tenantId", "give exactly one of tenantId and domain")
    if body.tenant_id is None:
        return None
    guid = as_guid(body.tenant_id)
    if guid is None:
        raise BadRequest("tenantId", "is not a GUID")
    if guid == source:
        raise BadRequest("tenantId", "is the source tenant itself")
    return TenantId(guid)


def _domain(body: TenantRequest) -> str:
    domain = (body.domain or "").strip().lower()
    if not _DOMAIN.fullmatch(domain):
        raise BadRequest("domain", "is not a domain name")
    return domain


def name_asked(text: str) -> str:
    """A display name. Raises BadRequest."""
    name = text.strip()
    if not name or len(name) > 60 or not name.isprintable():
        raise BadRequest("displayName", "must be 1 to 60 printable characters")
    return name


def who(field: str, group_id: str | None, user_ids: list[str] | None) -> tuple[ObjectId | None, tuple[ObjectId, ...]]:
    """The group, or the users in order. `field` is where they stand in the body, for BadRequest."""
    within = f"{field}." if field else ""
    if (group_id is None) == (user_ids is None):
        raise BadRequest(field or "groupId", "give exactly one of groupId and userIds")
    if group_id is not None:
        return ObjectId(_guid(f"{within}groupId", group_id)), ()
    ids = user_ids or []
    if not 1 <= len(ids) <= MOST_ANALYSTS:
        raise BadRequest(f"{within}userIds", f"must name 1 to {MOST_ANALYSTS} users")
    found = [_guid(f"{within}userIds[{number}]", text) for number, text in enumerate(ids)]
    if len(set(found)) != len(found):
        raise BadRequest(f"{within}userIds", "names a user twice")
    return None, tuple(ObjectId(one) for one in sorted(found))


def features_asked(names: list[str]) -> tuple[Feature, ...]:
    """The features of these names, sorted. Raises BadRequest."""
    for number, name in enumerate(names):
        if name not in set(Feature):
            raise BadRequest(f"features[{number}]", f"is none of {', '.join(Feature)}")
        if name in names[:number]:
            raise BadRequest("features", f"names {name} twice")
    return tuple(sorted(Feature(name) for name in names))


def access_asked(mode: AccessMode, group_id: str | None) -> Access:
    """An access mode. Raises BadRequest."""
    if mode is AccessMode.USERS and group_id is not None:
        raise BadRequest("access.groupId", "goes with the mode group only")
    return Access(mode=mode, group_id=None if group_id is None else ObjectId(_guid("access.groupId", group_id)))


def _adopted(service_principal_id: str | None, mode: SourceMode) -> str:
    field = "synchronizationServicePrincipalId"
    if mode is SourceMode.OWN:
        if service_principal_id is not None:
            raise BadRequest(field, "is for deployments that adopt enterprise applications (TENANTRY_SOURCE_MODE)")
        return ""
    if service_principal_id is None:
        raise BadRequest(field, "is required: this deployment makes no enterprise applications of its own")
    return _guid(field, service_principal_id)


def _guid(field: str, text: str) -> str:
    guid = as_guid(text)
    if guid is None:
        raise BadRequest(field, "is not a GUID")
    return guid


def days_asked(duration: str) -> int:
    """A duration in whole days. Raises BadRequest."""
    days = days_of(duration)
    if days is None or days != int(days) or not 1 <= days <= _LONGEST_DAYS:
        raise BadRequest("duration", f"must be an ISO 8601 duration of whole days, P1D to P{_LONGEST_DAYS}D")
    return int(days)
