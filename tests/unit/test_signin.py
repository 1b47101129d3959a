"""The sign-in diagnosis: whom each policy is about, where, and what it asks that an analyst cannot simply give."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.graph.access_shapes import AccessPolicy, NamedLocation
from shared.graph.shapes import InboundTrust
from shared.identifiers import ObjectId
from shared.onboarding import signin
from shared.onboarding.request import MOST_ANALYSTS
from shared.onboarding.signin import Seen, inherits, judge, summary, trusted, warnings
from shared.permissions import SECURITY_READER
from shared.rows import ENTITY_BYTES, encode
from shared.tenants.findings import Applies, SignIn
from shared.tenants.record import Trust
from tests.sandbox.graph.models.conditional_access import (
    country_location,
    external,
    ip_location,
    policy,
    strength,
)
from tests.sandbox.graph.wire import Wire
from tests.unit.making import ANA, BEN, NOON, SOURCE, TARGET

_ACCOUNT = ObjectId("33333333-0000-4000-8000-000000000003")
_OTHER = ObjectId("44444444-0000-4000-8000-000000000004")
_NOTHING = Trust(mfa=False, compliant_device=False, hybrid_joined=False)
_EVERYTHING = Trust(mfa=True, compliant_device=True, hybrid_joined=True)
_HQ, _LAB = ip_location("HQ", "198.51.100.0/24", trusted=True), ip_location("Lab", "203.0.113.0/24")
_SAFE = country_location("Safe countries", "DE", "FR")
_PLACES = (_HQ, _LAB, _SAFE)

_PHISHING_RESISTANT = strength(
    "Phishing-resistant MFA", "windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor"
)
_ANY_MFA = strength("Multifactor authentication", "fido2", "password,sms", "password,microsoftAuthenticatorPush")


def judged(
    *policies: Wire,
    trust: Trust = _NOTHING,
    places: Sequence[Wire] = _PLACES,
    accounts: Mapping[ObjectId, ObjectId] | None = None,
    security_defaults: bool = False,
) -> SignIn:
    seen = Seen(
        policies=msgspec.convert(policies, type=list[AccessPolicy]),
        locations=msgspec.convert(places, type=list[NamedLocation]),
        security_defaults=security_defaults,
        trust=trust,
        source=SOURCE,
        accounts={ANA: _ACCOUNT} if accounts is None else accounts,
    )
    return judge(seen, NOON)


def applies(*policies: Wire, **changes: Any) -> Applies | None:
    """How sure the one policy is for a sign-in from outside; None: it is not told."""
    found = judged(*policies, **changes).outside
    assert len(found) <= 1, found
    return found[0].applies if found else None


def test_a_tenant_without_policies_has_no_finding_and_no_warning() -> None:
    found = judged()

    assert (found.inside, found.outside, found.left_out, found.problem) == ((), (), 0, "")
    assert found.locations == ("HQ", "Lab", "Safe countries")
    assert summary(found) == "nothing would stop an analyst"
    assert warnings(found) == warnings(None) == []


@pytest.mark.parametrize(
    ("asked", "trust", "stops", "words"),
    [
        ({"controls": ["block"]}, _EVERYTHING, True, "blocks the sign-in"),
        ({"controls": ["mfa"]}, _NOTHING, False, "register MFA in the target"),
        ({"controls": ["mfa"]}, _EVERYTHING, None, ""),
        (
            {"controls": ["compliantDevice"]},
            _NOTHING,
            True,
            "compliant device, and those of the source are not trusted",
        ),
        ({"controls": ["compliantDevice"]}, Trust(mfa=True, hybrid_joined=True), True, "not trusted"),
        ({"controls": ["compliantDevice"]}, _EVERYTHING, False, "only with one that the source tenant knows"),
        ({"controls": ["domainJoinedDevice"]}, _NOTHING, True, "hybrid joined device"),
        ({"controls": ["domainJoinedDevice"]}, Trust(hybrid_joined=True), False, "hybrid joined"),
        ({"controls": ["approvedApplication"]}, _EVERYTHING, True, "approved client app"),
        ({"controls": ["compliantApplication"]}, _EVERYTHING, True, "protection policy"),
        ({"controls": ["passwordChange"]}, _EVERYTHING, True, "change of the password"),
        ({"controls": ["riskRemediation"]}, _EVERYTHING, False, "not understood"),
        ({"terms": ["t1"]}, _EVERYTHING, False, "terms of use"),
        ({"custom": ["RequireOther"]}, _EVERYTHING, True, "custom control"),
        ({"strength": _PHISHING_RESISTANT}, _NOTHING, True, "only where the MFA of the source is trusted"),
        ({"strength": _PHISHING_RESISTANT}, _EVERYTHING, False, "a method of it at home"),
        ({"strength": _ANY_MFA}, _NOTHING, False, "register MFA in the target"),
    ],
)
def test_each_control_is_told_with_whether_anybody_can_give_it(
    asked: dict[str, Any],
    trust: Trust,
    stops: Any,
    words: str,
) -> None:
    found = judged(policy("P", *asked.pop("controls", ()), **asked), trust=trust).outside

    assert [one.stops for one in found] == ([] if stops is None else [stops])
    assert all(words in one.what and one.what.startswith("Policy 'P' ") and one.do for one in found)


def test_what_is_not_trusted_is_told_with_where_it_is_trusted() -> None:
    found = judged(policy("Devices", "compliantDevice", "mfa", operator="AND")).outside

    assert [one.controls for one in found] == [("compliantDevice",), ("mfa",)]
    assert all("Trust settings" in one.do for one in found)


def test_all_of_several_controls_are_told_one_by_one_and_of_any_the_easiest() -> None:
    both = policy("Both", "mfa", "compliantDevice", operator="AND")
    either = policy("Either", "mfa", "compliantDevice", operator="OR")
    neither = policy("Neither", "compliantDevice", "domainJoinedDevice", operator="OR")

    assert [one.controls for one in judged(both).outside] == [("mfa",), ("compliantDevice",)]
    [easiest] = judged(either).outside
    assert (easiest.controls, easiest.stops) == (("mfa",), False)
    assert judged(either, trust=Trust(mfa=True)).outside == ()
    [stuck] = judged(neither).outside
    assert (stuck.controls, stuck.stops) == (("compliantDevice", "domainJoinedDevice"), True)
    assert ", or " in stuck.what


def test_a_policy_for_sessions_only_stops_nobody() -> None:
    without = {**policy("Sessions"), "grantControls": None}

    assert judged(without).outside == ()


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("enabled", Applies.YES),
        ("enabledForReportingButNotEnforced", Applies.REPORT_ONLY),
        ("disabled", None),
    ],
)
def test_what_is_only_reported_is_told_as_such_and_what_is_off_not_at_all(state: str, told: Applies | None) -> None:
    assert applies(policy("P", "block", state=state)) is told


@pytest.mark.parametrize(
    ("users", "told"),
    [
        ({"includeUsers": ["All"]}, Applies.YES),
        ({"includeUsers": ["None"]}, None),
        ({"includeUsers": ["GuestsOrExternalUsers"]}, Applies.YES),
        ({"includeUsers": [_ACCOUNT]}, Applies.YES),
        ({"includeUsers": [_OTHER]}, None),
        ({"includeUsers": [ANA]}, None),  # the id that she has at home
        ({"includeUsers": ["All"], "excludeUsers": [_ACCOUNT]}, None),
        ({"includeUsers": ["All"], "excludeUsers": [_OTHER]}, Applies.YES),
        ({"includeUsers": ["All"], "excludeUsers": ["GuestsOrExternalUsers"]}, None),
        ({"includeRoles": [SECURITY_READER]}, Applies.YES),
        ({"includeRoles": [_OTHER]}, None),
        ({"includeUsers": ["All"], "excludeRoles": [SECURITY_READER]}, Applies.MAYBE),
        ({"includeGroups": [_OTHER]}, Applies.MAYBE),
        ({"includeUsers": ["All"], "excludeGroups": [_OTHER]}, Applies.MAYBE),
        ({"includeUsers": [_OTHER], "excludeGroups": [_OTHER]}, None),
        ({"includeGuestsOrExternalUsers": external("b2bCollaborationMember")}, Applies.YES),
        ({"includeGuestsOrExternalUsers": external("internalGuest", "b2bCollaborationMember")}, Applies.YES),
        ({"includeGuestsOrExternalUsers": external("b2bCollaborationGuest")}, Applies.MAYBE),
        ({"includeGuestsOrExternalUsers": external("b2bDirectConnectUser", "serviceProvider")}, None),
        ({"includeGuestsOrExternalUsers": external("b2bCollaborationMember", tenants=[SOURCE])}, Applies.YES),
        ({"includeGuestsOrExternalUsers": external("b2bCollaborationMember", tenants=[TARGET])}, None),
        ({"includeUsers": ["All"], "excludeGuestsOrExternalUsers": external("b2bCollaborationMember")}, None),
        (
            {
                "includeUsers": ["All"],
                "excludeGuestsOrExternalUsers": external("b2bCollaborationMember", tenants=[TARGET]),
            },
            Applies.YES,
        ),
        (
            {"includeUsers": ["All"], "excludeGuestsOrExternalUsers": external("b2bCollaborationGuest")},
            Applies.MAYBE,
        ),
    ],
)
def test_an_analyst_is_an_external_member_with_an_id_and_a_role(users: Wire, told: Applies | None) -> None:
    assert applies(policy("P", "block", users=users)) is told


@pytest.mark.parametrize(
    ("applications", "told"),
    [
        ({}, Applies.YES),
        ({"includeApplications": ["None"]}, None),
        ({"includeApplications": ["MicrosoftAdminPortals"]}, Applies.YES),
        ({"includeApplications": ["Office365"]}, Applies.MAYBE),
        ({"includeApplications": [_OTHER]}, Applies.MAYBE),
        ({"excludeApplications": [_OTHER]}, Applies.MAYBE),
        ({"includeApplications": [], "includeUserActions": ["urn:user:registersecurityinfo"]}, Applies.MAYBE),
        ({"includeApplications": [], "includeUserActions": ["urn:user:registerdevice"]}, None),
        ({"includeApplications": [], "includeAuthenticationContextClassReferences": ["c1"]}, Applies.MAYBE),
        ({"includeApplications": [], "applicationFilter": {"mode": "include", "rule": "x"}}, Applies.MAYBE),
    ],
)
def test_a_policy_counts_that_is_about_the_defender_portals(applications: Wire, told: Applies | None) -> None:
    assert applies(policy("P", "block", applications=applications)) is told


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        ({"clients": ("browser", "mobileAppsAndDesktopClients")}, Applies.YES),
        ({"clients": ("exchangeActiveSync", "other")}, None),  # legacy authentication, blocked nearly everywhere
        ({"clients": ("mobileAppsAndDesktopClients",)}, None),
        ({"platforms": {"includePlatforms": ["all"], "excludePlatforms": []}}, Applies.YES),
        ({"platforms": {"includePlatforms": ["android", "iOS"], "excludePlatforms": []}}, Applies.MAYBE),
        ({"platforms": {"includePlatforms": ["all"], "excludePlatforms": ["windows"]}}, Applies.MAYBE),
        ({"signInRiskLevels": ["high"]}, Applies.MAYBE),
        ({"userRiskLevels": ["high"]}, Applies.MAYBE),
        ({"insiderRiskLevels": "elevated"}, Applies.MAYBE),
        ({"devices": {"deviceFilter": {"mode": "exclude", "rule": "x"}}}, Applies.MAYBE),
        ({"authenticationFlows": {"transferMethods": "deviceCodeFlow"}}, None),
        ({"authenticationFlows": {"transferMethods": "none"}}, Applies.YES),
        ({"clientApplications": {"includeServicePrincipals": [_OTHER]}}, None),
    ],
)
def test_what_narrows_a_policy_makes_it_uncertain_or_another_one(conditions: Any, told: Applies | None) -> None:
    assert applies(policy("P", "block", **conditions)) is told


def test_a_maybe_says_what_it_hangs_on() -> None:
    users: Wire = {"includeGroups": [_OTHER]}
    risky = policy("P", "block", users=users, signInRiskLevels=["high"])

    [found] = judged(risky).outside

    assert "Policy 'P' perhaps blocks" in found.what
    assert "groups" in found.what
    assert "risk" in found.what


@pytest.mark.parametrize(
    ("locations", "inside", "outside"),
    [
        (None, ["HQ", "Lab", "Safe countries"], True),
        ((["All"], []), ["HQ", "Lab", "Safe countries"], True),
        ((["All"], ["AllTrusted"]), ["Lab", "Safe countries"], True),
        ((["All"], [_SAFE["id"]]), ["HQ", "Lab"], True),
        ((["AllTrusted"], []), ["HQ"], False),
        (([_LAB["id"]], []), ["Lab"], False),
        (([_LAB["id"], _HQ["id"]], ["AllTrusted"]), ["Lab"], False),
        ((["All"], ["All"]), [], False),
        ((["All"], [_HQ["id"], _LAB["id"], _SAFE["id"]]), [], True),
        ((["not-listed"], []), [], False),
    ],
)
def test_a_policy_holds_inside_the_locations_that_it_names_and_outside_only_with_all(
    locations: Any, inside: list[str], outside: Any
) -> None:
    found = judged(policy("P", "block", locations=locations))

    assert bool(found.outside) is outside
    shown = [list(one.locations) or ["HQ", "Lab", "Safe countries"] for one in found.inside]
    assert shown == ([inside] if inside else [])


def test_a_block_from_outside_is_told_with_a_way_in() -> None:
    found = judged(policy("Only from HQ", "block", locations=(["All"], ["AllTrusted"])))

    [outside] = found.outside
    assert (
        outside.what == "Policy 'Only from HQ' blocks the sign-in from outside the named locations that it leaves out."
    )
    assert "named location" in outside.do
    [inside] = found.inside
    assert inside.what == "Policy 'Only from HQ' blocks the sign-in from Lab, Safe countries."


def test_without_named_locations_nobody_is_inside() -> None:
    found = judged(policy("P", "block"), places=())

    assert (found.inside, len(found.outside)) == ((), 1)


def test_analysts_are_named_where_a_policy_is_not_about_all_of_them() -> None:
    accounts = {ANA: _ACCOUNT, BEN: _OTHER}
    alone, all_but = (
        policy("One", "block", users={"includeUsers": [_OTHER]}),
        policy("All but one", "block", users={"includeUsers": ["All"], "excludeUsers": [_OTHER]}),
    )

    found = judged(alone, all_but, policy("All", "block"), accounts=accounts).outside

    assert [(one.policy, one.analysts) for one in found] == [
        ("One", (BEN,)),
        ("All but one", (ANA,)),
        ("All", ()),
    ]


def test_before_anybody_has_an_account_the_policies_are_told_all_the_same() -> None:
    assert applies(policy("P", "block"), accounts={}) is Applies.YES
    assert applies(policy("P", "block", users={"includeUsers": [_OTHER]}), accounts={}) is None


@pytest.mark.parametrize(("trust", "told"), [(_NOTHING, Applies.YES), (_EVERYTHING, Applies.MAYBE)])
def test_security_defaults_ask_everybody_for_mfa(trust: Trust, told: Applies) -> None:
    found = judged(security_defaults=True, trust=trust)

    for one in (*found.inside, *found.outside):
        assert (one.policy, one.policy_id, one.applies, one.stops) == ("security defaults", "", told, False)
    assert len(found.inside) == len(found.outside) == 1


def test_what_was_found_is_one_warning_that_leads_to_it() -> None:
    found = judged(policy("P", "block"), policy("Q", "mfa"))

    assert warnings(found) == ["Sign-in: findings inside the named locations: 2, outside: 2."]
    assert warnings(SignIn(read=NOON, problem="It could not be read.")) == ["It could not be read."]


def test_a_name_from_the_target_fits_one_line() -> None:
    [found] = judged(policy("Block\n\u202eall  " + "x" * 300, "block")).outside

    assert found.policy.startswith("Block all xxx")
    assert len(found.policy) == 80
    assert found.policy.isprintable()


def test_the_most_policies_that_a_tenant_may_have_fit_into_a_row() -> None:
    """195 policies and locations with the longest names (limits of conditional access), for every analyst differently."""
    people = [ObjectId(f"{number:08x}-0000-4000-8000-000000000000") for number in range(MOST_ANALYSTS)]
    places = [ip_location(f"{number} " + "\U0001f512" * 250) for number in range(195)]
    users: Wire = {"includeUsers": people[1:], "excludeGroups": [_OTHER]}
    somewhere = ["All"], [str(places[0]["id"])]
    many = [
        policy(
            f"{number} " + "\U0001f512" * 250,
            "mfa",
            "compliantDevice",
            operator="AND",
            users=users,
            locations=somewhere,
        )
        for number in range(195)
    ]

    found = judged(*many, places=places, accounts=dict(zip(people, people, strict=True)))

    assert len(encode(found)) < ENTITY_BYTES
    assert found.inside
    assert len(found.inside) + len(found.outside) + found.left_out == 2 * 2 * 195
    assert len(found.inside[0].locations) == 10
    assert "and 184 more" in found.inside[0].what


def test_what_is_shown_of_it_is_plain_json() -> None:
    found = signin.shown(judged(policy("P", "block", users={"includeUsers": [_ACCOUNT]})))
    shown: Any = msgspec.json.decode(msgspec.json.encode(found))

    assert shown == {
        "read": "2026-11-23T12:00:00Z",
        "namedLocations": ["HQ", "Lab", "Safe countries"],
        "inside": shown["inside"],
        "outside": [
            {
                "policy": "P",
                "policyId": "ca-p",
                "applies": "yes",
                "stops": True,
                "controls": ["block"],
                "analysts": [],
                "locations": [],
                "what": "Policy 'P' blocks the sign-in.",
                "do": shown["outside"][0]["do"],
            }
        ],
        "leftOut": 0,
        "problem": None,
    }
    assert signin.shown(None) is None


_FLAG = st.none() | st.booleans()
_TRUSTS = st.builds(InboundTrust, is_mfa_accepted=_FLAG, is_compliant_device_accepted=_FLAG, is_hybrid_joined=_FLAG)


@given(_TRUSTS, _TRUSTS)
def test_trust_is_the_partner_s_own_and_only_else_the_default_s(own: InboundTrust, default: InboundTrust) -> None:
    held = trusted(own, default)

    assert held.mfa is bool(default.is_mfa_accepted if own.is_mfa_accepted is None else own.is_mfa_accepted)
    assert trusted(own, None) == held or inherits(own)
    assert trusted(None, default) == trusted(InboundTrust(), default)


def test_more_trust_never_makes_a_finding() -> None:
    policies = [
        policy("A", "mfa"),
        policy("B", "compliantDevice", "domainJoinedDevice"),
        policy("C", "mfa", "compliantDevice", operator="AND"),
        policy("D", strength=_PHISHING_RESISTANT),
    ]

    def stops(trust: Trust) -> set[tuple[str, tuple[str, ...]]]:
        return {(one.policy, one.controls) for one in judged(*policies, trust=trust).outside if one.stops}

    for trust in (Trust(mfa=True), replace_device(_NOTHING), _EVERYTHING):
        assert stops(trust) <= stops(_NOTHING)


def replace_device(trust: Trust) -> Trust:
    return msgspec.structs.replace(trust, compliant_device=True)


def test_a_policy_of_a_shape_that_graph_leaves_out_is_read() -> None:
    """Old policies come with few properties, and lists may be null."""
    bare: Wire = {
        "id": "x",
        "state": "enabled",
        "conditions": {"users": {"includeUsers": ["All"], "excludeUsers": None}},
    }
    grant: Wire = {"grantControls": {"operator": "OR", "builtInControls": ["block"]}}
    apps: Wire = {"conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}}}

    assert judged({**bare, **grant}).outside == ()  # about no application
    [found] = judged({**bare, **grant, **apps}).outside
    assert (found.policy, found.policy_id) == ("x", "x")


def test_a_finding_is_never_about_nothing() -> None:
    found = judged(policy("P", "block", "mfa", terms=["t"], custom=["c"], strength=_ANY_MFA, operator="AND")).outside

    assert {one.controls for one in found} == {
        ("block",),
        ("mfa",),
        ("customControl",),
        ("termsOfUse",),
        ("authenticationStrength",),
    }
    assert all(one.what.endswith(".") and one.do.endswith(".") for one in found)
