"""Conditional access policies and named locations as they are on the wire, whole (section 7): for tests to set up.

Enum values are checked when one is made: a story about a control that does not exist tells nothing.
"""

from collections.abc import Collection, Sequence

from tests.sandbox.graph.wire import Wire

_MADE = "2025-06-01T08:00:00Z"
_STATES = ("enabled", "disabled", "enabledForReportingButNotEnforced")
_CONTROLS = (
    "block",
    "mfa",
    "compliantDevice",
    "domainJoinedDevice",
    "approvedApplication",
    "compliantApplication",
    "passwordChange",
    "riskRemediation",
)
_CLIENTS = ("all", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported", "other")
_KINDS = (
    "internalGuest",
    "b2bCollaborationGuest",
    "b2bCollaborationMember",
    "b2bDirectConnectUser",
    "otherExternalUser",
    "serviceProvider",
)


def policy(
    display_name: str,
    *controls: str,
    state: str = "enabled",
    operator: str = "OR",
    users: Wire | None = None,
    applications: Wire | None = None,
    locations: tuple[Sequence[str], Sequence[str]] | None = None,
    clients: Sequence[str] = ("all",),
    terms: Sequence[str] = (),
    custom: Sequence[str] = (),
    strength: Wire | None = None,
    **conditions: object,
) -> Wire:
    """A conditionalAccessPolicy for all users and applications, unless told; `locations` are included and excluded."""
    _known(state, _STATES)
    for control in controls:
        _known(control, _CONTROLS)
    for client in clients:
        _known(client, _CLIENTS)
    return {
        "id": f"ca-{display_name.lower().replace(' ', '-')}",
        "templateId": None,
        "displayName": display_name,
        "createdDateTime": _MADE,
        "modifiedDateTime": None,
        "state": state,
        "sessionControls": None,
        "conditions": {
            "userRiskLevels": [],
            "signInRiskLevels": [],
            "servicePrincipalRiskLevels": [],
            "insiderRiskLevels": None,
            "clientAppTypes": list(clients),
            "platforms": None,
            "devices": None,
            "clientApplications": None,
            "authenticationFlows": None,
            "locations": _locations(locations),
            "applications": {
                "includeApplications": ["All"],
                "excludeApplications": [],
                "includeUserActions": [],
                "includeAuthenticationContextClassReferences": [],
                "applicationFilter": None,
                **(applications or {}),
            },
            "users": {
                "includeUsers": [] if users else ["All"],
                "excludeUsers": [],
                "includeGroups": [],
                "excludeGroups": [],
                "includeRoles": [],
                "excludeRoles": [],
                "includeGuestsOrExternalUsers": None,
                "excludeGuestsOrExternalUsers": None,
                **(users or {}),
            },
            **conditions,
        },
        "grantControls": {
            "operator": operator,
            "builtInControls": list(controls),
            "customAuthenticationFactors": list(custom),
            "termsOfUse": list(terms),
            "authenticationStrength": strength,
        },
    }


def _locations(chosen: tuple[Sequence[str], Sequence[str]] | None) -> Wire | None:
    if chosen is None:
        return None
    included, excluded = chosen
    return {"includeLocations": list(included), "excludeLocations": list(excluded)}


def external(*kinds: str, tenants: Sequence[str] = ()) -> Wire:
    """A conditionalAccessGuestsOrExternalUsers, of all tenants or of these."""
    for kind in kinds:
        _known(kind, _KINDS)
    every: Wire = {"@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants", "membershipKind": "all"}
    some: Wire = {
        "@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants",
        "membershipKind": "enumerated",
        "members": list(tenants),
    }
    return {"guestOrExternalUserTypes": ",".join(kinds), "externalTenants": some if tenants else every}


def strength(display_name: str, *combinations: str) -> Wire:
    """An authenticationStrengthPolicy, as a policy shows it."""
    return {
        "id": "00000000-0000-0000-0000-000000000004",
        "createdDateTime": _MADE,
        "modifiedDateTime": _MADE,
        "displayName": display_name,
        "description": display_name,
        "policyType": "builtIn",
        "requirementsSatisfied": "mfa",
        "allowedCombinations": list(combinations),
    }


def ip_location(display_name: str, *ranges: str, trusted: bool = False) -> Wire:
    """An ipNamedLocation."""
    return {
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "id": f"location-{display_name.lower().replace(' ', '-')}",
        "displayName": display_name,
        "createdDateTime": _MADE,
        "modifiedDateTime": _MADE,
        "isTrusted": trusted,
        "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": one} for one in ranges],
    }


def country_location(display_name: str, *countries: str) -> Wire:
    """A countryNamedLocation; it can't be trusted."""
    return {
        "@odata.type": "#microsoft.graph.countryNamedLocation",
        "id": f"location-{display_name.lower().replace(' ', '-')}",
        "displayName": display_name,
        "createdDateTime": _MADE,
        "modifiedDateTime": _MADE,
        "countriesAndRegions": list(countries),
        "countryLookupMethod": "clientIpAddress",
        "includeUnknownCountriesAndRegions": False,
    }


def _known(value: str, values: Collection[str]) -> None:
    if value not in values:
        raise ValueError(f"{value} is none of {', '.join(values)}")
