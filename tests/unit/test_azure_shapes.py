"""What Azure's wire shapes say: whose an eligibility is, what became of a request, and how a request is named."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.arm.shapes import Fate, RequestItem, held_at, request_name, role_path, rules_of
from shared.azure_permissions import STORAGE_ACCOUNT_CONTRIBUTOR, VM_CONTRIBUTOR
from shared.identifiers import SubscriptionId

SUBSCRIPTION = SubscriptionId("dddddddd-0000-4000-8000-00000000000d")
_AT = f"/subscriptions/{SUBSCRIPTION}"
_WORDS = st.text(st.characters(codec="ascii", exclude_characters="|"), min_size=1, max_size=8)
_ASKED = st.tuples(_WORDS, _WORDS, _WORDS, _WORDS, _WORDS, st.integers(min_value=0, max_value=9))


def item(**properties: object) -> msgspec.Raw:
    first: dict[str, object] = {
        "principalId": "AAAAAAAA-0000-4000-8000-00000000000A",
        "roleDefinitionId": role_path(SUBSCRIPTION, VM_CONTRIBUTOR).upper(),
        "scope": _AT,
        "memberType": "Direct",
        "roleEligibilityScheduleId": f"{_AT}/providers/Microsoft.Authorization/RoleEligibilitySchedules/S1",
    }
    return msgspec.Raw(msgspec.json.encode({"name": "N1", "properties": {**first, **properties}}))


def test_ids_in_any_case_and_as_whole_paths_become_ours() -> None:
    found = held_at(item(scope=_AT.upper() + "/"), SUBSCRIPTION)

    assert found is not None
    assert (found.principal_id, found.role_definition_id) == ("aaaaaaaa-0000-4000-8000-00000000000a", VM_CONTRIBUTOR)
    assert (found.schedule_id, found.end, found.condition) == ("s1", None, "")


@pytest.mark.parametrize(
    "properties",
    [
        {"scope": f"{_AT}/resourceGroups/vms"},
        {"scope": "/providers/Microsoft.Management/managementGroups/all"},
        {"scope": "/subscriptions/eeeeeeee-0000-4000-8000-00000000000e"},
        {"memberType": "Group"},
        {"memberType": "Inherited"},
    ],
)
def test_what_stands_elsewhere_or_comes_by_a_group_is_none_of_the_subscription_s_own(
    properties: dict[str, object],
) -> None:
    assert held_at(item(**properties), SUBSCRIPTION) is None


def test_a_schedule_is_named_by_itself() -> None:
    found = held_at(item(roleEligibilityScheduleId=None, memberType=None), SUBSCRIPTION)

    assert found is not None
    assert found.schedule_id == "n1"


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        ("Provisioned", Fate.DONE),
        ("Granted", Fate.DONE),
        ("FailedAsResourceIsLocked", Fate.FAILED),
        ("Revoked", Fate.FAILED),
        ("PendingAdminDecision", Fate.UNDER_WAY),
        ("SomethingOfNextYear", Fate.UNDER_WAY),
        ("", Fate.UNDER_WAY),
    ],
)
def test_an_unknown_status_is_one_that_is_under_way(status: str, fate: Fate) -> None:
    assert RequestItem(status=status).fate is fate


def test_a_removal_that_was_carried_out_took_effect_and_a_refusal_did_not() -> None:
    assert RequestItem(status="Revoked").took_effect
    assert not RequestItem(status="AdminDenied").took_effect


def test_the_rules_are_those_of_the_role_at_the_subscription() -> None:
    rules = [{"id": "Expiration_Admin_Eligibility", "isExpirationRequired": True, "maximumDuration": "P90D"}]

    def policy(scope: str, role: str) -> msgspec.Raw:
        properties = {"scope": scope, "roleDefinitionId": role_path(SUBSCRIPTION, role), "effectiveRules": rules}
        return msgspec.Raw(msgspec.json.encode({"properties": properties}))

    [rule] = rules_of(policy(_AT, VM_CONTRIBUTOR), SUBSCRIPTION, VM_CONTRIBUTOR)
    assert rule.maximum_duration == "P90D"
    assert rules_of(policy(_AT, STORAGE_ACCOUNT_CONTRIBUTOR), SUBSCRIPTION, VM_CONTRIBUTOR) == []
    assert rules_of(policy(f"{_AT}/resourceGroups/x", VM_CONTRIBUTOR), SUBSCRIPTION, VM_CONTRIBUTOR) == []


@given(_ASKED, _ASKED)
def test_two_wishes_have_the_same_name_only_if_they_are_the_same(
    one: tuple[str, str, str, str, str, int], other: tuple[str, str, str, str, str, int]
) -> None:
    assert (request_name(*one) == request_name(*other)) is (one == other)
