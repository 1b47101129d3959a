"""Every alert keys on what the app really writes."""

import re
from collections.abc import Mapping
from functools import cache

from shared.assembly import app_of
from shared.roles import Role
from tests.unit.bicep import Bicep, properties, read_all
from tests.unit.bicep_values import Values
from tests.unit.shapes import Shape, each_shape
from tests.unit.told import logged

_ALERTS = read_all()["modules/alerts.bicep"]
_NAMED = re.compile(r"'([a-z_]+\.[a-z_]+) ?'")


def rules(file: Bicep) -> list[Mapping[str, str]]:
    """What is told, and when."""
    written = file.declared("variable")["rules"].named_children[1]
    return [properties(one) for one in written.named_children if one.type == "object"]


@cache
def timers(role: Role) -> frozenset[str]:
    """The timers of an app."""
    found = [(one.get_function_name(), one.get_trigger()) for one in app_of(role).get_functions()]
    return frozenset(
        name for name, trigger in found if name and trigger and trigger.get_binding_name() == "timerTrigger"
    )


def looked_for(file: Bicep, *, broker_apart: bool) -> list[str]:
    """The timers that each have to run."""
    found: list[str] = Values(file, {"brokerApart": broker_apart}).variable("timers")
    return found


def problems(file: Bicep) -> list[str]:
    """Events and timers that a query names and the app does not have; queries that name none."""
    there = {*logged(), *timers(Role.WORKER), *timers(Role.BROKER)}
    placed = {"{timers}": looked_for(file, broker_apart=True)}
    found: list[str] = []
    for rule in rules(file):
        events = {*_NAMED.findall(rule["query"])}
        events |= {name for place, names in placed.items() if place in rule["query"] for name in names}
        found += [f"{rule['name']}: no {one}" for one in sorted(events - set(there))]
        if not events:
            found.append(f"{rule['name']}: names nothing")
    return found


def test_every_query_names_what_the_app_writes() -> None:
    assert problems(_ALERTS) == []


def test_a_query_for_what_nobody_writes_is_found() -> None:
    renamed = _ALERTS.text.replace("'renewal.lapsed'", "'renewal.vanished'").replace("'sweep_runs'", "'sweep_all'")
    renamed = renamed.replace("'webhook.refused ", "'webhook.sent ")

    assert problems(Bicep(renamed)) == [
        "'eligibility-ending': no renewal.vanished",
        "'webhook-signatures': no webhook.sent",
        "'timers-stopped': no sweep_all",
    ]


def test_a_query_that_looks_at_everything_is_found() -> None:
    emptied = _ALERTS.text.replace("| where Message startswith 'renewal.review_due '\n", "")

    assert problems(Bicep(emptied)) == ["'review-due': names nothing"]


@each_shape
def test_one_timer_is_looked_for_of_each_app_that_has_any_and_none_of_an_app_that_is_not_deployed(shape: Shape) -> None:
    [given] = shape.main.made("modules/alerts.bicep").values()
    found = looked_for(_ALERTS, broker_apart=shape.main.of(given["brokerApart"]))
    working = [role for role in shape.expected if timers(role)]

    assert [len(timers(role) & set(found)) for role in working] == [1] * len(working)
    assert set(found) <= {name for role in working for name in timers(role)}
    assert Role.FRONT not in working


def test_a_timer_that_only_fails_is_as_good_as_none() -> None:
    [rule] = [one for one in rules(_ALERTS) if one["name"] == "'timers-stopped'"]

    assert rule["query"].strip("'\n").splitlines() == [
        "AppRequests",
        '| where Success and Name in ("{timers}")',
        "| summarize Running = dcount(Name)",
        "| where Running < {count}",
    ]
    assert _ALERTS.keys["query"] == (
        "replace(replace(rule.query, '{timers}', join(timers, '\", \"')), '{count}', string(length(timers)))"
    )


def test_each_of_what_somebody_must_hear_has_its_alert() -> None:
    assert [one["name"].strip("'") for one in rules(_ALERTS)] == [
        "renewal-missed",
        "eligibility-ending",
        "review-due",
        "onboarding-stuck",
        "webhook-signatures",
        "orchestrations-stuck",
        "timers-stopped",
        "look-today",
        "audit-broken",
    ]


def test_what_is_told_is_no_mere_information_but_where_its_absence_is_told() -> None:
    named = {event for rule in rules(_ALERTS) for event in _NAMED.findall(rule["query"])}

    assert {event for event in named if logged()[event] == "info"} == {"renewal.over", "night.over", "audit.sealed"}


def test_every_rule_is_complete_and_goes_to_the_people_named() -> None:
    for rule in rules(_ALERTS):
        always = {"name", "displayName", "description", "severity", "every", "over", "query"}
        assert set(rule) - {"lookBack"} == always
    assert "for rule in rules:" in _ALERTS.text
    assert "people.id" in _ALERTS.all_of("actionGroups")[0]
    assert "for (receiver, index) in receivers:" in _ALERTS.text
