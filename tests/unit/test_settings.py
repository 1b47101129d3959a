"""Settings: one start names everything that is missing or wrong, and nothing is read that is not documented."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from shared.azure_permissions import STORAGE_ACCOUNT_CONTRIBUTOR, VM_CONTRIBUTOR
from shared.errors import SettingsError
from shared.permissions import OPTIONAL, SECURITY_READER, Registration
from shared.settings import NAMES, read_settings
from tests.unit.environment import ENVIRONMENT

_EXAMPLE = Path(__file__).parents[2] / "local.settings.json.example"
_OF_THE_PLATFORM = {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage", "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING"}
_ALTERNATIVES = {"TENANTRY_TABLES_ENDPOINT", "TENANTRY_AUDIT_TABLES_ENDPOINT", "TENANTRY_AUDIT_BLOBS_ENDPOINT"}
_WHERE_WANTED = {
    "TENANTRY_BROKER_CLIENT_ID",
    "TENANTRY_BROKER_WEBHOOK_CEILING",
    "TENANTRY_FINANCE_KEY",
    "TENANTRY_FINANCE_PREVIOUS_KEY",
    "TENANTRY_WEBHOOK_URL",
    "TENANTRY_WEBHOOK_KEY",
    "TENANTRY_WEBHOOK_PREVIOUS_KEY",
    "TENANTRY_TEAMS_URL",
    "TENANTRY_COOKIE_KEY",
    "TENANTRY_COOKIE_PREVIOUS_KEY",
}
_OPTIONAL = {
    "TENANTRY_ROLE",
    "TENANTRY_ALLOWED_DIRECTORY_ROLES",
    "TENANTRY_ARM_ENDPOINT",
    "TENANTRY_PRICES_ENDPOINT",
    "TENANTRY_AZURE_ROLES",
    "TENANTRY_CONSENT_DEADLINE_DAYS",
    "TENANTRY_REPLICATION_DEADLINE_MINUTES",
    "TENANTRY_PROVISIONING_DEADLINE_MINUTES",
    "TENANTRY_NIGHTLY_HOUR",
    "TENANTRY_RENEWAL_HOUR",
    "TENANTRY_RENEWAL_WINDOW_DAYS",
    "TENANTRY_RENEWAL_MOST_CHANGES",
    "TENANTRY_SOURCE_MODE",
    "TENANTRY_AUDIT_BLOBS_ENDPOINT",
    "TENANTRY_AUDIT_BLOBS_CONNECTION_STRING",
    *_WHERE_WANTED,
}


class Watched(Mapping[str, str]):
    """An environment that remembers which names were asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def problems(environment: Mapping[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        read_settings(environment)
    return str(refused.value)


def test_a_whole_environment_is_read() -> None:
    settings = read_settings(ENVIRONMENT)

    assert set(Registration) - OPTIONAL == set(settings.client_ids)
    assert len(set(settings.client_ids.values())) == len(Registration) - len(OPTIONAL)
    assert (settings.authority, settings.graph_endpoint) == ("https://login.example", "https://graph.example")


def test_the_broker_is_there_where_it_is_named_alone() -> None:
    given = {
        "TENANTRY_BROKER_CLIENT_ID": "99999999-0000-4000-8000-000000000009",
        "TENANTRY_BROKER_WEBHOOK_CEILING": "99.50",
    }

    without, there = read_settings(ENVIRONMENT), read_settings({**ENVIRONMENT, **given})

    assert (Registration.BROKER in without.client_ids, without.webhook_ceiling) == (False, Decimal(0))
    assert (Registration.BROKER in there.client_ids, there.webhook_ceiling) == (True, Decimal("99.50"))


def test_what_is_optional_has_the_documented_default() -> None:
    settings = read_settings(ENVIRONMENT)

    assert settings.role == "all"
    assert {SECURITY_READER} == settings.allowed_directory_roles
    assert (timedelta(days=14), timedelta(minutes=30), timedelta(hours=2)) == (
        settings.deadlines.consent,
        settings.deadlines.replication,
        settings.deadlines.provisioning,
    )
    assert (settings.renewal.hour, settings.renewal.window_days, settings.renewal.most_changes) == (2, 21, 50)


def test_an_empty_environment_has_everything_named_at_once() -> None:
    said = problems({})

    assert [name for name in NAMES if name not in _OPTIONAL and name not in said] == []


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
@pytest.mark.parametrize("value", [None, "", "  "], ids=["missing", "empty", "blank"])
def test_each_missing_name_is_named(name: str, value: str | None) -> None:
    left = {key: text for key, text in ENVIRONMENT.items() if key != name}

    assert name in problems(left if value is None else {**left, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TENANTRY_ROLE", "frontal"),
        ("TENANTRY_BROKER_CLIENT_ID", "Tenantry Broker"),
        ("TENANTRY_BROKER_WEBHOOK_CEILING", "-1"),
        ("TENANTRY_BROKER_WEBHOOK_CEILING", "NaN"),
        ("TENANTRY_BROKER_WEBHOOK_CEILING", "much"),
        ("TENANTRY_SOURCE_TENANT_ID", "contoso.com"),
        ("TENANTRY_ACCESS_CLIENT_ID", "Tenantry Access"),
        ("TENANTRY_AUTHORITY", "http://login.example"),
        ("TENANTRY_AUTHORITY", "login.example"),
        ("TENANTRY_AUTHORITY", "https://"),
        ("TENANTRY_AUTHORITY", "https://[login"),
        ("TENANTRY_GRAPH_ENDPOINT", "https://graph.example?x=1"),
        ("TENANTRY_PUBLIC_URL", "ftp://app.example"),
        ("TENANTRY_MTO_PORTAL", "javascript:alert(1)"),
        ("TENANTRY_CONSENT_DEADLINE_DAYS", "0"),
        ("TENANTRY_CONSENT_DEADLINE_DAYS", "-1"),
        ("TENANTRY_CONSENT_DEADLINE_DAYS", "two weeks"),
        ("TENANTRY_REPLICATION_DEADLINE_MINUTES", "1.5"),
        ("TENANTRY_PROVISIONING_DEADLINE_MINUTES", "\u0661"),
        ("TENANTRY_ALLOWED_DIRECTORY_ROLES", "Security Reader"),
        ("TENANTRY_ALLOWED_DIRECTORY_ROLES", f"{SECURITY_READER},"),
        ("TENANTRY_TABLES_ENDPOINT", "https://account.table.example"),
    ],
)
def test_each_wrong_value_is_named_and_not_repeated_wholly(name: str, value: str) -> None:
    assert name in problems({**ENVIRONMENT, name: value})


def test_all_that_is_wrong_is_named_together_and_no_secret_is_told() -> None:
    wrong = {
        **ENVIRONMENT,
        "TENANTRY_SOURCE_TENANT_ID": "x",
        "TENANTRY_AUTHORITY": "x",
        "TENANTRY_TABLES_CONNECTION_STRING": "AccountKey=very-secret",
        "TENANTRY_TABLES_ENDPOINT": "https://account.table.example",
    }

    said = problems(wrong)

    assert all(name in said for name in ("TENANTRY_SOURCE_TENANT_ID", "TENANTRY_AUTHORITY", "TENANTRY_TABLES_ENDPOINT"))
    assert "very-secret" not in said


def test_several_roles_may_be_allowed() -> None:
    other = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"

    settings = read_settings({**ENVIRONMENT, "TENANTRY_ALLOWED_DIRECTORY_ROLES": f"{SECURITY_READER}, {other.upper()}"})

    assert {SECURITY_READER, other} == settings.allowed_directory_roles


def test_of_the_azure_roles_only_those_that_make_no_administrator_may_be_allowed() -> None:
    both = f"{VM_CONTRIBUTOR},{STORAGE_ACCOUNT_CONTRIBUTOR}"
    owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"

    assert {VM_CONTRIBUTOR} == read_settings(ENVIRONMENT).allowed_azure_roles
    assert set(both.split(",")) == read_settings({**ENVIRONMENT, "TENANTRY_AZURE_ROLES": both}).allowed_azure_roles
    assert "TENANTRY_AZURE_ROLES" in problems({**ENVIRONMENT, "TENANTRY_AZURE_ROLES": f"{both},{owner}"})


def test_every_documented_name_is_read_and_no_other() -> None:
    watched = Watched(ENVIRONMENT)

    read_settings(watched)

    assert set(NAMES) == watched.asked
    assert all(NAMES.values())


def test_the_example_for_local_runs_is_complete() -> None:
    given = json.loads(_EXAMPLE.read_text())["Values"]

    assert set(NAMES) - _ALTERNATIVES - _WHERE_WANTED == set(given) - _OF_THE_PLATFORM
    assert all(given.values())


_KEY, _PREVIOUS = (f"whsec_{letter * 32}" for letter in "Ab")
_WEBHOOK = {"TENANTRY_WEBHOOK_URL": "https://soc.example/hook?code=abc", "TENANTRY_WEBHOOK_KEY": _KEY}


def test_without_their_settings_alarms_go_nowhere() -> None:
    assert read_settings(ENVIRONMENT).destinations.urls == {}


def test_a_webhook_has_one_key_or_two_and_teams_has_an_address() -> None:
    teams = {"TENANTRY_TEAMS_URL": "https://flow.example/workflows/1?sig=secret"}
    given = {**ENVIRONMENT, **_WEBHOOK, "TENANTRY_WEBHOOK_PREVIOUS_KEY": _PREVIOUS, **teams}

    found = read_settings(given).destinations

    assert found.keys == (_KEY, _PREVIOUS)
    assert set(found.urls.values()) == {_WEBHOOK["TENANTRY_WEBHOOK_URL"], teams["TENANTRY_TEAMS_URL"]}
    assert read_settings({**ENVIRONMENT, **_WEBHOOK}).destinations.keys == (_KEY,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TENANTRY_WEBHOOK_URL", "http://soc.example/hook"),
        ("TENANTRY_WEBHOOK_URL", "https://user:word@soc.example/hook"),
        ("TENANTRY_WEBHOOK_URL", "https:///hook"),
        ("TENANTRY_WEBHOOK_URL", "https://soc.example/hook#top"),
        ("TENANTRY_WEBHOOK_URL", "https://soc.example:99999/hook"),
        ("TENANTRY_WEBHOOK_URL", None),
        ("TENANTRY_WEBHOOK_KEY", None),
        ("TENANTRY_WEBHOOK_KEY", "whsec_c2hvcnQ="),
        ("TENANTRY_WEBHOOK_KEY", _KEY.removeprefix("whsec_")),
        ("TENANTRY_WEBHOOK_PREVIOUS_KEY", "not-a-key"),
        ("TENANTRY_WEBHOOK_PREVIOUS_KEY", _KEY),
        ("TENANTRY_TEAMS_URL", "http://flow.example/workflows/1?sig=secret"),
    ],
)
def test_a_wrong_destination_is_named_and_its_secrets_are_not_told(name: str, value: str | None) -> None:
    given = {**ENVIRONMENT, **_WEBHOOK}
    given = {key: text for key, text in given.items() if key != name} if value is None else {**given, name: value}

    said = problems(given)

    assert name in said
    assert _KEY not in said
    assert value is None or value not in said


def test_destinations_are_not_shown_where_settings_are() -> None:
    shown = repr(read_settings({**ENVIRONMENT, **_WEBHOOK}))

    assert "soc.example" not in shown
    assert _KEY not in shown


@pytest.mark.parametrize("name", ["TENANTRY_COOKIE_KEY", "TENANTRY_WEBHOOK_URL", "TENANTRY_FINANCE_KEY"])
def test_a_secret_that_the_platform_could_not_read_is_said_to_be_that(name: str) -> None:
    reference = "@Microsoft.KeyVault(VaultName=kv-x;SecretName=x)"

    told = problems({**ENVIRONMENT, name: reference})

    assert f"{name} names a secret of the key vault that is not there" in told
    assert reference not in told
