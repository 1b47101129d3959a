"""What a conditional access policy asks of an analyst who signs in, given what the target trusts. Pure.

What external users can give, and where: entra-docs, authentication-conditional-access (tables of grant controls and of
authentication strengths).
"""

from collections.abc import Iterable

import msgspec

from shared.graph.access_shapes import Grant, Strength
from shared.tenants.record import Trust

BLOCK = "block"

_TRUST = (
    "The target's administrator trusts {claim} of the source (Cross-tenant access settings, the source's organization, "
    "inbound access, Trust settings), or leaves the analysts out of the policy."
)
_LEAVE_OUT = "The target's administrator leaves the analysts (external users of the source tenant) out of the policy."

_AT_TARGET = frozenset(
    {"password,sms", "password,voice", "password,microsoftAuthenticatorPush", "password,softwareOath"}
)
"""Combinations that an external user can give in the target itself; everything stronger only at home."""

_NOT_FOR_EXTERNAL = {
    "approvedApplication": "an approved client app",
    "compliantApplication": "an app with a protection policy",
    "passwordChange": "a change of the password",
}


class Obstacle(msgspec.Struct, frozen=True, kw_only=True):
    """One control that is not simply passed. `stops`: nobody from the source can give it."""

    control: str
    stops: bool
    what: str
    do: str


def obstacles(grant: Grant | None, trust: Trust) -> list[Obstacle]:
    """What stands in the way: each control that is asked for; where any of several is enough, the easiest of them."""
    if grant is None:
        return []
    found = [_built_in(name, trust) for name in grant.built_in_controls or ()]
    found += [_custom() for _ in grant.custom_authentication_factors or ()]
    found += [_terms() for _ in grant.terms_of_use or ()]
    if grant.authentication_strength is not None:
        found.append(_strength(grant.authentication_strength, trust))
    if (grant.operator or "").upper() != "OR":
        return [one for one in found if one is not None]
    if None in found:
        return []
    return list(_easiest(one for one in found if one is not None))


def _easiest(found: Iterable[Obstacle]) -> Iterable[Obstacle]:
    """One obstacle for all that would do: those that can be given, or else those that nobody can give."""
    known = list(found)
    passable = [one for one in known if not one.stops] or known
    if passable:
        yield Obstacle(
            control=", ".join(one.control for one in passable),
            stops=passable[0].stops,
            what=", or ".join(one.what for one in passable),
            do=" Or: ".join(dict.fromkeys(one.do for one in passable)),
        )


def _built_in(name: str, trust: Trust) -> Obstacle | None:
    match name:
        case "block":
            return Obstacle(control=BLOCK, stops=True, what="blocks the sign-in", do=_LEAVE_OUT)
        case "mfa":
            return None if trust.mfa else _mfa(name, "asks for MFA")
        case "compliantDevice":
            return _device(name, "a compliant device", "compliant devices", trusted=trust.compliant_device)
        case "domainJoinedDevice":
            return _device(name, "a hybrid joined device", "hybrid joined devices", trusted=trust.hybrid_joined)
        case _ if name in _NOT_FOR_EXTERNAL:
            what = f"demands {_NOT_FOR_EXTERNAL[name]}, which an external user cannot give"
            return Obstacle(control=name, stops=True, what=what, do=_LEAVE_OUT)
        case _:
            what = f"asks for {name}, which is not understood here"
            return Obstacle(control=name, stops=False, what=what, do="Look at the policy in the target tenant.")


def _mfa(control: str, what: str) -> Obstacle:
    return Obstacle(
        control=control,
        stops=False,
        what=f"{what}, and the MFA of the source is not trusted: each analyst has to register MFA in the target",
        do=_TRUST.format(claim="the MFA"),
    )


def _device(control: str, device: str, devices: str, *, trusted: bool) -> Obstacle:
    if trusted:
        what = f"demands {device}: an analyst passes only with one that the source tenant knows as such"
        return Obstacle(
            control=control, stops=False, what=what, do=f"The analysts sign in from {devices} of the source."
        )
    what = f"demands {device}, and those of the source are not trusted"
    return Obstacle(control=control, stops=True, what=what, do=_TRUST.format(claim=f"the {devices}"))


def _custom() -> Obstacle:
    what = "asks for a custom control, which does not work for external users"
    return Obstacle(control="customControl", stops=True, what=what, do=_LEAVE_OUT)


def _terms() -> Obstacle:
    what = "asks to accept terms of use"
    return Obstacle(control="termsOfUse", stops=False, what=what, do="Each analyst accepts them at the first sign-in.")


def _strength(strength: Strength, trust: Trust) -> Obstacle:
    name = f"the authentication strength {strength.display_name or 'of the policy'}"
    allowed = {combination.replace(" ", "") for combination in strength.allowed_combinations or ()}
    if trust.mfa:
        what = f"asks for {name}: an analyst passes only with a method of it at home"
        do = "The analysts register a method of this strength in the source."
        return Obstacle(control="authenticationStrength", stops=False, what=what, do=do)
    if not allowed or allowed & _AT_TARGET:
        return _mfa("authenticationStrength", f"asks for {name}")
    what = f"asks for {name}, whose methods count only where the MFA of the source is trusted"
    return Obstacle(control="authenticationStrength", stops=True, what=what, do=_TRUST.format(claim="the MFA"))
