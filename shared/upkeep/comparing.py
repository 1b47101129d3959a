"""Who joined the analysts and who left, told from the directory; and whether a person must say so first. Pure."""

from collections.abc import Mapping

import msgspec

from shared.identifiers import ObjectId
from shared.onboarding.request import MOST_ANALYSTS
from shared.tenants.record import Analyst, Problem, Tenant

MANY_LEAVERS = "ManyLeavers"

_MOST_AT_ONCE = 10
_PART = 4


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What the directory says that the record does not: who is new, and who is not to work in the target any more."""

    joiners: tuple[Analyst, ...]
    leavers: tuple[ObjectId, ...]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.joiners or self.leavers)


def compare(tenant: Tenant, members: Mapping[ObjectId, Analyst]) -> Difference:
    """`members`: who is to be an analyst by now. Where they are too many nobody joins."""
    joiners = tuple(members[key] for key in sorted(members) if key not in tenant.staying)
    return Difference(
        joiners=joiners if len(members) <= MOST_ANALYSTS else (),
        leavers=tuple(sorted(key for key in tenant.staying if key not in members)),
    )


def is_to_be_asked(tenant: Tenant, difference: Difference) -> bool:
    """Whether so many would leave at once that it may be a mistake in the directory: more than a quarter, or than ten.

    A single one is not, for a small team must lose its leavers unasked, too, unless nobody would stay: that is what a
    group looks like that was deleted.
    """
    count = len(difference.leavers)
    if count and count == len(tenant.staying) and not difference.joiners:
        return True
    return count > 1 and (count > _MOST_AT_ONCE or count * _PART > len(tenant.staying))


def question(tenant: Tenant, difference: Difference) -> Problem:
    """What a person is asked."""
    names = ", ".join(tenant.staying[one].display_name for one in difference.leavers[:_MOST_AT_ONCE])
    more = len(difference.leavers) - _MOST_AT_ONCE
    return Problem(
        code=MANY_LEAVERS,
        what=f"{len(difference.leavers)} of {len(tenant.staying)} analysts would leave at once: {names}"
        + (f" and {more} more." if more > 0 else "."),
        do="If that is right, POST /api/tenants/{tenantId}/analysts/confirm. If not, put the source group right: the next "
        "night looks again.",
    )


def kept(tenant: Tenant, difference: Difference) -> tuple[Analyst, ...]:
    """The analysts once the difference is carried out."""
    staying = [one for key, one in tenant.staying.items() if key not in difference.leavers]
    return (*staying, *difference.joiners)


def confirmed(tenant: Tenant) -> tuple[Analyst, ...]:
    """The analysts once those are gone whose leave was asked about."""
    return tuple(one for key, one in tenant.staying.items() if key not in tenant.record.leavers_asked)
