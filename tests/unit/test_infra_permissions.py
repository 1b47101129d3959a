"""Who may what in the deployment is what the permission tables say: both ways, and nothing by a wildcard."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shared.approvals.entra import CALLBACK
from shared.azure_permissions import AZURE_ROLES, DELEGATED, azure_actions
from shared.broker_permissions import broker_actions
from shared.callers import AppRole
from shared.permissions import MULTI_TENANT, OPTIONAL, Registration, SourceMode, needed
from tests.unit.bicep import INFRA, Bicep, Module, read_all
from tools import infra

_FILES = read_all()
_MAIN = _FILES["main.bicep"]
_DECLARED: Mapping[str, Any] = json.loads((INFRA / "permissions.json").read_text(encoding="utf-8"))
_PUBLISHED = Path(__file__).parents[3] / "shared" / "contracts" / "graph-permissions.json"
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_GRAPH = "00000003-0000-0000-c000-000000000000"

# Every built-in role that is assigned, by the file that assigns it (Azure built-in roles reference).
_BUILT_IN = {
    "modules/monitoring.bicep": {"3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher"},
    "modules/state.bicep": {"0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor"},
    "modules/host.bicep": {
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    },
    "modules/vault.bicep": {"4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User"},
}
_OTHERS = {"main.bicep": set(AZURE_ROLES), "modules/registration.bicep": {_GRAPH}}


def strange_ids(files: Mapping[str, Bicep]) -> list[str]:
    """Ids in Bicep that are no role of the list above, and those of the list that are not there."""
    wanted = {name: set(_BUILT_IN.get(name, ())) | _OTHERS.get(name, set()) for name in files}
    return [
        f"{name}: {one}" for name, file in files.items() for one in sorted(set(_GUID.findall(file.text)) ^ wanted[name])
    ]


def wide_actions(files: Mapping[str, Bicep]) -> list[str]:
    """Actions with a wildcard."""
    return [
        f"{name}: {one}"
        for name, file in files.items()
        for one in re.findall(r"'(Microsoft\.[^']*\*[^']*)'", file.text)
    ]


def registrations(file: Bicep) -> dict[str, Module]:
    """The calls that make a registration, by the entry of permissions.json that they take."""
    return {
        module.given["declared"].rpartition(".")[2]: module for module in file.modules if "declared" in module.given
    }


def test_the_file_is_made_of_the_tables(tmp_path: Path) -> None:
    assert infra.is_up_to_date()

    other = tmp_path / "permissions.json"
    assert not infra.is_up_to_date(other)
    other.write_text(infra.rendered().replace("User.Read.All", "User.ReadWrite.All"), encoding="utf-8")
    assert not infra.is_up_to_date(other)
    other.write_text(infra.rendered(), encoding="utf-8")
    assert infra.is_up_to_date(other)


@pytest.mark.parametrize("registration", [one for one in Registration if one is not Registration.API])
@pytest.mark.parametrize("mode", SourceMode)
def test_a_registration_asks_for_what_its_calls_need_and_nothing_else(
    registration: Registration, mode: SourceMode
) -> None:
    entry = _DECLARED["registrations"][registration.name.lower()]
    asked = entry["appRoles"][mode.value]

    assert {one["value"] for one in asked} == set(needed(registration, mode))
    assert all(infra.GRAPH_APP_ROLES[one["value"]] == one["id"] for one in asked)
    assert entry["displayName"] == registration.value


def test_every_id_that_is_kept_is_needed_and_no_id_is_two_permissions() -> None:
    used = {name for one in Registration for mode in SourceMode for name in needed(one, mode)}

    assert set(infra.GRAPH_APP_ROLES) == used
    assert len(set(infra.GRAPH_APP_ROLES.values())) == len(used)
    assert all(_GUID.fullmatch(one) for one in infra.GRAPH_APP_ROLES.values())


@pytest.mark.skipif(not _PUBLISHED.exists(), reason="Microsoft's published permissions are not beside the project")
def test_every_permission_that_has_an_id_is_published() -> None:
    rows = json.loads(_PUBLISHED.read_text(encoding="utf-8"))["rows"].values()
    published = {entry["permission"] for row in rows for entry in row["application"]}

    assert set(infra.GRAPH_APP_ROLES) <= published


def test_each_registration_is_made_once_under_its_own_name() -> None:
    made = registrations(_MAIN)

    assert set(made) == {one.name.lower() for one in Registration}
    assert len([one for one in _MAIN.modules if "declared" in one.given]) == len(made)
    for name, module in made.items():
        assert module.symbol == name
        assert module.given["uniqueName"] == f"'${{environmentName}}-tenantry-{name}'"


def test_a_registration_that_is_made_under_another_s_entry_is_found() -> None:
    wrong = Bicep(_MAIN.text.replace("permissions.registrations.hunt", "permissions.registrations.source"))

    assert set(registrations(wrong)) != {one.name.lower() for one in Registration}


def test_those_of_target_tenants_are_multi_tenant_and_granted_nothing_in_the_source() -> None:
    for one in Registration:
        if one is Registration.API:
            continue
        entry = _DECLARED["registrations"][one.name.lower()]
        assert entry["signInAudience"] == ("AzureADMultipleOrgs" if one in MULTI_TENANT else "AzureADMyOrg")
        assert entry["grantedInSource"] is (one not in MULTI_TENANT)
    assert _DECLARED["api"]["signInAudience"] == "AzureADMyOrg"


def test_the_broker_alone_is_made_only_where_it_is_asked_for() -> None:
    conditional = re.findall(r"^module (\w+) '[^']+' = if \((.+)\) \{$", _MAIN.text, re.MULTILINE)

    registered = {symbol: when for symbol, when in conditional if symbol in registrations(_MAIN)}
    assert registered == {one.name.lower(): "withBroker" for one in OPTIONAL}
    assert "var withBroker = !empty(brokerSubscriptions)" in _MAIN.text
    assert _MAIN.text.count("param brokerSubscriptions string[] = []") == 1


def test_no_registration_has_a_secret_and_each_trusts_identities() -> None:
    for name in ("modules/registration.bicep", "modules/api.bicep"):
        text = _FILES[name].text
        assert not re.search(r"passwordCredentials|keyCredentials|addPassword", text)
        assert "issuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'" in text
        assert "for (principalId, index) in trusted:" in text
        assert "subject: principalId" in text
        assert "'api://AzureADTokenExchange'" in text


def test_entra_sends_browsers_back_to_the_app_s_own_routes() -> None:
    source = (INFRA.parent / "shared" / "onboarding" / "consent_triggers.py").read_text(encoding="utf-8")

    assert f"'https://${{hostName}}{CALLBACK}'" in _FILES["modules/api.bicep"].text
    assert '{services.settings.public_url}/api/consent"' in source
    for name, module in registrations(_MAIN).items():
        if Registration[name.upper()] in MULTI_TENANT:
            assert module.given["redirectUris"] == "['https://${app.outputs.hostName}/api/consent']"
        elif name != "api":
            assert module.given["redirectUris"] == "[]"


def test_the_api_has_the_app_s_roles_a_scope_for_persons_and_v2_tokens() -> None:
    api = _FILES["modules/api.bicep"]

    assert [one["value"] for one in _DECLARED["api"]["appRoles"]] == [role.value for role in AppRole]
    assert set(infra.APP_ROLES) == {role.value for role in AppRole}
    assert len({one["id"] for one in _DECLARED["api"]["appRoles"]}) == len(AppRole)
    assert api.keys["requestedAccessTokenVersion"] == "2"
    assert api.all_of("oauth2PermissionScopes") != []
    assert _DECLARED["api"]["delegated"]["value"] == DELEGATED
    assert api.keys["optionalClaims"].count("'acct'") == 2


def test_no_other_role_is_assigned_than_the_list_has() -> None:
    assert strange_ids(_FILES) == []


def test_a_role_that_nobody_listed_is_found() -> None:
    owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    vault = _FILES["modules/vault.bicep"].text.replace("4633458b-17de-408a-b874-0445c86b69e6", owner)

    assert f"modules/vault.bicep: {owner}" in strange_ids({**_FILES, "modules/vault.bicep": Bicep(vault)})


def test_no_action_is_a_wildcard() -> None:
    assert wide_actions(_FILES) == []
    assert wide_actions({"a": Bicep("var x = ['Microsoft.Storage/*/read']\n")}) == ["a: Microsoft.Storage/*/read"]
    assert not any("*" in one for one in (*_DECLARED["azureActions"], *_DECLARED["brokerActions"]))


def test_the_audit_can_be_added_to_and_read_but_not_changed() -> None:
    storage = "Microsoft.Storage/storageAccounts"
    text = _FILES["modules/audit.bicep"].text

    assert set(re.findall(rf"'({storage}/[^'@]+)'", text)) == {
        f"{storage}/tableServices/tables/entities/add/action",
        f"{storage}/tableServices/tables/entities/read",
        f"{storage}/blobServices/containers/blobs/add/action",
    }
    assert _FILES["modules/audit.bicep"].all_of("dataActions") == ["entryActions", "sealActions"]
    assert set(_FILES["modules/audit.bicep"].all_of("actions")) == {"[]"}
    assert _FILES["modules/audit.bicep"].all_of("scope") == ["entries", "seals"]


def test_a_managed_subscription_gives_the_table_s_actions_to_its_own_registration() -> None:
    calls = {one.symbol: one for one in _MAIN.modules if one.path == "modules/subscription.bicep"}

    assert {name: (one.given["actions"], one.given["principalId"]) for name, one in calls.items()} == {
        "managed": ("permissions.azureActions", "access.outputs.principalId"),
        "brokered": ("permissions.brokerActions", "broker!.outputs.principalId"),
    }
    assert "for managedSubscription in managedSubscriptions:" in _MAIN.text
    assert "for brokerSubscription in brokerSubscriptions:" in _MAIN.text
    assert tuple(_DECLARED["azureActions"]) == azure_actions()
    assert tuple(_DECLARED["brokerActions"]) == broker_actions()
    assert "assignableScopes: [\n      subscription().id\n    ]" in _FILES["modules/subscription.bicep"].text
