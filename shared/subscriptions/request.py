"""The body of PUT /api/subscriptions/{subscriptionId}: a checked value or the field that is wrong out. Pure."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from shared.azure_permissions import AZURE_ROLES
from shared.errors import BadRequest
from shared.formats import Guid
from shared.identifiers import ObjectId, as_guid
from shared.subscriptions.lock_request import LockDownRequest, role_in
from shared.subscriptions.record import Declaration, PrincipalKind

MOST_DECLARED = 200
"""Eligibilities of one subscription: each one's principal is looked up before anything is written."""

_SHORTEST_DAYS, _LONGEST_DAYS, _USUAL_DAYS = 2, 3650, 180

type Ids = Annotated[list[Guid], Meta(extra_json_schema={"uniqueItems": True})]


class EligibilityRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """Who is eligible for a role: groups or users of the source tenant, by their object ids."""

    role: Annotated[
        str,
        Meta(
            description=f"The name or the id of its definition: {', '.join(AZURE_ROLES.values())}, as far as allowed."
        ),
    ]
    groups: Ids = []
    users: Ids = []
    duration_days: Annotated[int, Meta(ge=_SHORTEST_DAYS, le=_LONGEST_DAYS)] = _USUAL_DAYS


class SubscriptionRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """Every eligibility on the subscription that renewal looks after. What is left out ends as it will.

    `lockDown`: left out, it stays as it is; null, the policies stay as they are and are not looked after any more.
    """

    eligibilities: list[EligibilityRequest]
    lock_down: LockDownRequest | UnsetType | None = UNSET
    dry_run: Annotated[bool, Meta(description="Check and tell what would change; write nothing.")] = False


def declared_in(body: SubscriptionRequest, allowed: frozenset[str]) -> tuple[Declaration, ...]:
    """What a body declares, sorted. Raises BadRequest that names the field."""
    found: dict[str, Declaration] = {}
    for at, one in enumerate(body.eligibilities):
        role = role_in(f"eligibilities[{at}].role", one.role, allowed)
        if not one.groups and not one.users:
            raise BadRequest(f"eligibilities[{at}]", "names neither groups nor users")
        for field, kind, principal in _principals(at, one):
            declared = Declaration(
                role_definition_id=role, principal_id=principal, kind=kind, duration_days=one.duration_days
            )
            if declared.key in found:
                raise BadRequest(field, "is named twice for this role")
            found[declared.key] = declared
    if len(found) > MOST_DECLARED:
        raise BadRequest("eligibilities", f"names more than {MOST_DECLARED}")
    return tuple(sorted(found.values(), key=lambda one: (one.role_definition_id, one.principal_id)))


def field_of(body: SubscriptionRequest, principal_id: ObjectId) -> str:
    """Where a body names a principal first."""
    named = (
        field
        for at, one in enumerate(body.eligibilities)
        for field, _, principal in _principals(at, one)
        if principal == principal_id
    )
    return next(named, "eligibilities")


def _principals(at: int, one: EligibilityRequest) -> Iterator[tuple[str, PrincipalKind, ObjectId]]:
    for name, kind, ids in (("groups", PrincipalKind.GROUP, one.groups), ("users", PrincipalKind.USER, one.users)):
        for number, text in enumerate(ids):
            field = f"eligibilities[{at}].{name}[{number}]"
            guid = as_guid(text)
            if guid is None:
                raise BadRequest(field, "is not a GUID")
            yield field, kind, ObjectId(guid)
