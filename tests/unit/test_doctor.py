"""The doctor's facts against the sandbox's switches and the code; its findings, its report and its one way to the vendor."""

import importlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from shared.azure_permissions import AZURE_CALLS
from shared.credentials import Credentials
from shared.doctor import health
from shared.doctor.asking import Asker
from shared.doctor.azure_looks import AZURE_LOOKS
from shared.doctor.azure_requests import AZURE_REQUESTS
from shared.doctor.facts import LIVES_WITH_BOTH, Fact, Way
from shared.doctor.findings import (
    AS_PERSON,
    FACTS,
    Answer,
    Check,
    Finding,
    Report,
    barred,
    judge,
    left_to_app,
    likely,
    other,
    unsettled,
)
from shared.doctor.graph_looks import GRAPH_LOOKS
from shared.doctor.graph_requests import GRAPH_REQUESTS
from shared.doctor.report import as_json, as_text
from shared.errors import MissingIntent
from shared.permissions import CALLS, Call, Registration
from shared.settings import read_settings
from tests.sandbox.switches import AZURE_SWITCHES, SWITCHES
from tests.unit.environment import ENVIRONMENT

_NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
_PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
_LOOKS = [(look.facts, look.validates) for look in (*GRAPH_LOOKS, *GRAPH_REQUESTS)]
_LOOKS += [(look.facts, look.validates) for look in (*AZURE_LOOKS, *AZURE_REQUESTS)]
_WRITES = [call for call in (*CALLS, *AZURE_CALLS) if call.write or call.delegated]


def test_the_facts_are_the_sandboxs_switches() -> None:
    assert FACTS.keys() == SWITCHES.keys() | AZURE_SWITCHES.keys()


@pytest.mark.parametrize("fact", FACTS.values(), ids=lambda fact: fact.id)
def test_the_code_that_depends_on_a_fact_is_there(fact: Fact) -> None:
    assert fact.depends
    for named in fact.depends:
        module, _, path = named.partition(":")
        assert module.startswith("shared.")
        assert path
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            # A struct's field is a member, too, and so is what it declares without a default.
            found = getattr(found, part)


def test_every_fact_that_needs_no_change_has_one_look_and_no_other_has() -> None:
    looked_for = [fact for facts, _ in _LOOKS for fact in facts]

    assert sorted(looked_for) == sorted(one.id for one in FACTS.values() if one.way is not Way.CHANGE)


def test_what_is_validated_is_said_to_be() -> None:
    validated = {fact for facts, validates in _LOOKS if validates for fact in facts}

    assert validated == {one.id for one in FACTS.values() if one.way is Way.VALIDATION}


def test_what_only_a_change_settles_is_neither_the_apps_nor_a_persons() -> None:
    changes = [one for one in FACTS.values() if one.way is Way.CHANGE]

    assert {(one.takes_app, one.as_whom, one.id in AS_PERSON) for one in changes} == {("", "nobody", False)}


def test_a_person_is_told_of_each_fact_that_takes_the_app_why() -> None:
    left = {one.fact: one.told for one in left_to_app()}

    assert left.keys() == {one.id for one in FACTS.values() if one.way is not Way.CHANGE} - AS_PERSON
    assert all(FACTS[fact].takes_app in told for fact, told in left.items())


def test_what_takes_the_app_gives_a_person_nothing_to_do_and_yields_to_what_was_found() -> None:
    judged = {one.id: one for one in judge([*left_to_app(), likely("arm-pim-needs-owner", "taken")])}

    assert judged["past-start-refused"].answer is Answer.AS_APP
    assert judged["arm-pim-needs-owner"].answer is Answer.LIKELY
    assert Report(checks=(), facts=tuple(judged.values())).exit_code == 0


def test_the_most_telling_finding_of_several_places_counts() -> None:
    one, two, three = "past-start-refused", "renew-needs-expired", "synced-user-accepted"
    found = [*unsettled([one, three], "nothing"), likely(one, "taken"), likely(two, "taken"), other(two, "refused")]

    judged = {fact.id: fact for fact in judge([*found, *barred([three], "no consent")])}

    assert (judged[one].answer, judged[one].told) == (Answer.LIKELY, "taken")
    assert (judged[two].answer, judged[two].told) == (Answer.OTHER, "refused")
    assert (judged[three].answer, judged[three].told) == (Answer.BARRED, "no consent")
    assert [finding.answer for finding in judged[two].found] == [Answer.OTHER, Answer.LIKELY]


def test_what_only_a_change_settles_is_by_hand_whatever_was_found() -> None:
    [fact] = [one for one in judge([]) if one.id == "second-job-post"]

    assert fact.answer is Answer.BY_HAND
    assert fact.told == f"{LIVES_WITH_BOTH}. By hand: {FACTS['second-job-post'].look}"


@pytest.mark.parametrize(
    ("found", "sound", "exit_code"),
    [
        ([], True, 0),
        ([], False, 1),
        ([likely("renew-needs-expired", "")], True, 0),
        ([other("renew-needs-expired", "")], True, 0),
        ([other("arm-pim-needs-owner", "")], True, 1),
        (barred(["renew-needs-expired"], "no consent"), True, 1),
        (unsettled(["renew-needs-expired"], "nothing"), True, 0),
    ],
    ids=["nothing", "unsound", "likely", "lived-with", "to-set", "barred", "open"],
)
def test_the_exit_code_is_one_when_a_person_has_to_do_something(
    found: list[Finding], *, sound: bool, exit_code: int
) -> None:
    report = Report(checks=(Check(name="clock", sound=sound, told="told", do="set it"),), facts=judge(found))

    assert report.exit_code == exit_code


def test_the_report_tells_every_fact_with_its_code_and_what_to_do() -> None:
    checks = (Check(name="clock", sound=False, told="99 seconds", do="set the clock"),)
    report = Report(checks=checks, facts=judge([other("arm-pim-needs-owner", "refused with 403")]))

    text, whole = as_text(report), msgspec.json.decode(as_json(report))

    assert "BAD clock: 99 seconds" in text
    assert all(one.id in text and all(code in text for code in one.depends) for one in FACTS.values())
    assert text.endswith(f"TO DO\n  - set the clock\n  - {FACTS['arm-pim-needs-owner'].then}")
    assert whole["exitCode"] == 1
    assert whole["toDo"] == ["set the clock", FACTS["arm-pim-needs-owner"].then]
    assert [one["id"] for one in whole["facts"]] == list(FACTS)


@pytest.mark.parametrize("call", _WRITES, ids=lambda call: f"{call.method} {call.path}")
async def test_no_write_of_the_permission_tables_can_be_asked(call: Call) -> None:
    """Before a token is asked for: nothing leaves."""
    async with httpx.AsyncClient() as http:
        settings = read_settings(ENVIRONMENT)
        asker = Asker(settings, Credentials(settings), http)

        with pytest.raises(MissingIntent):
            await asker.ask(call, call.registrations[0], settings.source_tenant_id)
        with pytest.raises(MissingIntent):
            await asker.ask(call, Registration.LOOKUP, settings.source_tenant_id, as_stranger=True)


def test_references_that_were_not_replaced_are_not_looked_at_and_no_failure() -> None:
    left, none = health.references(["all", "@Microsoft.KeyVault(SecretUri=https://v/s)"]), health.references(["all"])

    assert (left.sound, left.told) == (True, "not looked at: references are resolved inside of the app alone")
    assert (none.sound, none.told) == (True, "there is no reference left")


@pytest.mark.parametrize(("date", "sound"), [("08:59:00", True), ("09:01:59", True), ("09:03:00", False)])
def test_a_clock_more_than_two_minutes_off_is_unsound(date: str, *, sound: bool) -> None:
    assert health.clock_skew(f"Mon, 02 Mar 2026 {date} GMT", _NOW).sound is sound


def test_docs_doctor_lists_the_facts() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.+?) \| (.+?) \| (.+?) \|$", _PAGE.read_text(), re.MULTILINE)

    assert rows == [(one.id, one.question, one.way.value, one.as_whom) for one in FACTS.values()]
