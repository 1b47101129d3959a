"""The rules of a lock-down: what differs, what is sent, and that what was sent differs no more."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.arm.access_shapes import Actions, RoleDefinition, Where, where
from shared.arm.rules import PolicyRule, rule_of, settings_of
from shared.errors import BadRequest
from shared.identifiers import ObjectId, SubscriptionId
from shared.lockdown.advice import TOO_FEW, UNREACHED, of_approvers
from shared.lockdown.beside import VM_WRITE
from shared.lockdown.reach import why_not_reached
from shared.rows import ENTITY_BYTES, encode
from shared.subscriptions.findings import (
    Approver,
    ApproversSeen,
    Finding,
    FindingKind,
    Reach,
    drift_of,
    in_words,
)
from shared.subscriptions.lock_request import LockDownRequest, lock_down_in
from shared.subscriptions.lock_views import as_body
from shared.subscriptions.lockdown import LockDown, Principals
from shared.subscriptions.roles import (
    ACTIVATION,
    APPROVAL,
    APPROVERS_MAIL,
    CONTEXT,
    ELIGIBILITY,
    ENABLEMENT,
    LONGEST,
    MFA,
    RoleSettings,
    Wanted,
    differences,
    target,
    wanted_of,
)
from tests.sandbox.arm.models.policy import Policy
from tests.sandbox.arm.models.policy_rules import a_rule
from tests.sandbox.arm.models.roles import BUILT_IN, CONTRIBUTOR, OWNER, READER, VM_CONTRIBUTOR

_RULES = (APPROVAL, ACTIVATION, ENABLEMENT, CONTEXT, LONGEST, ELIGIBILITY, APPROVERS_MAIL)
_SUBSCRIPTION = SubscriptionId("aaaaaaaa-0000-4000-8000-00000000000a")
_IDS = [ObjectId(f"bbbbbbbb-0000-4000-8000-{number:012d}") for number in range(6)]
_ALLOWED = frozenset({VM_CONTRIBUTOR})

ids = st.sets(st.sampled_from(_IDS), max_size=4).map(lambda found: tuple(sorted(found)))
principals = st.builds(Principals, groups=ids, users=ids)
enabled = st.sets(st.sampled_from([MFA, "Justification", "Ticketing"])).map(lambda found: tuple(sorted(found)))
settings = st.builds(
    RoleSettings,
    approval=st.booleans(),
    approvers=principals,
    plain_approval=st.booleans(),
    longest=st.sampled_from(["", "PT8H", "PT480M", "PT24H", "P1D", "PT30M"]),
    enabled=enabled,
    context=st.sampled_from(["", "c1", "c9"]),
    longest_eligibility=st.sampled_from(["", "P1D", "P180D", "P1Y", "P365D"]),
    enabled_for_eligibility=enabled,
    tells_approvers=st.booleans(),
)
wanted = st.builds(
    Wanted,
    approvers=principals.filter(bool),
    hours=st.integers(1, 24),
    mfa=st.booleans(),
    context=st.just(""),
    ticket=st.booleans(),
    longest_days=st.integers(0, 3650),
)


def decoded(rules: list[Any]) -> RoleSettings:
    """As Azure shows them."""
    return settings_of(msgspec.json.decode(msgspec.json.encode(rules), type=list[PolicyRule]))


@given(settings, wanted)
def test_what_is_as_it_is_to_be_differs_in_nothing(found: RoleSettings, wish: Wanted) -> None:
    aimed = target(found, wish)

    assert differences(aimed, wish) == ()
    assert target(aimed, wish) == aimed


@given(settings, wanted)
def test_the_rules_that_differ_are_all_that_has_to_be_sent(found: RoleSettings, wish: Wanted) -> None:
    """Sent as they are written, and read as Azure shows them, nothing differs any more."""
    policy = Policy("p", VM_CONTRIBUTOR)
    for one in differences(decoded(policy.wire_rules()), wish):
        rule = rule_of(one.rule, target(decoded(policy.wire_rules()), wish))
        a_rule(msgspec.json.decode(msgspec.json.encode(rule)), "rules[0]")
        policy.rules[one.rule] = msgspec.json.decode(msgspec.json.encode(rule))

    assert differences(decoded(policy.wire_rules()), wish) == ()
    assert {one.rule for one in differences(found, wish)} <= set(_RULES)


@given(settings, wanted)
def test_no_lock_down_takes_days_from_an_eligibility_or_asks_an_app_for_mfa(found: RoleSettings, wish: Wanted) -> None:
    aimed = target(found, wish)

    assert MFA not in aimed.enabled_for_eligibility
    assert bool(aimed.longest_eligibility) == bool(found.longest_eligibility)
    assert not (aimed.context and MFA in aimed.enabled)


def test_a_context_takes_mfa_s_place() -> None:
    lock = LockDown(roles=(VM_CONTRIBUTOR,), approvers=Principals(users=tuple(_IDS[:2])), context="c1", mfa=True)

    wish = wanted_of(lock, 180)
    assert (wish.mfa, wish.context) == (False, "c1")
    assert MFA not in target(RoleSettings(), wish).enabled


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"approval": False}, APPROVAL),
        ({"approvers": Principals(users=tuple(_IDS[:1]))}, APPROVAL),
        ({"plain_approval": False}, APPROVAL),
        ({"longest": "PT9H"}, ACTIVATION),
        ({"longest": ""}, ACTIVATION),
        ({"enabled": ("Justification",)}, ENABLEMENT),
        ({"context": "c3"}, CONTEXT),
        ({"longest_eligibility": "P30D"}, LONGEST),
        ({"enabled_for_eligibility": (MFA,)}, ELIGIBILITY),
        ({"tells_approvers": False}, APPROVERS_MAIL),
    ],
)
def test_whatever_somebody_changes_is_named_by_its_rule(change: dict[str, Any], rule: str) -> None:
    wish = Wanted(
        approvers=Principals(users=tuple(_IDS[:2])), hours=8, mfa=True, context="", ticket=True, longest_days=180
    )
    right = target(RoleSettings(longest_eligibility="P365D"), wish)

    [one] = differences(replace(right, **change), wish)
    assert one.rule == rule
    assert one.found != one.wanted


@pytest.mark.parametrize(
    ("role", "allowed"), [(VM_CONTRIBUTOR, True), (OWNER, True), (CONTRIBUTOR, True), (READER, False)]
)
def test_built_in_roles_make_machines_or_not(role: str, *, allowed: bool) -> None:
    known = BUILT_IN[role]
    shown = RoleDefinition(
        id=role,
        name=known.name,
        custom=False,
        permissions=(Actions(actions=list(known.actions), not_actions=list(known.not_actions)),),
    )

    assert shown.allows(VM_WRITE) is allowed


@pytest.mark.parametrize(
    ("actions", "barred", "allowed"),
    [
        (["*"], [], True),
        (["*/write"], [], True),
        (["microsoft.COMPUTE/*"], [], True),
        (["Microsoft.Compute/virtualMachines/*"], [], True),
        (["Microsoft.Compute/*/write"], [], True),
        (["Microsoft.Compute/virtualMachines/write"], [], True),
        (["Microsoft.Compute/virtualMachines/read"], [], False),
        (["Microsoft.Compute/virtualMachines"], [], False),
        (["Microsoft.Compute/virtualMachines/extensions/write"], [], False),
        (["Microsoft.Compute/virtualMachineScaleSets/write"], [], False),
        (["XMicrosoft.Compute/virtualMachines/write"], [], False),
        (["Microsoft-Compute/virtualMachines/write"], [], False),
        ([], [], False),
        (["*"], ["Microsoft.Compute/virtualMachines/*"], False),
        (["*"], ["*/WRITE"], False),
        (["*"], ["Microsoft.Network/*"], True),
    ],
)
def test_effective_actions_are_read_as_azure_reads_them(
    actions: list[str], barred: list[str], *, allowed: bool
) -> None:
    role = RoleDefinition(id="r", name="R", custom=True, permissions=(Actions(actions=actions, not_actions=barred),))

    assert role.allows(VM_WRITE) is allowed


def test_what_one_permission_takes_out_another_may_give() -> None:
    none = Actions(actions=["*"], not_actions=["Microsoft.Compute/*"])
    some = Actions(actions=["Microsoft.Compute/virtualMachines/*"])

    assert RoleDefinition(id="r", name="R", custom=True, permissions=(none, some)).allows(VM_WRITE)


@pytest.mark.parametrize(
    ("scope", "place"),
    [
        (f"/subscriptions/{_SUBSCRIPTION}", Where.AT),
        (f"/SUBSCRIPTIONS/{_SUBSCRIPTION.upper()}/", Where.AT),
        (f"/subscriptions/{_SUBSCRIPTION}/resourceGroups/x", Where.BELOW),
        ("/providers/Microsoft.Management/managementGroups/all", Where.ABOVE),
        ("/", Where.ABOVE),
    ],
)
def test_where_something_stands_is_told_without_case(scope: str, place: Where) -> None:
    assert where(scope, _SUBSCRIPTION) is place


@pytest.mark.parametrize(
    ("enabled_account", "mail", "plans", "ok"),
    [
        (True, "a@b", [("exchange", "Enabled")], True),
        (True, "a@b", [("Exchange", "Enabled")], True),
        (True, "a@b", [("exchange", "Deleted"), ("exchange", "Enabled")], True),
        (True, "a@b", [("exchange", "Warning")], False),
        (True, "a@b", [("exchange", "Suspended")], False),
        (True, "a@b", [("MicrosoftOffice", "Enabled")], False),
        (True, "a@b", [], False),
        (True, None, [("exchange", "Enabled")], False),
        (True, "", [("exchange", "Enabled")], False),
        (False, "a@b", [("exchange", "Enabled")], False),
        (None, "a@b", [("exchange", "Enabled")], False),
    ],
)
def test_whoever_is_reached_has_an_account_a_mail_address_and_an_exchange_plan(
    *, enabled_account: bool | None, mail: str | None, plans: list[tuple[str, str]], ok: bool
) -> None:
    assert (why_not_reached(enabled=enabled_account, mail=mail, plans=plans) == "") is ok


@pytest.mark.parametrize(
    ("approvers", "codes"),
    [
        ([], [TOO_FEW.code]),
        ([(True, Reach.OK)], [TOO_FEW.code]),
        ([(True, Reach.OK), (False, Reach.NOT_PROVEN)], [TOO_FEW.code]),
        ([(True, Reach.OK), (True, Reach.NOT_PROVEN)], [UNREACHED.code]),
        ([(True, Reach.OK), (True, Reach.OK), (True, Reach.NOT_PROVEN)], []),
    ],
)
def test_at_least_two_must_be_able_to_approve_and_be_reached(
    approvers: list[tuple[bool, Reach]], codes: list[str]
) -> None:
    seen = ApproversSeen(
        looked=datetime(2026, 3, 2, tzinfo=UTC),
        approvers=tuple(
            Approver(principal_id=_IDS[number], reach=reach, can_approve=able)
            for number, (able, reach) in enumerate(approvers)
        ),
    )

    assert [one.code for one in of_approvers(seen)] == codes


def test_what_a_look_found_fits_into_a_row_however_much_it_is() -> None:
    scope = f"/subscriptions/{_SUBSCRIPTION}/resourceGroups/{'g' * 90}/providers/Microsoft.Compute/disks/{'d' * 80}"
    many = [
        Finding(kind=FindingKind.HOLDER, principal_id=f"{number:036d}", role="Owner", scope=scope, how="plain")
        for number in range(4000)
    ]

    drift = drift_of(datetime(2026, 3, 2, tzinfo=UTC), many, ("x",))

    assert len(drift.findings) + drift.more == 4000
    assert len(drift.findings) > 300
    assert len(encode(drift)) < ENTITY_BYTES


@pytest.mark.parametrize("kind", FindingKind)
def test_every_finding_says_who_or_what_it_is_about(kind: FindingKind) -> None:
    one = Finding(kind=kind, principal_id="somebody", role="Owner", rule="a rule", found="this", was="that", how="so")

    assert "so" in in_words(one)
    assert ("somebody" in in_words(one)) is (kind is not FindingKind.POLICY_CHANGED)


def test_what_is_shown_of_a_lock_down_can_be_sent_again() -> None:
    body = msgspec.convert(
        {
            "approvers": {"groups": [_IDS[2]], "users": [_IDS[1], _IDS[0]]},
            "longestActivation": "PT4H",
            "authenticationContext": "c1",
            "budget": {"amount": "1200.50"},
            "expectedSizes": [{"region": "westeurope", "sizes": ["Standard_D4s_v5", "Standard_B2s"]}],
            "money": {"finance": [_IDS[3]], "financeAbove": "0.5", "seniorAbove": "99", "senior": {"users": [_IDS[0]]}},
            "repair": False,
        },
        type=LockDownRequest,
    )

    first = lock_down_in(body, _ALLOWED)
    again = lock_down_in(msgspec.json.decode(msgspec.json.encode(as_body(first)), type=LockDownRequest), _ALLOWED)

    assert again == first
    assert msgspec.json.decode(msgspec.json.encode(first), type=LockDown) == first


@pytest.mark.parametrize(("text", "hours"), [("PT1H", 1), ("PT480M", 8), ("P1D", 24), ("PT24H", 24)])
def test_the_longest_activation_is_whole_hours_of_a_day(text: str, hours: int) -> None:
    assert lock_down_in(replace(_BODY, longest_activation=text), _ALLOWED).hours == hours


@pytest.mark.parametrize("text", ["", "8", "PT0H", "PT25H", "PT30M", "PT1H30M", "P1DT1H", "PT8H ", "P", "-PT8H"])
def test_nothing_else_is_one(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        lock_down_in(replace(_BODY, longest_activation=text), _ALLOWED)

    assert refused.value.field == "lockDown.longestActivation"


_BODY = as_body(LockDown(roles=(VM_CONTRIBUTOR,), approvers=Principals(users=tuple(_IDS[:2]))))
