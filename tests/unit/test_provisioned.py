"""What provisioning told: the on-demand answer's inner JSON, and the provisioning log."""

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.graph.sync_shapes import LogEntry
from shared.identifiers import ObjectId
from shared.writes.provisioned import Provisioned, advice, fits, told_by_log, told_on_demand
from tests.unit.making import ANA, BEN, NOON, analyst

_ACCOUNT = ObjectId("33333333-0000-4000-8000-000000000003")


def entry(minutes: int, status: str = "success", target: str | None = _ACCOUNT, **more: Any) -> LogEntry:
    error = {"errorCode": more.get("code"), "reason": more.get("reason")} if more.get("code") else None
    wire = {
        "activityDateTime": NOON + timedelta(minutes=minutes),
        "jobId": "job",
        "sourceIdentity": {"id": more.get("source", ANA)},
        "targetIdentity": {"id": target},
        "provisioningStatusInfo": {"status": status, "errorInformation": error},
    }
    return msgspec.convert(msgspec.to_builtins(wire), type=LogEntry, strict=False)


@pytest.mark.parametrize("shape", [lambda inner: inner, lambda inner: [inner]], ids=["object", "list"])
def test_the_account_s_id_is_taken_where_it_is_told(shape: Any) -> None:
    told = told_on_demand(json.dumps(shape({"targetIdentity": {"id": _ACCOUNT.upper()}})), ANA)

    assert Provisioned(target_object_id=_ACCOUNT) == told
    assert not told.refused


@pytest.mark.parametrize(
    "inner",
    [
        {"provisioningSteps": [{"name": "scope", "status": "skipped", "details": {"SkipReason": "NotInScope"}}]},
        {"statusInfo": {"status": "Skipped", "errorCode": "NotInScope", "reason": "not assigned"}},
        {"provisioningSteps": [{"status": "Success"}, {"status": "Failure", "errorCode": "NotInScope"}]},
    ],
)
def test_a_skipped_or_failed_user_has_the_reason_and_an_advice(inner: dict[str, Any]) -> None:
    told = told_on_demand(json.dumps(inner), ANA)

    assert told.refused
    assert told.code == "NotInScope"
    assert "onboard" in advice(told.code)


def test_an_account_that_is_there_already_is_no_refusal() -> None:
    inner = {"provisioningSteps": [{"status": "Skipped", "errorCode": "RedundantExport"}]}

    assert not told_on_demand(json.dumps(inner), ANA).refused


def test_a_failure_without_a_name_is_still_a_refusal() -> None:
    assert told_on_demand(json.dumps({"provisioningSteps": [{"status": "Failure"}]}), ANA).code == "Unknown"


@pytest.mark.parametrize("text", ["", "not json", "[]", "null", "7", '"text"', '{"targetIdentity":{"id":"x"}}'])
def test_what_cannot_be_read_tells_nothing(text: str) -> None:
    assert Provisioned() == told_on_demand(text, ANA)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["targetIdentity", "id", "provisioningSteps", "statusInfo", "status", "details", "errorCode"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_no_inner_json_raises(inner: object) -> None:
    """The shape of the inner JSON is documented by samples only."""
    told = told_on_demand(json.dumps(inner), ANA)

    assert isinstance(told.code, str)


def test_the_newest_entry_of_the_log_about_the_analyst_counts() -> None:
    entries = [
        entry(1, "failure", None, code="Busy"),
        entry(9, "failure", None, code="Other", source=BEN),
        entry(5),
    ]

    assert Provisioned(target_object_id=_ACCOUNT) == told_by_log(entries, ANA, NOON)


def test_the_log_says_nothing_about_somebody_it_does_not_name() -> None:
    assert told_by_log([], ANA, NOON) is None
    assert told_by_log([entry(1, source=BEN)], ANA, NOON) is None


def test_a_refusal_in_the_log_has_its_code_and_reason() -> None:
    told = told_by_log([entry(1, "skipped", None, code="UnsupportedSmsSignInUser", reason="sms")], ANA, NOON)

    assert told is not None
    assert (told.code, told.reason, told.refused) == ("UnsupportedSmsSignInUser", "sms", True)


def test_a_redundant_export_in_the_log_is_success() -> None:
    told = told_by_log([entry(1, "skipped", _ACCOUNT, code="RedundantExport")], ANA, NOON)

    assert Provisioned(target_object_id=_ACCOUNT) == told


def test_every_code_has_an_advice_that_says_how_to_go_on() -> None:
    assert all("retry" in advice(code) or "onboard" in advice(code) for code in ("", "NotInScope", "Whatever"))


def test_an_assignment_that_is_not_seen_yet_is_no_refusal() -> None:
    inner = {"provisioningSteps": [{"status": "Skipped", "errorCode": "NotEffectivelyEntitled"}]}

    told = told_on_demand(json.dumps(inner), ANA)

    assert (told.premature, told.refused) == (True, False)


def test_an_answer_about_somebody_else_tells_nothing() -> None:
    inner = {"sourceIdentity": {"id": BEN}, "targetIdentity": {"id": _ACCOUNT}}

    assert told_on_demand(json.dumps(inner), ANA) == Provisioned()
    assert told_on_demand(json.dumps(inner), BEN).target_object_id == _ACCOUNT


def test_an_account_that_an_older_entry_tells_of_may_be_gone() -> None:
    assert told_by_log([entry(1), entry(5, "failure", None, code="Gone")], ANA, NOON) == Provisioned(code="Gone")


@pytest.mark.parametrize(
    ("name", "mail", "is_hers"),
    [
        ("ana_contoso.com#EXT#@fabrikam.onmicrosoft.com", "", True),
        ("ANA_CONTOSO.COM#EXT#@fabrikam.onmicrosoft.com", "", True),
        ("a.analyst_contoso.com#EXT#@fabrikam.onmicrosoft.com", "a.analyst@contoso.com", True),
        ("a.analyst_contoso.com#EXT#@fabrikam.onmicrosoft.com", "", True),
        ("renamed#EXT#@fabrikam.onmicrosoft.com", "ana@contoso.com", True),
        ("ben_contoso.com#EXT#@fabrikam.onmicrosoft.com", "ben@contoso.com", False),
        ("ben_contoso.com#EXT#@fabrikam.onmicrosoft.com", "", False),
        # An account of the target's own is nobody's of the source, whatever its mail says.
        ("ana@fabrikam.com", "ana@contoso.com", False),
        ("admin@fabrikam.com", "", False),
    ],
)
def test_only_an_external_account_of_the_analyst_s_name_or_mail_is_theirs(name: str, mail: str, is_hers: bool) -> None:  # noqa: FBT001
    ana = analyst(mail="a.analyst@contoso.com")

    assert fits(name, mail, ana) == is_hers


def test_an_analyst_without_a_mail_is_not_everybody_without_one() -> None:
    assert not fits("x#EXT#@fabrikam.onmicrosoft.com", "", analyst())


def test_what_the_log_said_before_this_was_asked_for_does_not_count() -> None:
    """Last run's refusal, put right since, would leave out somebody whose account is being made."""
    earlier, own = entry(0, "skipped", None, code="UnsupportedSmsSignInUser"), entry(31)

    assert told_by_log([earlier], ANA, NOON + timedelta(minutes=30)) is None
    assert told_by_log([earlier, own], ANA, NOON + timedelta(minutes=30)) == Provisioned(target_object_id=_ACCOUNT)
