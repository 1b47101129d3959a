"""What the API shows: nothing of the store leaks, and every link leads where the deployment says."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.eligibility.record import Eligibility, RolePolicy, eligibility_key
from shared.identifiers import ObjectId
from shared.onboarding import checklist, views
from shared.onboarding.request import Intake
from shared.permissions import CALLS, SECURITY_READER, Registration
from shared.running.acts import ACTS
from shared.settings import read_settings
from shared.tenants.record import ActState, Problem, Tenant
from shared.tenants.states import State
from tests.unit.environment import ENVIRONMENT
from tests.unit.making import ANA, BEN, NOON, SOURCE, TARGET, WANTED, act, analyst, consent, intent, record, tenant

SETTINGS = read_settings(ENVIRONMENT)
_ACCOUNT = ObjectId("33333333-0000-4000-8000-000000000003")


def wire(view: msgspec.Struct) -> Any:
    """What a caller gets."""
    return msgspec.json.decode(msgspec.json.encode(view))


def ready(**changes: Any) -> Tenant:
    row = Eligibility(
        principal_id=_ACCOUNT,
        role_definition_id=SECURITY_READER,
        analyst_id=ANA,
        schedule_id="s",
        end=NOON + timedelta(days=90),
        wanted_days=180,
        capped_to_days=90,
    )
    parts: dict[str, Any] = {
        "record": record(State.READY, granted={"Tenantry Setup": ("Policy.Read.All",)}),
        "acts": {one.number: act(one.number) for one in ACTS},
        "analysts": {ANA: analyst(target_object_id=_ACCOUNT), BEN: analyst(BEN, display_name="Ben")},
        "eligibilities": {eligibility_key(_ACCOUNT, SECURITY_READER): row},
        "consents": {Registration.SETUP: consent(Registration.SETUP, proved=NOON)},
        **changes,
    }
    return tenant(State.READY, **parts)


def test_the_record_shows_every_act_also_those_to_come() -> None:
    shown = wire(views.record(SETTINGS, tenant(acts={1: act(1, ActState.RUNNING)})))

    assert [(one.number, one.name) for one in ACTS] == [(one["number"], one["name"]) for one in shown["acts"]]
    assert ["Running", *["Pending"] * (len(ACTS) - 1)] == [one["state"] for one in shown["acts"]]


def test_the_record_shows_the_cap_of_an_eligibility() -> None:
    shown = wire(views.record(SETTINGS, ready()))

    [eligibility] = shown["eligibilities"]
    assert (eligibility["wanted"], eligibility["cappedTo"]) == ("P180D", "P90D")
    assert (eligibility["analyst"], eligibility["principalId"]) == (ANA, _ACCOUNT)


def test_the_record_is_plain_json_without_what_is_ours_alone() -> None:
    """A run's nonce and the intents are the fence against late writers; the single-use state is in links alone."""
    text = msgspec.json.encode(views.record(SETTINGS, ready(intents={"k": intent(3)}))).decode()

    assert "nonce" not in text
    assert "intent" not in text
    assert consent(Registration.SETUP).state not in text


def test_a_consent_that_is_asked_for_has_its_link_and_a_proved_one_has_none() -> None:
    setup, access = consent(Registration.SETUP, proved=NOON), consent(Registration.ACCESS)

    shown = wire(views.record(SETTINGS, tenant(consents={one.registration: one for one in (setup, access)})))

    assert [("proved", None), ("asked for", f"https://app.example/api/consent/{access.state}")] == [
        (one["state"], one["link"]) for one in shown["consents"]
    ]


@pytest.mark.parametrize("state", [state for state in State if state is not State.READY])
def test_there_is_no_checklist_before_ready(state: State) -> None:
    shown = wire(
        views.record(SETTINGS, tenant(record=record(state), analysts={ANA: analyst(target_object_id=_ACCOUNT)}))
    )

    assert [] == shown["checklist"] == shown["administratorChecklist"]


def test_a_problem_is_shown_with_what_to_do() -> None:
    problem = Problem(code="NoPim", what="no licence", do="buy one")

    shown = wire(views.summary(SETTINGS, record(State.BLOCKED, problem=problem, what_to_do=("buy one",))))

    assert shown["problem"] == {"code": "NoPim", "what": "no licence", "do": "buy one"}
    assert shown["whatToDo"] == ["buy one"]


def test_a_plan_names_every_write_what_would_run_and_what_cannot_be_known() -> None:
    intake = Intake(tenant_id=TARGET, domain="fabrikam.com", known_as="Fabrikam", wanted=WANTED, analysts=(analyst(),))

    plan = wire(views.plan(intake, tenant(acts={1: act(1)})))

    assert ["be passed over: done", *["run"] * (len(ACTS) - 1)] == [one["would"] for one in plan["acts"]]
    assert [f"{call.method} {call.path}" for call in CALLS if call.write] == plan["writes"]
    assert any("consents" in one for one in plan["unknown"])


def test_the_checklist_is_for_analysts_who_have_an_account_and_no_problem() -> None:
    left_out = analyst(BEN, target_object_id=_ACCOUNT, problem=Problem(code="x", what="x", do="x"))

    assert [one.analyst for one in checklist.for_analysts(SETTINGS.portals, ready())] == [ANA]
    assert checklist.for_analysts(SETTINGS.portals, tenant(analysts={ANA: analyst(), BEN: left_out})) == []


def test_links_lead_to_the_deployment_s_portals_and_carry_the_tenant_where_the_portal_takes_one() -> None:
    portals = SETTINGS.portals
    [one] = checklist.for_analysts(portals, ready())
    links = [
        *(step.link for step in one.items),
        *(step.link for step in checklist.for_administrator(portals, ready())),
    ]

    assert all(
        link.startswith(("https://mto.", "https://defender.", "https://myaccount.", "https://entra.")) for link in links
    )
    assert all(TARGET in link for link in links if link.startswith((portals.defender, portals.entra)))
    assert not any(SOURCE in link for link in links)
    assert {portals.mto, portals.defender, portals.my_account, portals.entra} == {
        next(root for root in vars_of(portals) if link.startswith(root)) for link in links
    }


def vars_of(portals: Any) -> list[str]:
    return [portals.mto, portals.defender, portals.my_account, portals.entra]


def test_the_checklist_tells_how_long_a_role_stays_active_and_what_it_asks_for() -> None:
    policy = RolePolicy(activation_hours=8.0, activation_needs=("a justification",))
    there = ready(record=record(State.READY, role_policy=policy))

    [one] = checklist.for_analysts(SETTINGS.portals, there)

    assert any("at most 8 hours" in step.text and "a justification" in step.text for step in one.items)


def test_devices_that_do_not_show_are_a_matter_of_the_target_s_own_roles() -> None:
    said = " ".join(one.title + one.text for one in checklist.for_administrator(SETTINGS.portals, ready()))

    assert "no devices" in said
    assert "role" in said
    assert Registration.SETUP.value in said
