"""Whom, what and where a conditional access policy is about: yes, no, or maybe and why. Pure.

An analyst is a B2B collaboration member: the synchronization makes members. One who was a guest there before stays a
guest, which nobody tells us. How policies treat external users: entra-docs, authentication-conditional-access.
"""

from collections.abc import Sequence
from enum import IntEnum

import msgspec

from shared.graph.access_shapes import (
    Applications,
    Conditions,
    ExternalUsers,
    Locations,
    NamedLocation,
    Names,
    Platforms,
    Users,
)
from shared.identifiers import ObjectId, TenantId
from shared.permissions import SECURITY_READER

_ALL = "All"
_TRUSTED = "AllTrusted"
_EXTERNAL = "GuestsOrExternalUsers"
_PORTALS = "MicrosoftAdminPortals"
"""A group of applications, the Defender portal among them (entra-docs, concept-conditional-access-cloud-apps)."""

_REGISTERING = "urn:user:registersecurityinfo"
_BROWSER = frozenset({"all", "browser"})


class Sure(IntEnum):
    """How sure it is."""

    NO = 0
    MAYBE = 1
    YES = 2


class Verdict(msgspec.Struct, frozen=True):
    """Whether something holds. `because`: what a maybe hangs on."""

    sure: Sure
    because: tuple[str, ...] = ()


YES, NO = Verdict(Sure.YES), Verdict(Sure.NO)


def maybe(because: str) -> Verdict:
    """It hangs on something that cannot be read."""
    return Verdict(Sure.MAYBE, (because,))


def every(*verdicts: Verdict) -> Verdict:
    """Whether all of them hold."""
    sure = min(one.sure for one in verdicts)
    return Verdict(sure, _reasons(verdicts)) if sure is Sure.MAYBE else Verdict(sure)


def some(*verdicts: Verdict) -> Verdict:
    """Whether any of them holds."""
    sure = max(one.sure for one in verdicts)
    return Verdict(sure, _reasons(verdicts)) if sure is Sure.MAYBE else Verdict(sure)


def none_of(*verdicts: Verdict) -> Verdict:
    """Whether none of them holds."""
    found = some(*verdicts)
    return Verdict(Sure(Sure.YES - found.sure), found.because)


def _reasons(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(why for one in verdicts if one.sure is Sure.MAYBE for why in one.because))


def concerns(conditions: Conditions, account: ObjectId, source: TenantId) -> Verdict:
    """Whether a policy is about the sign-in of this account of ours to the Defender portals, wherever it comes from."""
    return every(
        _is_of_people(conditions),
        _covers(conditions.users or Users(), account, source),
        _is_about_portals(conditions.applications or Applications()),
        _in_a_browser(conditions),
        _on_any_platform(conditions.platforms),
        _whatever_the_risk(conditions),
    )


def _is_of_people(conditions: Conditions) -> Verdict:
    """Policies for workloads, or for sign-ins by a code or from another device, are about no sign-in in a browser."""
    workload = conditions.client_applications
    flows = conditions.authentication_flows
    by_flow = flows is not None and flows.transfer_methods not in (None, "", "none")
    return NO if by_flow or (workload is not None and workload.include_service_principals) else YES


def _covers(users: Users, account: ObjectId, source: TenantId) -> Verdict:
    included = some(
        _named(users.include_users, account),
        _external(users.include_guests_or_external_users, source),
        YES if SECURITY_READER in (users.include_roles or ()) else NO,
        maybe("it includes groups, and whether the analyst is in one is not read") if users.include_groups else NO,
    )
    excluded = none_of(
        _named(users.exclude_users, account),
        _external(users.exclude_guests_or_external_users, source),
        # An eligible role counts once it is active: the sign-in that activates it comes before.
        maybe("it leaves out Security Reader, once it is active")
        if SECURITY_READER in (users.exclude_roles or ())
        else NO,
        maybe("it leaves out groups, and whether the analyst is in one is not read") if users.exclude_groups else NO,
    )
    return every(included, excluded)


def _named(names: Names, account: ObjectId) -> Verdict:
    return YES if {_ALL, _EXTERNAL, account} & set(names or ()) else NO


def _external(external: ExternalUsers | None, source: TenantId) -> Verdict:
    if external is None:
        return NO
    kinds = {kind.strip() for kind in (external.guest_or_external_user_types or "").split(",")}
    if "b2bCollaborationMember" in kinds:
        kind = YES
    elif kinds & {"b2bCollaborationGuest", "unknownFutureValue"}:
        kind = maybe("it is about guests, as an analyst may have been before the synchronization")
    else:
        kind = NO
    return every(kind, _of_tenant(external, source))


def _of_tenant(external: ExternalUsers, source: TenantId) -> Verdict:
    tenants = external.external_tenants
    match tenants.membership_kind if tenants is not None else "all":
        case "all":
            return YES
        case "enumerated":
            return YES if tenants is not None and source in (tenants.members or ()) else NO
        case _:
            return maybe("which external tenants it is about is not understood")


def _is_about_portals(applications: Applications) -> Verdict:
    included = applications.include_applications or ()
    if _ALL in included or _PORTALS in included:
        about = YES
    elif set(included) - {"None"} or applications.application_filter is not None:
        about = maybe("it names applications, and whether the Defender portals use them is not known")
    elif applications.include_authentication_context_class_references:
        about = maybe("it is about an authentication context, which activating a role may ask for")
    elif _REGISTERING in (applications.include_user_actions or ()):
        about = maybe("it is about registering security information, which is only asked for where MFA is not trusted")
    else:
        about = NO
    left_out = maybe("it leaves out applications, and whether the Defender portals use them is not known")
    return every(about, left_out if applications.exclude_applications else YES)


def _in_a_browser(conditions: Conditions) -> Verdict:
    kinds = set(conditions.client_app_types or ())
    if not kinds or kinds & _BROWSER:
        return YES
    return maybe("which client applications it is about is not understood") if "unknownFutureValue" in kinds else NO


def _on_any_platform(platforms: Platforms | None) -> Verdict:
    if platforms is None or ("all" in (platforms.include_platforms or ("all",)) and not platforms.exclude_platforms):
        return YES
    return maybe("it is about some device platforms only")


def _whatever_the_risk(conditions: Conditions) -> Verdict:
    risky = conditions.sign_in_risk_levels or conditions.user_risk_levels or conditions.insider_risk_levels
    filtered = conditions.devices is not None and conditions.devices.device_filter is not None
    return every(
        maybe("it is about sign-ins or users at risk") if risky else YES,
        maybe("it filters devices") if filtered else YES,
    )


def holds_outside(locations: Locations | None) -> bool:
    """Whether it holds for a sign-in from none of the named locations."""
    if locations is None or not locations.include_locations:
        return True
    return _ALL in locations.include_locations and _ALL not in (locations.exclude_locations or ())


def holds_in(locations: Locations | None, place: NamedLocation) -> bool:
    """Whether it holds for a sign-in from this named location."""
    if locations is None or not locations.include_locations:
        return True
    return _is_in(locations.include_locations, place) and not _is_in(locations.exclude_locations, place)


def _is_in(chosen: Names, place: NamedLocation) -> bool:
    listed = chosen or ()
    return _ALL in listed or place.id in listed or (_TRUSTED in listed and place.is_trusted is True)
