"""The environment, read once into one frozen value. Every missing or wrong name is reported at once.

The only module that reads the environment. docs: the table in README is checked against `NAMES`.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

import msgspec

from shared.approvals import session
from shared.azure_permissions import AZURE_ROLES, VM_CONTRIBUTOR
from shared.errors import SettingsError
from shared.identifiers import AppId, TenantId, as_guid
from shared.notify import destinations as notify
from shared.notify.webhook import is_key
from shared.permissions import OPTIONAL, SECURITY_READER, Registration, SourceMode
from shared.roles import Role

_REFERENCE = "@Microsoft.KeyVault("
"""How a setting begins whose reference the platform could not resolve."""

_AZURE, _PRICES = "https://management.azure.com", "https://prices.azure.com"

FINANCE_KEY, FINANCE_PREVIOUS_KEY = "TENANTRY_FINANCE_KEY", "TENANTRY_FINANCE_PREVIOUS_KEY"

_ROLE, _AUDIT_TABLES, _AUDIT_BLOBS = "TENANTRY_ROLE", "TENANTRY_AUDIT_TABLES", "TENANTRY_AUDIT_BLOBS"


def is_reference(value: str) -> bool:
    """Whether a setting names a secret of the key vault, which the platform replaces by the secret where the app runs."""
    return value.strip().startswith(_REFERENCE)


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One storage account's tables, or its blobs: an endpoint reached by identity, or a connection string (local runs)."""

    endpoint: str
    connection_string: str


class Secrets(msgspec.Struct, frozen=True):
    """Keys, the newest first. None of them may be shown."""

    keys: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.keys)

    def __repr__(self) -> str:
        return "Secrets()"


class Portals(msgspec.Struct, frozen=True, kw_only=True):
    """Where the checklist sends people."""

    mto: str
    defender: str
    my_account: str
    entra: str


class Deadlines(msgspec.Struct, frozen=True, kw_only=True):
    """How long each kind of wait may last before it ends in a state that says so."""

    consent: timedelta
    replication: timedelta
    provisioning: timedelta


class RenewalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When renewal runs, how long before its end an eligibility is due, and the most that it changes in a tenant and run."""

    hour: int
    window_days: int
    most_changes: int


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All deployment settings."""

    role: Role
    source_mode: SourceMode
    source_tenant_id: TenantId
    public_url: str
    authority: str
    graph_endpoint: str
    arm_endpoint: str
    prices_endpoint: str
    client_ids: Mapping[Registration, AppId]
    identity_client_id: AppId
    tables: StoreSettings
    audit_tables: StoreSettings
    audit_blobs: StoreSettings | None
    portals: Portals
    deadlines: Deadlines
    nightly_hour: int
    renewal: RenewalSettings
    allowed_directory_roles: frozenset[str]
    destinations: notify.Destinations
    cookie_keys: session.Keys
    allowed_azure_roles: frozenset[str]
    finance_keys: Secrets
    webhook_ceiling: Decimal

    @property
    def has_broker(self) -> bool:
        """Whether the deployment has its broker, be it this app or another."""
        return Registration.BROKER in self.client_ids


NAMES: Mapping[str, str] = {
    _ROLE: "which part of Tenantry this app is: `all` (default); or `front` (HTTP), `worker` (timers and orchestrations) or "
    "`broker`, each with an identity of its own",
    "TENANTRY_SOURCE_MODE": "whether the app makes the enterprise applications of the synchronization (`own`, default), or "
    "adopts those that a person made and assigned (`adopted`)",
    "TENANTRY_SOURCE_TENANT_ID": "the tenant that looks after the others",
    "TENANTRY_PUBLIC_URL": "where this app is reached from outside, without /api",
    "TENANTRY_AUTHORITY": "the sign-in endpoint of the cloud, https",
    "TENANTRY_GRAPH_ENDPOINT": "the Microsoft Graph endpoint of the cloud, https, without a version",
    "TENANTRY_ARM_ENDPOINT": "the Azure Resource Manager endpoint of the cloud, https (https://management.azure.com)",
    "TENANTRY_PRICES_ENDPOINT": "the Azure Retail Prices endpoint, https (https://prices.azure.com)",
    "TENANTRY_API_CLIENT_ID": "application (client) id of Tenantry API: the audience of our callers' tokens",
    "TENANTRY_LOOKUP_CLIENT_ID": "application (client) id of Tenantry Lookup",
    "TENANTRY_SOURCE_CLIENT_ID": "application (client) id of Tenantry Source",
    "TENANTRY_SETUP_CLIENT_ID": "application (client) id of Tenantry Setup",
    "TENANTRY_ACCESS_CLIENT_ID": "application (client) id of Tenantry Access",
    "TENANTRY_HUNT_CLIENT_ID": "application (client) id of Tenantry Hunt",
    "TENANTRY_BROKER_CLIENT_ID": "application (client) id of Tenantry Broker. Without it there is no broker mode (default)",
    "TENANTRY_BROKER_WEBHOOK_CEILING": "the dearest request, in the currency of its subscription's rules, that finance's "
    "signed webhook counts for without a person's token, in broker mode (0: none)",
    "TENANTRY_IDENTITY_CLIENT_ID": "client id of the user-assigned managed identity that the registrations trust",
    "TENANTRY_TABLES_ENDPOINT": "Table endpoint of the state account, reached by identity",
    "TENANTRY_TABLES_CONNECTION_STRING": "instead of the endpoint, for local runs against Azurite",
    "TENANTRY_AUDIT_TABLES_ENDPOINT": "Table endpoint of the audit account, reached by identity",
    "TENANTRY_AUDIT_TABLES_CONNECTION_STRING": "instead of the endpoint, for local runs against Azurite",
    "TENANTRY_AUDIT_BLOBS_ENDPOINT": "Blob endpoint of the audit account, reached by identity, for the nightly seals; "
    "without it nothing is sealed",
    "TENANTRY_AUDIT_BLOBS_CONNECTION_STRING": "instead of the endpoint, for local runs against Azurite",
    "TENANTRY_MTO_PORTAL": "Defender multi-tenant portal, for the checklist's links",
    "TENANTRY_DEFENDER_PORTAL": "Defender portal, for the checklist's links",
    "TENANTRY_MYACCOUNT_PORTAL": "My Account portal, for the checklist's links",
    "TENANTRY_ENTRA_PORTAL": "Entra admin center, for the checklist's links",
    "TENANTRY_NIGHTLY_HOUR": "the hour, in UTC, after which the night's work begins (2)",
    "TENANTRY_RENEWAL_HOUR": "the hour, in UTC, after which eligibilities are renewed (2)",
    "TENANTRY_RENEWAL_WINDOW_DAYS": "how long before its end an eligibility is renewed (21), and at most a third of what it "
    "lasts",
    "TENANTRY_RENEWAL_MOST_CHANGES": "the most eligibilities that one run renews in one tenant (50)",
    "TENANTRY_ALLOWED_DIRECTORY_ROLES": "role template ids that may ever be written, comma separated (Security Reader)",
    notify.URL: "where alarms are posted as signed Standard Webhooks, https; a secret. Without it there is no webhook",
    notify.KEY: "the key that signs them: `whsec_` and the base64 of 24 to 64 bytes; a secret",
    notify.PREVIOUS_KEY: "the key before, while receivers change over: messages are signed with both; a secret",
    FINANCE_KEY: "the key by which the finance approvers' webhook is signed: `whsec_` and the base64 of 24 to 64 bytes; a "
    "secret. Without it no verdicts are taken",
    FINANCE_PREVIOUS_KEY: "the key before, while the sender changes over: both are taken; a secret",
    notify.TEAMS_URL: "the address of a Teams workflow that posts alarms as cards, https; a secret. Without it none are",
    session.KEY: "the key that signs the sessions of the approval pages, the base64 of 32 to 64 bytes; a secret. Without it "
    "there are no pages",
    session.PREVIOUS_KEY: "the key before, until the sessions that it signed are over; a secret",
    "TENANTRY_AZURE_ROLES": "role definitions that may ever be written on a subscription, comma separated: Virtual Machine "
    "Contributor (default), Storage Account Contributor, or both",
    "TENANTRY_CONSENT_DEADLINE_DAYS": "how long a consent or another person's act is waited for (14)",
    "TENANTRY_REPLICATION_DEADLINE_MINUTES": "how long a directory may take to show a change (30)",
    "TENANTRY_PROVISIONING_DEADLINE_MINUTES": "how long the synchronization may take per tenant (120)",
}


def _is_address(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.netloc) and not parts.query and not parts.fragment


class _Reader:
    """Reads settings and collects what is wrong, so that one start names it all."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        value = self._environment.get(name, "").strip() or default
        if value is None:
            self.problems.append(f"{name} is missing ({NAMES[name]})")
            return ""
        if is_reference(value):
            self.problems.append(
                f"{name} names a secret of the key vault that is not there, or that this app's identity may not read"
            )
            return ""
        return value

    def guid(self, name: str) -> str:
        value = self.text(name)
        guid = as_guid(value)
        if value and guid is None:
            self.problems.append(f"{name} is not a GUID")
        return guid or ""

    def client_ids(self) -> Mapping[Registration, AppId]:
        """Of every registration; of one that may be left out, where it is given."""
        names = {one: f"TENANTRY_{one.name}_CLIENT_ID" for one in Registration}
        wanted = {one: name for one, name in names.items() if one not in OPTIONAL or self.text(name, "")}
        return {one: AppId(self.guid(name)) for one, name in wanted.items()}

    def sum(self, name: str) -> Decimal:
        value = self.text(name, "0")
        try:
            found = Decimal(value)
        except InvalidOperation:
            found = Decimal(-1)
        if not found.is_finite() or found < 0:
            self.problems.append(f"{name} is no sum of money, such as 250 or 99.50")
            return Decimal(0)
        return found

    def guids(self, name: str, default: str) -> frozenset[str]:
        values = [as_guid(part) for part in self.text(name, default).split(",")]
        if None in values:
            self.problems.append(f"{name} holds something that is not a GUID")
        return frozenset(value for value in values if value)

    def azure_roles(self, name: str) -> frozenset[str]:
        found = self.guids(name, VM_CONTRIBUTOR)
        if not found <= set(AZURE_ROLES):
            self.problems.append(f"{name} holds a role other than {' and '.join(AZURE_ROLES.values())}")
        return found & set(AZURE_ROLES)

    def url(self, name: str, *, https: bool, default: str | None = None) -> str:
        value = self.text(name, default)
        allowed = ("https",) if https else ("https", "http")
        if value and not _is_address(value, allowed):
            self.problems.append(f"{name} is not an {allowed[0]} address")
        return value.rstrip("/")

    def number(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if not value.isascii() or not value.isdigit() or int(value) == 0:
            self.problems.append(f"{name} is not a whole number above zero")
            return default
        return int(value)

    def source_mode(self, name: str) -> SourceMode:
        value = self.text(name, SourceMode.OWN.value)
        if value not in set(SourceMode):
            self.problems.append(f"{name} is none of {', '.join(SourceMode)}")
            return SourceMode.OWN
        return SourceMode(value)

    def role(self, name: str) -> Role:
        value = self.text(name, Role.ALL.value)
        if value not in set(Role):
            self.problems.append(f"{name} is none of {', '.join(Role)}")
            return Role.ALL
        return Role(value)

    def hour(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if not value.isascii() or not value.isdigit() or int(value) > 23:
            self.problems.append(f"{name} is no hour from 0 to 23")
            return default
        return int(value)

    def store(self, prefix: str) -> StoreSettings:
        endpoint, connection, found = self._store(prefix)
        if bool(found.endpoint) == bool(found.connection_string):
            self.problems.append(f"set exactly one of {endpoint} and {connection}")
        return found

    def store_if_any(self, prefix: str) -> StoreSettings | None:
        endpoint, connection, found = self._store(prefix)
        if found.endpoint and found.connection_string:
            self.problems.append(f"set one of {endpoint} and {connection}, or neither")
        return found if found.endpoint or found.connection_string else None

    def destinations(self) -> notify.Destinations:
        given = [self.text(name, "") for name in (notify.URL, notify.KEY, notify.PREVIOUS_KEY, notify.TEAMS_URL)]
        self.problems += notify.problems(*given)
        return notify.destinations(*given)

    def cookie_keys(self) -> session.Keys:
        given = [self.text(name, "") for name in (session.KEY, session.PREVIOUS_KEY)]
        self.problems += session.key_problems(*given)
        return session.keys_of(*given)

    def keys(self, name: str, previous: str) -> Secrets:
        given = {one: self.text(one, "") for one in (name, previous)}
        self.problems += [
            f"{one} is not whsec_ and the base64 of 24 to 64 bytes"
            for one, key in given.items()
            if key and not is_key(key)
        ]
        if given[previous] and (not given[name] or given[name] == given[previous]):
            self.problems.append(f"{previous} is for the key that was {name} before")
        return Secrets(tuple(key for key in given.values() if key))

    def _store(self, prefix: str) -> tuple[str, str, StoreSettings]:
        endpoint, connection = f"{prefix}_ENDPOINT", f"{prefix}_CONNECTION_STRING"
        found = StoreSettings(endpoint=self.text(endpoint, ""), connection_string=self.text(connection, ""))
        return endpoint, connection, found


def read_audit_stores(environment: Mapping[str, str] | None = None) -> tuple[StoreSettings, StoreSettings | None]:
    """The audit account alone, for the verifier: its tables, and its blobs if there are seals. Raises SettingsError."""
    reader = _Reader(os.environ if environment is None else environment)
    stores = reader.store(_AUDIT_TABLES), reader.store_if_any(_AUDIT_BLOBS)
    if reader.problems:
        raise SettingsError("; ".join(reader.problems))
    return stores


def read_role(environment: Mapping[str, str] | None = None) -> Role:
    """Which part of Tenantry this app is. Raises SettingsError."""
    reader = _Reader(os.environ if environment is None else environment)
    role = reader.role(_ROLE)
    if reader.problems:
        raise SettingsError("; ".join(reader.problems))
    return role


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this deployment.

    Raises SettingsError that names every missing or wrong setting.
    """
    reader = _Reader(os.environ if environment is None else environment)
    settings = Settings(
        role=reader.role(_ROLE),
        source_mode=reader.source_mode("TENANTRY_SOURCE_MODE"),
        source_tenant_id=TenantId(reader.guid("TENANTRY_SOURCE_TENANT_ID")),
        # The platform may end TLS before the app, so the public address decides, and a local run has plain http.
        public_url=reader.url("TENANTRY_PUBLIC_URL", https=False),
        authority=reader.url("TENANTRY_AUTHORITY", https=True),
        graph_endpoint=reader.url("TENANTRY_GRAPH_ENDPOINT", https=True),
        arm_endpoint=reader.url("TENANTRY_ARM_ENDPOINT", https=True, default=_AZURE),
        prices_endpoint=reader.url("TENANTRY_PRICES_ENDPOINT", https=True, default=_PRICES),
        client_ids=reader.client_ids(),
        identity_client_id=AppId(reader.guid("TENANTRY_IDENTITY_CLIENT_ID")),
        tables=reader.store("TENANTRY_TABLES"),
        audit_tables=reader.store(_AUDIT_TABLES),
        audit_blobs=reader.store_if_any(_AUDIT_BLOBS),
        portals=Portals(
            mto=reader.url("TENANTRY_MTO_PORTAL", https=True),
            defender=reader.url("TENANTRY_DEFENDER_PORTAL", https=True),
            my_account=reader.url("TENANTRY_MYACCOUNT_PORTAL", https=True),
            entra=reader.url("TENANTRY_ENTRA_PORTAL", https=True),
        ),
        deadlines=Deadlines(
            consent=timedelta(days=reader.number("TENANTRY_CONSENT_DEADLINE_DAYS", 14)),
            replication=timedelta(minutes=reader.number("TENANTRY_REPLICATION_DEADLINE_MINUTES", 30)),
            provisioning=timedelta(minutes=reader.number("TENANTRY_PROVISIONING_DEADLINE_MINUTES", 120)),
        ),
        nightly_hour=reader.hour("TENANTRY_NIGHTLY_HOUR", 2),
        renewal=RenewalSettings(
            hour=reader.hour("TENANTRY_RENEWAL_HOUR", 2),
            window_days=reader.number("TENANTRY_RENEWAL_WINDOW_DAYS", 21),
            most_changes=reader.number("TENANTRY_RENEWAL_MOST_CHANGES", 50),
        ),
        allowed_directory_roles=reader.guids("TENANTRY_ALLOWED_DIRECTORY_ROLES", SECURITY_READER),
        destinations=reader.destinations(),
        cookie_keys=reader.cookie_keys(),
        allowed_azure_roles=reader.azure_roles("TENANTRY_AZURE_ROLES"),
        finance_keys=reader.keys(FINANCE_KEY, FINANCE_PREVIOUS_KEY),
        webhook_ceiling=reader.sum("TENANTRY_BROKER_WEBHOOK_CEILING"),
    )
    if reader.problems:
        raise SettingsError("; ".join(reader.problems))
    return settings
