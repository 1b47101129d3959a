"""Graph's wire shapes of conditional access, with only the fields that the sign-in diagnosis reads. Pure.

Lists that Graph leaves out or gives as null are empty. Kinds stay text: a new one is no error, it is not understood.
"""

from collections.abc import Iterable

import msgspec

type Names = tuple[str, ...] | None


class ExternalTenants(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """conditionalAccessExternalTenants: all, or those enumerated."""

    membership_kind: str = "all"
    members: Names = None


class ExternalUsers(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """conditionalAccessGuestsOrExternalUsers. The types are one text, separated by commas."""

    guest_or_external_user_types: str | None = None
    external_tenants: ExternalTenants | None = None


class Users(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """conditionalAccessUsers."""

    include_users: Names = None
    exclude_users: Names = None
    include_groups: Names = None
    exclude_groups: Names = None
    include_roles: Names = None
    exclude_roles: Names = None
    include_guests_or_external_users: ExternalUsers | None = None
    exclude_guests_or_external_users: ExternalUsers | None = None


class Filter(msgspec.Struct, frozen=True, rename="camel"):
    """conditionalAccessFilter, of applications or devices: that there is one is enough."""

    mode: str | None = None


class Applications(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """conditionalAccessApplications."""

    include_applications: Names = None
    exclude_applications: Names = None
    include_user_actions: Names = None
    include_authentication_context_class_references: Names = None
    application_filter: Filter | None = None


class Platforms(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """conditionalAccessPlatforms."""

    include_platforms: Names = None
    exclude_platforms: Names = None


class Locations(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """conditionalAccessLocations: ids of named locations, All or AllTrusted."""

    include_locations: Names = None
    exclude_locations: Names = None


class Devices(msgspec.Struct, frozen=True, rename="camel"):
    """conditionalAccessDevices."""

    device_filter: Filter | None = None


class Flows(msgspec.Struct, frozen=True, rename="camel"):
    """conditionalAccessAuthenticationFlows: device code, or a transfer from another device."""

    transfer_methods: str | None = None


class ClientApplications(msgspec.Struct, frozen=True, rename="camel"):
    """conditionalAccessClientApplications: applications that sign in as themselves."""

    include_service_principals: Names = None


class Conditions(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """conditionalAccessConditionSet."""

    users: Users | None = None
    applications: Applications | None = None
    client_app_types: Names = None
    platforms: Platforms | None = None
    locations: Locations | None = None
    devices: Devices | None = None
    authentication_flows: Flows | None = None
    client_applications: ClientApplications | None = None
    sign_in_risk_levels: Names = None
    user_risk_levels: Names = None
    insider_risk_levels: str | None = None


class Strength(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """authenticationStrengthPolicy: combinations of methods, each of which is enough."""

    display_name: str | None = None
    allowed_combinations: Names = None


class Grant(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """conditionalAccessGrantControls. The operator says whether all controls are asked for, or any."""

    operator: str | None = None
    built_in_controls: Names = None
    custom_authentication_factors: Names = None
    terms_of_use: Names = None
    authentication_strength: Strength | None = None


class AccessPolicy(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """conditionalAccessPolicy."""

    id: str
    display_name: str | None = None
    state: str = "disabled"
    conditions: Conditions = Conditions()
    grant_controls: Grant | None = None


class NamedLocation(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """namedLocation of either kind. Only locations of addresses can be trusted."""

    id: str
    display_name: str | None = None
    is_trusted: bool | None = None


def names(*lists: Names) -> Iterable[str]:
    """All of them as one."""
    return [name for one in lists for name in one or ()]
