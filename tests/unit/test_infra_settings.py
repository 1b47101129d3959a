"""What the deployment sets is what the app reads: both ways, each value from where it should be."""

import re
from collections.abc import Mapping
from datetime import timedelta

import pytest

from shared.azure_permissions import AZURE_ROLES
from shared.permissions import OPTIONAL, Registration
from shared.settings import NAMES, read_settings
from tests.unit.bicep import Bicep, properties, read_all, strings
from tests.unit.environment import ENVIRONMENT

_FILES = read_all()
_MAIN, _SETTINGS = _FILES["main.bicep"], _FILES["modules/settings.bicep"]

_OF_THE_PLATFORM = {
    "AzureWebJobsStorage__accountName": "the host's storage, by identity",
    "AzureWebJobsStorage__credential": "the host's storage, by identity",
    "AzureWebJobsStorage__clientId": "the host's storage, by identity",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "where the host sends telemetry",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "as whom the host sends telemetry",
    "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "read by azure-functions-durable",
}
_LEFT_TO_THE_DEFAULT = {
    "TENANTRY_PRICES_ENDPOINT": "Azure has one price list",
    "TENANTRY_ALLOWED_DIRECTORY_ROLES": "a role beyond Security Reader is to be a change of this deployment's code",
    "TENANTRY_TABLES_CONNECTION_STRING": "for local runs: the endpoint is set",
    "TENANTRY_AUDIT_TABLES_CONNECTION_STRING": "for local runs: the endpoint is set",
    "TENANTRY_AUDIT_BLOBS_CONNECTION_STRING": "for local runs: the endpoint is set",
}
_SECRET = {name for name, told in NAMES.items() if re.search(r"\ba secret\b", told)}


def settings_of(file: Bicep) -> Mapping[str, str]:
    """What a file sets: names in capitals, or the host's own."""
    return {name: value for name, value in file.keys.items() if re.match(r"[A-Z]\w+(_\w+)+$", name)}


def problems(set_names: set[str], given_secrets: set[str], read: set[str]) -> list[str]:
    """What the app reads and nobody sets, what is set and nobody reads, and what is set though it is left to its default."""
    there = set_names | given_secrets
    return [
        *(f"not set: {name}" for name in sorted(read - there - set(_LEFT_TO_THE_DEFAULT))),
        *(f"not read: {name}" for name in sorted(there - read - set(_OF_THE_PLATFORM))),
        *(f"set, though said not to be: {name}" for name in sorted(there & set(_LEFT_TO_THE_DEFAULT))),
        *(f"no setting: {name}" for name in sorted(set(_LEFT_TO_THE_DEFAULT) - read)),
    ]


def _allowed(parameter: str) -> list[str]:
    decorators = _MAIN.declared("parameter")[parameter].prev_named_sibling
    assert decorators is not None
    return [one for one in strings(decorators) if not one.startswith(("Settings ", "Azure "))]


def test_every_setting_that_is_read_is_set_or_left_to_its_default_and_no_other() -> None:
    assert problems(set(settings_of(_SETTINGS)), set(_allowed("givenSecrets")), set(NAMES)) == []
    assert set(_OF_THE_PLATFORM) <= set(settings_of(_SETTINGS))


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        (lambda text: text.replace("TENANTRY_HUNT_CLIENT_ID", "TENANTRY_HUNTS_CLIENT_ID"), {"not set", "not read"}),
        (lambda text: text.replace("TENANTRY_MTO_PORTAL: portals.mto\n", ""), {"not set"}),
        (lambda text: text.replace("'1'\n", "'1'\nTENANTRY_PRICES_ENDPOINT: ''\n"), {"set, though said not to be"}),
    ],
    ids=["misspelt", "left out", "not left to its default"],
)
def test_a_wrong_setting_is_found(changed: object, found: set[str]) -> None:
    assert callable(changed)
    wrong = Bicep(changed(_SETTINGS.text))

    assert wrong.text != _SETTINGS.text
    told = problems(set(settings_of(wrong)), set(_allowed("givenSecrets")), set(NAMES))
    assert {one.split(":")[0] for one in told} == found


def test_every_secret_comes_from_the_vault_and_nothing_else_does() -> None:
    assert set(_allowed("givenSecrets")) == _SECRET
    assert not _SECRET & set(settings_of(_SETTINGS))
    assert [text for text in _FILES if "@Microsoft.KeyVault(" in _FILES[text].text] == ["modules/settings.bicep"]
    assert _SETTINGS.text.count("@Microsoft.KeyVault(") == 1


def test_what_no_secret_is_given_for_is_not_set_and_the_app_starts_without_it() -> None:
    assert not any(name in ENVIRONMENT for name in _SECRET)

    settings = read_settings({**ENVIRONMENT, **dict.fromkeys(_SECRET, "")})

    assert not settings.finance_keys
    assert "= []" in (_MAIN.declared("parameter")["givenSecrets"].text or b"").decode()


def test_each_client_id_is_that_of_its_own_registration() -> None:
    handed = properties(_MAIN.declared("variable")["clientIds"].named_children[1])

    for one in Registration:
        name = one.name.lower()
        assert settings_of(_SETTINGS)[f"TENANTRY_{one.name}_CLIENT_ID"] == f"common.clientIds.{name}"
        output = f"withBroker ? {name}!.outputs.clientId : ''" if one in OPTIONAL else f"{name}.outputs.clientId"
        assert handed[name] == output


def strays(main: Bicep, settings: Bicep) -> set[str]:
    """What every app is to be told and nobody hands over, or is handed over and not told."""
    handed = properties(main.declared("variable")["common"].named_children[1])
    return set(handed) ^ set(re.findall(r"\bcommon\.(\w+)", settings.text))


def test_what_is_the_same_for_every_app_is_handed_over_and_told_each_under_its_own_name() -> None:
    handed = properties(_MAIN.declared("variable")["common"].named_children[1])
    elsewhere = {
        "tablesEndpoint": "state.outputs.tablesEndpoint",
        "auditTablesEndpoint": "audit.outputs.tablesEndpoint",
        "auditBlobsEndpoint": "audit.outputs.blobsEndpoint",
        "insightsConnectionString": "monitoring.outputs.connectionString",
    }

    assert strays(_MAIN, _SETTINGS) == set()
    assert handed == {name: elsewhere.get(name, name) for name in handed}
    assert all(one.given["common"] == "common" for one in _MAIN.modules if one.path == "modules/settings.bicep")


def test_what_is_handed_over_under_another_name_is_found() -> None:
    wrong = Bicep(_SETTINGS.text.replace("common.webhookCeiling", "common.ceiling"))

    assert strays(_MAIN, wrong) == {"ceiling", "webhookCeiling"}


def test_the_app_never_has_to_do_with_the_host_s_own_account_by_key() -> None:
    assert "AzureWebJobsStorage" not in settings_of(_SETTINGS)
    assert settings_of(_SETTINGS)["AzureWebJobsStorage__credential"] == "'managedidentity'"


def test_the_azure_roles_that_may_be_chosen_are_those_that_the_app_takes() -> None:
    assert set(_allowed("azureRoles")) == set(AZURE_ROLES)


def test_defaults_of_the_deployment_are_those_of_the_app() -> None:
    settings = read_settings(ENVIRONMENT)
    default = {
        name: (node.text or b"").decode().rpartition(" = ")[2] for name, node in _MAIN.declared("parameter").items()
    }

    assert int(default["nightlyHour"]) == settings.nightly_hour
    assert int(default["renewalHour"]) == settings.renewal.hour
    assert int(default["renewalWindowDays"]) == settings.renewal.window_days
    assert int(default["renewalMostChanges"]) == settings.renewal.most_changes
    assert timedelta(days=int(default["consentDeadlineDays"])) == settings.deadlines.consent
    assert timedelta(minutes=int(default["replicationDeadlineMinutes"])) == settings.deadlines.replication
    assert timedelta(minutes=int(default["provisioningDeadlineMinutes"])) == settings.deadlines.provisioning
    assert default["sourceMode"] == f"'{settings.source_mode.value}'"
    assert default["webhookCeiling"] == f"'{settings.webhook_ceiling}'"
    assert set(re.findall(r"'(\S+)'", default["azureRoles"])) == settings.allowed_azure_roles
