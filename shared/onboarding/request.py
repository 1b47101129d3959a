"""The body of POST /api/tenants: bytes in, a checked value or the field that is wrong out. Pure."""

import re
from dataclasses import dataclass

import msgspec

from shared.bodies import decode
from shared.durations import days_of
from shared.errors import BadRequest
from shared.identifiers import ObjectId, TenantId, as_guid
from shared.tenants.findings import Feature
from shared.tenants.record import Analyst, Trust, Wanted

MOST_ANALYSTS = 200
"""Analysts of one tenant: provisioning takes two seconds for each of them, from a limit that all tenants share."""

_LONGEST_DAYS = 3650
_DEFAULT_DURATION = "P180D"
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.ASCII)


class _Analysts(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    group_id: str | None = None
    user_ids: list[str] | None = None


class _Trust(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    mfa: bool = True
    compliant_device: bool = False
    hybrid_joined: bool = False


class _Body(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    tenant_id: str | None = None
    domain: str | None = None
    display_name: str
    analysts: _Analysts
    duration: str = _DEFAULT_DURATION
    trust: _Trust = msgspec.field(default_factory=_Trust)
    features: list[str] = []
    dry_run: bool = False


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
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What was asked for, checked against the directory."""

    tenant_id: TenantId
    domain: str
    known_as: str
    wanted: Wanted
    analysts: tuple[Analyst, ...]


def parse(content: bytes, content_type: str, source: TenantId) -> Asked:
    """Read and check a body. Raises BadRequest that names the field."""
    body = decode(content, content_type, _Body)
    tenant_id = _tenant(body, source)
    group_id, user_ids = _who(body.analysts)
    return Asked(
        tenant_id=tenant_id,
        domain=_domain(body) if tenant_id is None else None,
        display_name=_name(body.display_name),
        group_id=group_id,
        user_ids=user_ids,
        duration_days=_days(body.duration),
        trust=Trust(
            mfa=body.trust.mfa,
            compliant_device=body.trust.compliant_device,
            hybrid_joined=body.trust.hybrid_joined,
        ),
        features=features(body.features),
        dry_run=body.dry_run,
    )


def _tenant(body: _Body, source: TenantId) -> TenantId | None:
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


def _domain(body: _Body) -> str:
    domain = (body.domain or "").strip().lower()
    if not _DOMAIN.fullmatch(domain):
        raise BadRequest("domain", "is not a domain name")
    return domain


def _name(text: str) -> str:
    name = text.strip()
    if not name or len(name) > 60 or not name.isprintable():
        raise BadRequest("displayName", "must be 1 to 60 printable characters")
    return name


def _who(analysts: _Analysts) -> tuple[ObjectId | None, tuple[ObjectId, ...]]:
    if (analysts.group_id is None) == (analysts.user_ids is None):
        raise BadRequest("analysts", "give exactly one of groupId and userIds")
    if analysts.group_id is not None:
        return ObjectId(_guid("analysts.groupId", analysts.group_id)), ()
    ids = analysts.user_ids or []
    if not 1 <= len(ids) <= MOST_ANALYSTS:
        raise BadRequest("analysts.userIds", f"must name 1 to {MOST_ANALYSTS} users")
    found = [_guid(f"analysts.userIds[{number}]", text) for number, text in enumerate(ids)]
    if len(set(found)) != len(found):
        raise BadRequest("analysts.userIds", "names a user twice")
    return None, tuple(ObjectId(one) for one in sorted(found))


def features(names: list[str]) -> tuple[Feature, ...]:
    """The features of these names, sorted. Raises BadRequest."""
    for number, name in enumerate(names):
        if name not in set(Feature):
            raise BadRequest(f"features[{number}]", f"is none of {', '.join(Feature)}")
        if name in names[:number]:
            raise BadRequest("features", f"names {name} twice")
    return tuple(sorted(Feature(name) for name in names))


def _guid(field: str, text: str) -> str:
    guid = as_guid(text)
    if guid is None:
        raise BadRequest(field, "is not a GUID")
    return guid


def _days(duration: str) -> int:
    days = days_of(duration)
    if days is None or days != int(days) or not 1 <= days <= _LONGEST_DAYS:
        raise BadRequest("duration", f"must be an ISO 8601 duration of whole days, P1D to P{_LONGEST_DAYS}D")
    return int(days)
