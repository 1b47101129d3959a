"""What goes out says what the alarm says: small, without persons, and told once a day."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identifiers import ObjectId, TenantId
from shared.notify import views
from shared.notify.notices import BODY_BYTES, DO, WHAT, Destination, Kept, Kind, Notice, message_id, payload
from shared.notify.teams import card

_URL = "https://app.example"
_AT = datetime(2026, 3, 2, 2, 35, 7, tzinfo=UTC)
_TENANT, _PRINCIPAL = TenantId("aaaaaaaa-0000-4000-8000-00000000000a"), ObjectId("bbbbbbbb-0000-4000-8000-00000000000b")
_AT_RISK = Notice(
    kind=Kind.AT_RISK,
    at=_AT,
    tenant_id=_TENANT,
    principal_id=_PRINCIPAL,
    why="MfaOnEligibility",
    end=_AT + timedelta(9),
)


def test_a_webhook_says_what_happened_to_which_tenant_and_what_to_do() -> None:
    assert json.loads(payload(_AT_RISK, _URL)) == {
        "type": "renewal.at_risk",
        "timestamp": "2026-03-02T02:35:07Z",
        "data": {
            "tenantId": _TENANT,
            "what": WHAT[Kind.AT_RISK],
            "do": DO[Kind.AT_RISK],
            "href": f"https://app.example/api/tenants/{_TENANT}",
            "principalId": _PRINCIPAL,
            "why": "MfaOnEligibility",
            "end": "2026-03-11T02:35:07Z",
        },
    }


def test_a_card_is_a_message_that_opens_the_record_and_does_no_more() -> None:
    message = json.loads(card(_AT_RISK, _URL))

    [attachment] = message["attachments"]
    content = attachment["content"]
    facts = {fact["title"]: fact["value"] for fact in content["body"][1]["facts"]}
    assert (message["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert (content["type"], content["version"]) == ("AdaptiveCard", "1.5")
    assert [one["text"] for one in content["body"] if one["type"] == "TextBlock"] == [
        WHAT[Kind.AT_RISK],
        DO[Kind.AT_RISK],
    ]
    assert facts == {
        "Alarm": "renewal.at_risk",
        "Tenant": _TENANT,
        "Principal": _PRINCIPAL,
        "Why": "MfaOnEligibility",
        "Ends": "2026-03-11 02:35 UTC",
        "Told": "2026-03-02 02:35 UTC",
    }
    assert [(one["type"], one["url"]) for one in content["actions"]] == [
        ("Action.OpenUrl", f"https://app.example/api/tenants/{_TENANT}")
    ]


@pytest.mark.parametrize("kind", Kind)
def test_every_alarm_has_its_words(kind: Kind) -> None:
    notice = Notice(kind=kind, at=_AT, tenant_id=_TENANT)

    assert WHAT[kind] in payload(notice, _URL)
    assert DO[kind] in card(notice, _URL)


@given(kind=st.sampled_from(Kind), why=st.text(max_size=5000), registration=st.sampled_from(["Tenantry Access", None]))
def test_whatever_code_a_vendor_gives_a_message_stays_small(kind: Kind, why: str, registration: str | None) -> None:
    notice = Notice(
        kind=kind, at=_AT, end=_AT, tenant_id=_TENANT, principal_id=_PRINCIPAL, registration=registration, why=why
    )

    assert len(payload(notice, _URL).encode()) < BODY_BYTES
    assert len(card(notice, _URL).encode()) < BODY_BYTES


def test_the_same_fact_on_the_same_day_is_the_same_message_and_another_is_not() -> None:
    day, webhook = date(2026, 3, 2), Destination.WEBHOOK
    later = Notice(
        kind=Kind.AT_RISK, at=_AT + timedelta(hours=3), tenant_id=_TENANT, principal_id=_PRINCIPAL, why="GivenUp"
    )
    others = [
        message_id(date(2026, 3, 3), _AT_RISK, webhook),
        message_id(day, _AT_RISK, Destination.TEAMS),
        message_id(day, Notice(kind=Kind.LAPSED, at=_AT, tenant_id=_TENANT, principal_id=_PRINCIPAL), webhook),
        message_id(day, Notice(kind=Kind.AT_RISK, at=_AT, tenant_id=_TENANT), webhook),
        message_id(day, Notice(kind=Kind.AT_RISK, at=_AT, tenant_id=_TENANT, registration=_PRINCIPAL), webhook),
    ]

    known = message_id(day, _AT_RISK, webhook)
    assert known == message_id(day, later, webhook)
    assert "." not in known
    assert len({known, *others}) == 1 + len(others)


def kept(minutes: int, *, stopped: str = "", problem: str = "") -> Kept:
    told = _AT + timedelta(minutes=minutes)
    due = told + timedelta(hours=1)
    return Kept(
        id=f"msg_{minutes}",
        day=told.date(),
        destination=Destination.WEBHOOK,
        type=Kind.AT_RISK,
        told=told,
        since=told,
        due=due,
        body="{}",
        stopped=stopped,
        problem=problem,
    )


def test_a_destination_shows_what_is_left_since_when_and_why() -> None:
    some = [kept(5, problem="HTTP 503"), kept(0, stopped="refused", problem="HTTP 400"), kept(9)]

    seen = views.destination(Destination.WEBHOOK, some, configured=True, gone_since=None)

    assert (seen.undelivered, seen.stopped, seen.since) == (3, 1, _AT)
    assert (seen.next_try, seen.last_problem) == (_AT + timedelta(minutes=65), "HTTP 503")


def test_what_is_not_tried_has_no_next_try_and_an_empty_outbox_says_so() -> None:
    gone = views.destination(Destination.WEBHOOK, [kept(0)], configured=True, gone_since=_AT)
    unset = views.destination(Destination.WEBHOOK, [kept(0)], configured=False, gone_since=None)
    empty = views.destination(Destination.TEAMS, [], configured=True, gone_since=None)

    assert (gone.next_try, unset.next_try) == (None, None)
    assert (empty.undelivered, empty.since, empty.last_problem) == (0, None, None)
