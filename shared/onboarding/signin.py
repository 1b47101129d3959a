"""Why an analyst's sign-in to the target would fail, inside its named locations and outside, in words. Pure.

Whom and where a policy is about: signin_scope. What it asks: signin_grants. Nothing here blocks an onboarding.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from shared.graph.access_shapes import AccessPolicy, NamedLocation
from shared.graph.shapes import InboundTrust
from shared.identifiers import ObjectId, TenantId
from shared.onboarding.answers import FindingView, SignInView
from shared.onboarding.signin_grants import BLOCK, Obstacle, obstacles
from shared.onboarding.signin_scope import Sure, Verdict, concerns, holds_in, holds_outside
from shared.tenants.findings import Applies, Finding, SignIn
from shared.tenants.record import Trust

_MOST_BYTES = 80_000
"""Kept of the findings of each side: they are one row, and a tenant may have hundreds of policies and locations."""

_MOST_PLACES = 10
_NAME_CHARACTERS = 80

_ENFORCED = {"enabled": True, "enabledForReportingButNotEnforced": False}

_NOBODY = ObjectId("")


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of the target, and the accounts that the analysts have there."""

    policies: Sequence[AccessPolicy]
    locations: Sequence[NamedLocation]
    security_defaults: bool
    trust: Trust
    source: TenantId
    accounts: Mapping[ObjectId, ObjectId]


def trusted(own: InboundTrust | None, default: InboundTrust | None) -> Trust:
    """What the target trusts of the source: each flag as the partner sets it, else as the default does."""
    mine, theirs = own or InboundTrust(), default or InboundTrust()
    return Trust(
        mfa=_first(mine.is_mfa_accepted, theirs.is_mfa_accepted),
        compliant_device=_first(mine.is_compliant_device_accepted, theirs.is_compliant_device_accepted),
        hybrid_joined=_first(mine.is_hybrid_joined, theirs.is_hybrid_joined),
    )


def inherits(own: InboundTrust | None) -> bool:
    """Whether a flag of the partner's is left to the default."""
    mine = own or InboundTrust()
    return None in (mine.is_mfa_accepted, mine.is_compliant_device_accepted, mine.is_hybrid_joined)


def ask(policies: Iterable[AccessPolicy]) -> bool:
    """Whether any of them asks something of anybody, or would once it is enforced."""
    return any(policy.state in _ENFORCED for policy in policies)


def judge(seen: Seen, now: datetime) -> SignIn:
    """Everything that would be asked of a sign-in and is not simply passed."""
    found = [one for policy in seen.policies for one in _of_policy(seen, policy)]
    found += _of_security_defaults(seen)
    inside = [_told(seen, one, inside=True) for one in found if _inside(seen, one)]
    outside = [_told(seen, one, inside=False) for one in found if _outside(one)]
    kept = _fitting(inside), _fitting(outside)
    return SignIn(
        read=now,
        locations=tuple(_name(place.display_name, place.id) for place in seen.locations),
        inside=kept[0],
        outside=kept[1],
        left_out=len(inside) + len(outside) - len(kept[0]) - len(kept[1]),
    )


def _fitting(found: Iterable[Finding]) -> tuple[Finding, ...]:
    kept, size = [], 0
    for one in found:
        size += len(msgspec.json.encode(one))
        if size > _MOST_BYTES:
            break
        kept.append(one)
    return tuple(kept)


def summary(sign_in: SignIn) -> str:
    """One line on what was found."""
    if sign_in.problem:
        return sign_in.problem
    if not sign_in.inside and not sign_in.outside:
        return "nothing would stop an analyst"
    return f"findings inside the named locations: {len(sign_in.inside)}, outside: {len(sign_in.outside)}"


def warnings(sign_in: SignIn | None) -> list[str]:
    """What of it belongs among the warnings of the record: that there is something to look at."""
    if sign_in is None or (not sign_in.problem and not sign_in.inside and not sign_in.outside):
        return []
    return [f"Sign-in: {summary(sign_in)}." if not sign_in.problem else sign_in.problem]


def shown(sign_in: SignIn | None) -> SignInView | None:
    """What the API shows of it."""
    if sign_in is None:
        return None
    return SignInView(
        read=sign_in.read,
        named_locations=sign_in.locations,
        inside=tuple(_shown(one) for one in sign_in.inside),
        outside=tuple(_shown(one) for one in sign_in.outside),
        left_out=sign_in.left_out,
        problem=sign_in.problem or None,
    )


def _shown(finding: Finding) -> FindingView:
    return FindingView(
        policy=finding.policy,
        policy_id=finding.policy_id or None,
        applies=finding.applies,
        stops=finding.stops,
        controls=finding.controls,
        analysts=finding.analysts,
        locations=finding.locations,
        what=finding.what,
        do=finding.do,
    )


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """An obstacle of a policy, for those analysts for whom it is as sure. No policy: security defaults."""

    policy: AccessPolicy | None
    verdict: Verdict
    analysts: tuple[ObjectId, ...]
    obstacle: Obstacle


def _of_policy(seen: Seen, policy: AccessPolicy) -> Iterable[_Found]:
    asked = obstacles(policy.grant_controls, seen.trust)
    if policy.state not in _ENFORCED or not asked:
        return
    alike: dict[Verdict, list[ObjectId]] = defaultdict(list)
    accounts = seen.accounts or {_NOBODY: _NOBODY}
    for analyst, account in sorted(accounts.items()):
        alike[concerns(policy.conditions, account, seen.source)].append(analyst)
    for verdict, analysts in alike.items():
        if verdict.sure is not Sure.NO:
            named = () if len(alike) == 1 else tuple(analysts)
            for obstacle in asked:
                yield _Found(policy=policy, verdict=verdict, analysts=named, obstacle=obstacle)


def _of_security_defaults(seen: Seen) -> Iterable[_Found]:
    if not seen.security_defaults:
        return
    if seen.trust.mfa:
        verdict = Verdict(Sure.MAYBE, ("whether the trusted MFA of the source is enough for them is not documented",))
        what, do = "ask everybody for MFA", "Let one analyst try to sign in."
    else:
        verdict = Verdict(Sure.YES)
        what = (
            "ask everybody for MFA, and the MFA of the source is not trusted: each analyst registers MFA in the target"
        )
        do = "Each analyst registers MFA at the first sign-in, or the target trusts the MFA of the source."
    asked = Obstacle(control="mfa", stops=False, what=what, do=do)
    yield _Found(policy=None, verdict=verdict, analysts=(), obstacle=asked)


def _inside(seen: Seen, found: _Found) -> bool:
    return any(_holds_in(found, place) for place in seen.locations)


def _outside(found: _Found) -> bool:
    return found.policy is None or holds_outside(found.policy.conditions.locations)


def _holds_in(found: _Found, place: NamedLocation) -> bool:
    return found.policy is None or holds_in(found.policy.conditions.locations, place)


def _told(seen: Seen, found: _Found, *, inside: bool) -> Finding:
    policy, obstacle = found.policy, found.obstacle
    places = [place for place in seen.locations if _holds_in(found, place)]
    only = (
        [_name(place.display_name, place.id) for place in places]
        if inside and len(places) < len(seen.locations)
        else []
    )
    somewhere = bool(only) or (not inside and len(places) < len(seen.locations))
    applies = Applies.YES if found.verdict.sure is Sure.YES else Applies.MAYBE
    if policy is not None and not _ENFORCED[policy.state]:
        applies = Applies.REPORT_ONLY
    return Finding(
        policy=_name(policy.display_name, policy.id) if policy else "security defaults",
        policy_id=policy.id if policy else "",
        applies=applies,
        stops=obstacle.stops,
        controls=tuple(obstacle.control.split(", ")),
        what=_what(found, applies, only, inside=inside, somewhere=somewhere),
        do=_do(obstacle, inside=inside, somewhere=somewhere),
        analysts=found.analysts,
        locations=tuple(only[:_MOST_PLACES]),
    )


def _what(found: _Found, applies: Applies, only: Sequence[str], *, inside: bool, somewhere: bool) -> str:
    who = f"Policy '{_name(found.policy.display_name, found.policy.id)}'" if found.policy else "Security defaults"
    where = ""
    if inside and only:
        more = f" and {len(only) - _MOST_PLACES} more" if len(only) > _MOST_PLACES else ""
        where = f" from {', '.join(only[:_MOST_PLACES])}{more}"
    elif not inside and somewhere:
        where = " from outside the named locations that it leaves out"
    how = {Applies.YES: "", Applies.MAYBE: " perhaps", Applies.REPORT_ONLY: ", once it is enforced,"}[applies]
    hangs = f" It may not apply: {'; '.join(found.verdict.because)}." if found.verdict.because else ""
    return f"{who}{how} {found.obstacle.what}{where}.{hangs}"


def _do(obstacle: Obstacle, *, inside: bool, somewhere: bool) -> str:
    if obstacle.control != BLOCK or inside or not somewhere:
        return obstacle.do
    return (
        "The analysts sign in from a named location that the policy leaves out, or the target's administrator makes one of "
        f"the addresses they use. {obstacle.do}"
    )


def _name(display_name: str | None, otherwise: str) -> str:
    """A name that somebody in the target chose, fit for one line."""
    shown = "".join(letter for letter in " ".join((display_name or "").split()) if letter.isprintable())
    return shown[:_NAME_CHARACTERS] or otherwise


def _first(*flags: bool | None) -> bool:
    return next((flag for flag in flags if flag is not None), False)
