"""The permission table: least privilege, and nothing in it that nobody calls."""

import ast
from pathlib import Path

import pytest

from shared import azure_permissions, permissions
from shared.azure_permissions import AZURE_CALLS, DELEGATED, azure_actions
from shared.permissions import CALLS, MULTI_TENANT, Call, Family, Registration, needed

_SHARED = Path(__file__).parents[2] / "shared"

# What may be held, word for word: a wider permission is a decision, and this list is where it shows.
_HELD = {
    Registration.API: set(),
    Registration.LOOKUP: {"CrossTenantInformation.ReadBasic.All", "GroupMember.Read.All", "User.Read.All"},
    Registration.SOURCE: {
        "AppRoleAssignment.ReadWrite.All",
        "Application.ReadWrite.All",
        "LicenseAssignment.Read.All",
        "Policy.ReadWrite.CrossTenantAccess",
        "ProvisioningLog.Read.All",
        "Synchronization.ReadWrite.All",
    },
    Registration.SETUP: {"Organization.Read.All", "Policy.Read.All", "Policy.ReadWrite.CrossTenantAccess"},
    Registration.ACCESS: {
        "RoleEligibilitySchedule.ReadWrite.Directory",
        "RoleManagement.Read.Directory",
        "User.Read.All",
    },
    Registration.HUNT: {"ThreatHunting.Read.All"},
    Registration.BROKER: set(),
}


def _names() -> dict[str, Call]:
    return {name: value for name, value in vars(permissions).items() if isinstance(value, Call)}


def _imported_by_clients(folder: str = "graph", table: str = "shared.permissions") -> set[str]:
    found: set[str] = set()
    for path in (_SHARED / folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == table:
                found |= {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("registration", Registration)
def test_each_registration_holds_exactly_what_is_written_down_here(registration: Registration) -> None:
    assert _HELD[registration] == set(needed(registration))


@pytest.mark.parametrize("registration", Registration)
def test_no_permission_is_held_that_no_call_needs(registration: Registration) -> None:
    used = [call.permissions for call in CALLS if registration in call.registrations]

    assert all(any(name in names for names in used) for name in needed(registration))


def test_nobody_may_write_role_assignments_of_the_directory() -> None:
    assert all("RoleManagement.ReadWrite" not in name for call in CALLS for name in call.permissions)
    naming = [path for path in _SHARED.rglob("*.py") if "RoleManagement.ReadWrite.Directory" in path.read_text()]
    assert naming == [_SHARED / "onboarding" / "commands.py"]  # what a target's administrator signs in with, in person


def test_the_web_front_only_reads() -> None:
    assert all("Write" not in name for name in needed(Registration.LOOKUP))
    assert not any(call.write for call in CALLS if Registration.LOOKUP in call.registrations)


def test_whatever_is_no_read_is_marked_as_a_write() -> None:
    """Some reads are POSTs: the validation of credentials, and hunting."""
    for call in CALLS:
        reads = call.method == "GET" or call.path.endswith(("/validateCredentials", ".runHuntingQuery"))
        assert call.write != reads, call


def test_every_call_has_a_reason_a_caller_and_a_permission_and_stands_once_for_each_caller() -> None:
    seen = [(registration, call.method, call.path) for call in CALLS for registration in call.registrations]

    assert len(seen) == len(set(seen))
    assert all(call.why and call.registrations and call.permissions for call in CALLS)


def test_the_limits_that_all_runs_share_are_families_of_their_own() -> None:
    for family, paths in {
        Family.ON_DEMAND: 1,
        Family.REPORTS: 1,
        Family.CONDITIONAL_ACCESS: 2,
        Family.HUNTING: 1,
    }.items():
        assert len([call for call in CALLS if call.family is family]) == paths


def test_every_call_of_the_table_is_one_of_a_client_and_the_other_way_round() -> None:
    assert set(_names()) == _imported_by_clients() & set(_names())
    assert tuple(_names().values()) == CALLS


def test_only_multi_tenant_registrations_are_asked_for_in_targets() -> None:
    assert {Registration.SETUP, Registration.ACCESS, Registration.HUNT} == set(MULTI_TENANT)


def test_hunt_only_reads() -> None:
    assert all("Write" not in name for name in needed(Registration.HUNT))
    assert not any(call.write for call in CALLS if Registration.HUNT in call.registrations)


def test_the_custom_role_of_the_subscriptions_holds_exactly_what_is_written_down_here() -> None:
    """No write of assignments: nobody is made active."""
    pim = "Microsoft.Authorization"

    assert azure_actions() == (
        f"{pim}/roleAssignmentScheduleInstances/read",
        f"{pim}/roleAssignmentScheduleRequests/cancel/action",
        f"{pim}/roleAssignmentScheduleRequests/read",
        f"{pim}/roleAssignments/read",
        f"{pim}/roleDefinitions/read",
        f"{pim}/roleEligibilityScheduleInstances/read",
        f"{pim}/roleEligibilityScheduleRequests/read",
        f"{pim}/roleEligibilityScheduleRequests/write",
        f"{pim}/roleEligibilitySchedules/read",
        f"{pim}/roleManagementPolicies/approvalRule/action",
        f"{pim}/roleManagementPolicies/write",
        f"{pim}/roleManagementPolicyAssignments/read",
        "Microsoft.Consumption/budgets/read",
    )


def test_every_call_of_azure_is_one_of_its_client_made_by_one_registration_and_marked_if_it_writes() -> None:
    """As Access by the app itself, and as Tenantry API in a person's name. To validate is to look."""
    named = {name for name, value in vars(azure_permissions).items() if isinstance(value, Call)}

    assert named == _imported_by_clients("arm", "shared.azure_permissions") & named
    for call in AZURE_CALLS:
        assert call.registrations == ((Registration.API if call.delegated else Registration.ACCESS),)
        assert (call.permissions == (DELEGATED,)) is call.delegated
        assert call.why
        assert call.write is not (call.method == "GET" or call.path.endswith("/validate"))


def test_no_permission_of_graph_is_asked_for_azure_s_sake() -> None:
    assert not set(azure_actions()) & {name for one in Registration for name in needed(one)}
