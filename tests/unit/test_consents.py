"""Consents: single-use states, what came back, the proof."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identifiers import AppId
from shared.permissions import Registration
from shared.running.consents import (
    GRANT_SHOWS_WITHIN,
    after_proof,
    entra_link,
    find,
    first_links,
    new_state,
    pending,
    still_to_prove,
    tenant_of,
    unproved,
)
from tests.unit.making import HUNTING, NOON, TARGET, WANTED, consent, ids, record, tenant

_SETUP, _ACCESS, _HUNT = Registration.SETUP, Registration.ACCESS, Registration.HUNT
_LATER = NOON + timedelta(minutes=5)


def test_a_state_names_its_tenant() -> None:
    assert tenant_of(new_state(TARGET, ids())) == TARGET


@pytest.mark.parametrize(
    "state",
    [
        "",
        ".",
        TARGET,
        f"{TARGET}.",
        f".{TARGET}",
        f"{TARGET}.x",
        f"x.{TARGET}",
        f"{TARGET}.{TARGET}.{TARGET}",
        f"{TARGET.upper()}.{TARGET}",
        f"{TARGET}.{TARGET.upper()}",
        f" {TARGET}.{TARGET}",
        f"{TARGET}.{TARGET} ",
    ],
)
def test_what_was_never_a_state_of_ours_names_no_tenant(state: str) -> None:
    assert tenant_of(state) is None


@given(st.text())
def test_no_text_raises(text: str) -> None:
    assert tenant_of(text) is None
    assert find(tenant(consents={_SETUP: consent(_SETUP)}), text) is None


def test_a_state_finds_its_own_registration_only() -> None:
    setup, access = consent(_SETUP), consent(_ACCESS)
    there = tenant(consents={_SETUP: setup, _ACCESS: access})

    assert setup == find(there, setup.state)
    assert access == find(there, access.state)
    assert find(there, new_state(TARGET, ids())) is None


def test_a_consent_that_never_had_a_link_is_not_found_by_an_empty_state() -> None:
    assert find(tenant(consents={_SETUP: consent(_SETUP, state="")}), "") is None


def test_setup_is_asked_for_before_access() -> None:
    setup, access = consent(_SETUP), consent(_ACCESS)

    assert setup == pending(tenant(consents={_ACCESS: access, _SETUP: setup}))
    assert access == pending(tenant(consents={_ACCESS: access, _SETUP: consent(_SETUP, proved=NOON)}))
    assert pending(tenant(consents={_SETUP: consent(_SETUP, proved=NOON)})) is None


def test_proof_spends_the_state_once() -> None:
    there = tenant(consents={_SETUP: consent(_SETUP, answered=NOON, problem="x")})

    change = after_proof(there, {_SETUP: ("a",)}, {}, _LATER, ids())

    assert change is not None
    assert [consent(_SETUP, answered=NOON, proved=_LATER)] == list(change.consents)
    assert change.record.granted == {"Tenantry Setup": ("a",)}
    proved = tenant(record=change.record, consents={_SETUP: change.consents[0]})
    assert after_proof(proved, {_SETUP: ("a",)}, {}, _LATER, ids()) is None


def test_a_grant_without_our_link_is_proved_all_the_same() -> None:
    """Consent given in the portal, or long ago."""
    change = after_proof(tenant(), {_SETUP: ("a",)}, {}, NOON, ids())

    assert change is not None
    assert change.consents[0].proved == NOON
    assert change.consents[0].state == ""


def test_what_was_proved_and_is_lacking_again_gets_a_new_state() -> None:
    old = consent(_SETUP, proved=NOON)

    change = after_proof(tenant(consents={_SETUP: old}), {}, {_SETUP: ("a",)}, _LATER, ids())

    assert change is not None
    [new] = change.consents
    assert new.state != old.state
    assert (new.answered, new.proved) == (None, None)


def test_an_unanswered_link_is_left_as_it_is() -> None:
    assert after_proof(tenant(consents={_SETUP: consent(_SETUP)}), {}, {_SETUP: ("a",)}, _LATER, ids()) is None


def test_an_answer_whose_grant_never_shows_becomes_a_problem_that_names_what_is_missing() -> None:
    there = tenant(consents={_SETUP: consent(_SETUP, answered=NOON)})

    assert after_proof(there, {}, {_SETUP: ("Policy.Read.All",)}, NOON + GRANT_SHOWS_WITHIN, ids()) is None
    late = after_proof(there, {}, {_SETUP: ("Policy.Read.All",)}, NOON + GRANT_SHOWS_WITHIN * 2, ids())

    assert late is not None
    assert late.consents[0].answered is None
    assert "Policy.Read.All" in late.consents[0].problem


def test_an_answer_is_worth_waiting_for_as_long_as_its_grant_may_show() -> None:
    there = tenant(consents={_SETUP: consent(_SETUP, answered=NOON), _ACCESS: consent(_ACCESS)})

    assert still_to_prove(there, [_SETUP, _ACCESS], NOON + GRANT_SHOWS_WITHIN)
    assert not still_to_prove(there, [_SETUP, _ACCESS], NOON + GRANT_SHOWS_WITHIN + timedelta(seconds=1))
    assert not still_to_prove(there, [_ACCESS], NOON)
    assert not still_to_prove(tenant(), [_SETUP], NOON)


@given(st.text(min_size=1, max_size=40))
def test_the_link_to_entra_carries_each_value_whole(state: str) -> None:
    link = entra_link(
        "https://login.example", TARGET, AppId("app"), "https://graph.example/.default", "https://a/b?c=d", state
    )

    asked = parse_qs(urlsplit(link).query)
    assert f"/{TARGET}/v2.0/adminconsent" == urlsplit(link).path
    assert {
        "client_id": ["app"],
        "scope": ["https://graph.example/.default"],
        "redirect_uri": ["https://a/b?c=d"],
        "state": [state],
    } == asked


def test_first_links_are_as_many_as_registrations_asked_for_and_all_different() -> None:
    links = first_links(TARGET, HUNTING, NOON, ids())

    assert [one.registration for one in links] == [_SETUP, _ACCESS, _HUNT]
    assert all(tenant_of(one.state) == TARGET for one in links)
    assert len({one.state for one in links}) == len(links)
    assert [one.registration for one in first_links(TARGET, WANTED, NOON, ids())] == [_SETUP, _ACCESS]


def test_a_consent_that_is_not_wanted_any_more_is_not_asked_for() -> None:
    rows = {one: consent(one) for one in (_ACCESS, _HUNT)}
    hunted = tenant(record=record(wanted=HUNTING), consents=rows)

    assert unproved(hunted) == [_ACCESS, _HUNT]
    assert unproved(tenant(consents=rows)) == [_ACCESS]
    assert pending(tenant(consents={_HUNT: consent(_HUNT)})) is None
