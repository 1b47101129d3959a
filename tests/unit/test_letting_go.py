"""What a run that lets a tenant go has left to do, what it needs, and what the record looks like at its ends."""

from typing import Any

import msgspec
import pytest

from shared.eligibility.record import Eligibility, eligibility_key
from shared.identifiers import ObjectId
from shared.permissions import SECURITY_READER, Registration
from shared.running.acts import ACTS
from shared.running.closing import forgotten
from shared.running.leftovers import group_assigned, left_by
from shared.running.needs import asked_for, must_be_proved, shown_acts, unrecorded, will_need
from shared.running.opening import has_begun, next_record
from shared.running.planning import acts_left, goal_state, plan
from shared.running.starting import Offboarding, Verdict, continued, goal_of, on_delete, on_post, on_retry, payload_of
from shared.subjects import NOTHING, Intent, intent_key
from shared.tenants.record import Act, ActState, Goal, Left, Skipped, Synchronization, Tenant
from shared.tenants.states import RESTING, State
from tests.unit.making import (
    ANA,
    BEN,
    NOON,
    SOURCE,
    TARGET,
    WANTED,
    act,
    analyst,
    consent,
    ids,
    intent,
    payload,
    record,
    run,
    tenant,
)

_ACCOUNT = ObjectId("33333333-0000-4000-8000-000000000003")
_ALL = (21, 22, 24, 25, 26, 27)
_LEFT = Left(act=21, what="x", why="x")
_SKIPPED = Skipped(act=26, where=SOURCE, what="x", why="x", before="x", left="x", now="x")


def leaving(**parts: Any) -> Tenant:
    """A tenant on its way out."""
    state = parts.pop("state", State.OFFBOARDING)
    changes = parts.pop("record", {})
    return tenant(state, record=record(state, goal=Goal.OFFBOARDING, **changes), **parts)


def acts(**states: ActState) -> dict[int, Act]:
    return {int(name.removeprefix("a")): act(int(name.removeprefix("a")), state) for name, state in states.items()}


def eligibility(principal: ObjectId = _ACCOUNT, **changes: Any) -> dict[str, Eligibility]:
    row = Eligibility(
        principal_id=principal,
        role_definition_id=SECURITY_READER,
        analyst_id=ANA,
        schedule_id="s",
        end=None,
        wanted_days=180,
    )
    return {eligibility_key(principal, SECURITY_READER): msgspec.structs.replace(row, **changes)}


def written(kind: str, number: int, *, where: str = TARGET, outcome: str = "done", **arguments: str) -> Intent:
    return msgspec.structs.replace(intent(number), kind=kind, where=where, outcome=outcome, arguments=arguments)


@pytest.mark.parametrize("state", State)
def test_a_delete_begins_where_nothing_runs(state: State) -> None:
    verdict = on_delete(tenant(state)).verdict

    if state is State.OFFBOARDED:
        assert verdict is Verdict.UNCHANGED
    else:
        assert (verdict is Verdict.START) == (state is State.READY or state in RESTING)


@pytest.mark.parametrize("state", sorted(RESTING))
def test_what_rests_on_its_way_out_is_not_onboarded(state: State) -> None:
    there = leaving(state=state)

    assert on_post(there, WANTED).verdict is Verdict.LEAVING
    assert on_retry(there).verdict is Verdict.CONTINUE
    assert on_delete(there).verdict is Verdict.START
    assert goal_of(continued(there.record)) is Goal.OFFBOARDING
    assert on_post(tenant(State.OFFBOARDED), WANTED).verdict is Verdict.START
    assert on_retry(tenant(State.OFFBOARDED)).verdict is Verdict.WRONG_STATE


def test_all_acts_are_done_in_their_order_but_those_that_are_done() -> None:
    assert acts_left(leaving()) == _ALL
    assert acts_left(leaving(acts=acts(a21=ActState.DONE, a22=ActState.DONE, a24=ActState.WAITING))) == _ALL[2:]
    assert goal_state(leaving()) is State.OFFBOARDED
    assert plan(leaving(analysts={ANA: analyst(leaving=NOON)}), change=False).analysts == ()


def test_a_consent_is_proved_first_only_where_an_act_has_missed_it() -> None:
    asked = acts(a1=ActState.PENDING, a27=ActState.WAITING, a21=ActState.DONE, a22=ActState.DONE)

    assert acts_left(leaving(acts=asked)) == (1, 24, 25, 26, 27)
    assert acts_left(leaving(acts=asked, record={"target_by_kit": True})) == (24, 25, 26, 27)
    assert acts_left(leaving(acts=acts(a1=ActState.PENDING, a27=ActState.PENDING))) == _ALL
    assert acts_left(leaving(acts=acts(a1=ActState.DONE, a27=ActState.WAITING))) == _ALL


def test_only_the_consent_that_was_missed_is_waited_for() -> None:
    both = (Registration.SETUP, Registration.ACCESS)

    assert must_be_proved(leaving(acts=acts(a21=ActState.WAITING)), both) == (Registration.ACCESS,)
    assert must_be_proved(leaving(acts=acts(a27=ActState.WAITING)), both) == (Registration.SETUP,)
    assert must_be_proved(leaving(acts=acts(a27=ActState.WAITING)), [Registration.ACCESS]) == ()
    assert must_be_proved(tenant(), both) == both


def test_a_consent_is_needed_only_for_what_was_written() -> None:
    account = analyst(target_object_id=_ACCOUNT)
    trust = {"k": written("trust_source", 3)}

    assert will_need(tenant()) == ()
    assert will_need(tenant(analysts={ANA: account})) == (Registration.ACCESS,)
    assert will_need(tenant(eligibilities=eligibility())) == (Registration.ACCESS,)
    assert will_need(tenant(intents=trust)) == (Registration.SETUP,)
    assert will_need(tenant(intents={"k": written("trust_source", 3, outcome="refused: x")})) == ()
    assert will_need(tenant(intents={"k": written("trust_target", 5, where=SOURCE)})) == ()
    gone = acts(a21=ActState.DONE, a24=ActState.DONE, a27=ActState.DONE)
    assert will_need(leaving(analysts={ANA: account}, intents=trust, acts=gone)) == ()
    assert asked_for(leaving(intents=trust)) == (Registration.SETUP,)


def test_when_a_leave_begins_everybody_leaves_and_nothing_of_an_earlier_one_counts() -> None:
    there = tenant(
        State.READY,
        record=record(State.READY, left_to_kit=(_LEFT,), skipped=(_SKIPPED,)),
        analysts={ANA: analyst(), BEN: analyst(BEN, leaving=NOON)},
        acts=acts(a12=ActState.WAITING, a21=ActState.DONE, a27=ActState.DONE),
        consents={Registration.SETUP: consent(Registration.SETUP, proved=NOON)},
        intents={"k": written("trust_source", 3)},
    )

    change = next_record(there, run(2, "nonce-2"), Offboarding(), NOON, ids())

    assert (change.record.state, change.record.goal) == (State.OFFBOARDING, Goal.OFFBOARDING)
    assert (change.record.left_to_kit, change.record.skipped) == ((), ())
    assert [(one.object_id, one.leaving) for one in change.analysts] == [(ANA, NOON)]
    assert {(one.number, one.state) for one in change.acts} == {(number, ActState.PENDING) for number in (12, 21, 27)}
    [asked] = change.consents
    assert (asked.registration, asked.proved, asked.created) == (Registration.SETUP, None, NOON)


@pytest.mark.parametrize("by_kit", [False, True])
def test_a_link_that_is_still_out_is_not_replaced_and_with_the_kit_none_is_made(*, by_kit: bool) -> None:
    out = {} if by_kit else {Registration.SETUP: consent(Registration.SETUP)}
    there = tenant(State.FAILED, consents=out, intents={"k": written("trust_source", 3)})

    assert list(next_record(there, run(2, "n"), Offboarding(by_kit=by_kit), NOON, ids()).consents) == []


def test_a_leave_that_goes_on_keeps_what_is_done_and_asked_for() -> None:
    there = leaving(
        state=State.WAITING_FOR_CONSENT,
        record={"left_to_kit": (_LEFT,), "skipped": (_SKIPPED,)},
        acts=acts(a21=ActState.DONE),
        analysts={ANA: analyst(leaving=NOON)},
        consents={Registration.SETUP: consent(Registration.SETUP, answered=NOON)},
        intents={"k": written("trust_source", 3)},
    )

    change = next_record(there, run(2, "n"), continued(there.record), NOON, ids())

    assert (change.record.left_to_kit, change.record.skipped) == ((_LEFT,), (_SKIPPED,))
    assert (list(change.acts), list(change.analysts), list(change.consents)) == ([], [], [])
    assert has_begun(leaving(analysts={ANA: analyst(leaving=NOON)}), run(), Offboarding())
    assert not has_begun(leaving(), run(), Offboarding())


@pytest.mark.parametrize(("removed", "again"), [(ActState.DONE, {21, 27}), (ActState.PENDING, {21, 24, 27})])
def test_once_the_kit_is_given_up_what_was_left_to_it_is_tried_again(removed: ActState, again: set[int]) -> None:
    left = tuple(Left(act=number, what="x", why="x") for number in (21, 24, 27))
    there = leaving(
        state=State.CANCELLED,
        record={"left_to_kit": left, "target_by_kit": True},
        acts=acts(a21=ActState.DONE, a24=ActState.DONE, a25=removed, a27=ActState.DONE),
    )

    change = next_record(there, run(2, "n"), Offboarding(), NOON, ids())
    kept = next_record(there, run(2, "n"), Offboarding(by_kit=True), NOON, ids())

    assert {one.number for one in change.acts} == again
    assert {one.act for one in change.record.left_to_kit} == {21, 24, 27} - again
    assert (list(kept.acts), kept.record.left_to_kit) == ([], left)


def test_an_onboarding_after_it_starts_clean() -> None:
    there = leaving(
        state=State.OFFBOARDED,
        record={"left_to_kit": (_LEFT,), "skipped": (_SKIPPED,), "target_by_kit": True},
        analysts={},
        acts=acts(a1=ActState.DONE, a27=ActState.DONE),
        consents={Registration.SETUP: consent(Registration.SETUP, proved=NOON)},
    )

    change = next_record(there, run(2, "n"), payload(), NOON, ids())

    kept = change.record
    assert (kept.goal, kept.left_to_kit, kept.skipped, kept.target_by_kit) == (Goal.ONBOARDING, (), (), False)
    assert kept.trust_asked == kept.wanted.trust
    assert {one.proved for one in change.consents} == {None}
    assert len(change.consents) == 2
    assert {one.state for one in change.acts} == {ActState.PENDING}


def test_in_the_end_all_is_forgotten_but_the_record_and_its_acts() -> None:
    there = leaving(
        record={"synchronization": Synchronization(name="x"), "left_to_kit": (_LEFT,)},
        analysts={ANA: analyst(leaving=NOON)},
        eligibilities=eligibility(),
        intents={"k": intent(3)},
        acts=acts(a21=ActState.DONE),
    )

    change = forgotten(there)

    assert change is not None
    assert (change.record.synchronization, change.record.left_to_kit) == (None, (_LEFT,))
    assert list(change.forgotten_analysts) == [ANA]
    assert list(change.forgotten_eligibilities) == list(eligibility())
    assert list(change.forgotten_intents) == ["k"]
    assert list(change.acts) == []
    assert forgotten(leaving(analysts={})) is None


def test_the_record_shows_the_acts_of_where_it_leads() -> None:
    waiting = leaving(state=State.WAITING_FOR_CONSENT, acts=acts(a1=ActState.PENDING, a27=ActState.WAITING))
    with_leavers = tenant(acts=acts(a21=ActState.DONE, a24=ActState.PENDING))

    assert tuple(one.number for one in shown_acts(leaving())) == _ALL
    assert tuple(one.number for one in shown_acts(waiting)) == (1, *_ALL)
    assert [one.number for one in shown_acts(with_leavers)] == [*(one.number for one in ACTS), 21]


def test_what_was_asked_for_a_leaver_and_not_recorded_is_looked_at() -> None:
    found = {"k": written("security_reader", 9, analyst=ANA)}
    asked = {"k": msgspec.structs.replace(found["k"], before=NOTHING)}
    refused = {"k": written("security_reader", 9, outcome="refused: x", analyst=ANA)}
    by_group = {
        "k": msgspec.structs.replace(written("group_security_reader", 9, group=_ACCOUNT), before=NOTHING),
    }
    leaver = {ANA: analyst(target_object_id=_ACCOUNT, leaving=NOON)}

    assert [one.principal_id for one in unrecorded(tenant(intents=asked, analysts=leaver))] == [_ACCOUNT]
    assert unrecorded(tenant(intents=asked, analysts=leaver, eligibilities=eligibility())) == []
    assert unrecorded(tenant(intents=refused, analysts=leaver)) == []
    assert unrecorded(tenant(intents=found, analysts=leaver)) == [], "somebody else's"
    assert unrecorded(tenant(intents=asked, analysts={ANA: analyst(target_object_id=_ACCOUNT)})) == []
    assert unrecorded(tenant(intents=by_group)) == []
    assert [(one.principal_id, one.analyst_id) for one in unrecorded(leaving(intents=by_group))] == [(_ACCOUNT, None)]


def test_what_is_left_is_told_by_what_is_known() -> None:
    leavers = {ANA: analyst(target_object_id=_ACCOUNT, leaving=NOON), BEN: analyst(BEN, leaving=NOON)}
    there = leaving(analysts=leavers, eligibilities=eligibility())

    held, accounts = left_by(there, SOURCE, 21, "y"), left_by(there, SOURCE, 24, "y")

    assert held is not None
    assert accounts is not None
    assert (held.objects, accounts.objects) == ((_ACCOUNT,), (_ACCOUNT,))
    assert accounts.what == "accounts of Ana Analyst, Ana Analyst"
    assert left_by(there, SOURCE, 27, "y") is None
    assert left_by(leaving(analysts={}), SOURCE, 24, "y") is None
    assert left_by(leaving(eligibilities=eligibility(plain=True)), SOURCE, 21, "y") is None
    assert group_assigned(leaving(eligibilities=eligibility(plain=True))) is None
    assert group_assigned(leaving(eligibilities=eligibility(plain=True, analyst_id=None))) is not None


_BARE = {"tenantId": SOURCE}
_TRUSTED = {**_BARE, "inboundTrust": {"isMfaAccepted": True}, "automaticUserConsentSettings": {"inboundAllowed": True}}


def kept(name: str, before: object, after: object, number: int, **changes: Any) -> dict[str, Intent]:
    """An intent on the target's side, with its images."""
    object_name = f"{name} {SOURCE}"
    raw = [msgspec.Raw(msgspec.json.encode(one)) for one in (before, after)]
    row = msgspec.structs.replace(
        intent(number), object_name=object_name, before=raw[0], after=raw[1], outcome="done", **changes
    )
    return {intent_key(TARGET, object_name): row}


def test_the_commands_put_back_what_was_written_and_delete_what_was_made() -> None:
    made = kept("partner", None, _BARE, 3)
    settings = kept("partner settings", _BARE, _TRUSTED, 3)
    sync = kept("identity synchronization", None, {"userSyncInbound": {"isSyncAllowed": True}}, 4)
    theirs = kept("identity synchronization", {"displayName": "x"}, {"userSyncInbound": {"isSyncAllowed": True}}, 4)

    def told(**parts: Any) -> list[tuple[str, str, str]]:
        left = left_by(leaving(**parts), SOURCE, 27, "y")
        undo = left.undo if left else ()
        return [(one.method, one.path.rpartition("/")[2].replace(SOURCE, "{S}"), one.body) for one in undo]

    assert told(intents={**made, **settings, **sync}) == [
        ("DELETE", "identitySynchronization", ""),
        ("DELETE", "{S}", ""),
    ]
    assert told(intents={**settings, **theirs}) == [
        ("PATCH", "identitySynchronization", '{"userSyncInbound":{"isSyncAllowed":false}}'),
        ("PATCH", "{S}", '{"automaticUserConsentSettings":null,"inboundTrust":null}'),
    ]
    unseen = kept("partner settings", _TRUSTED, None, 3)
    assert told(intents=unseen)[0][0] == "PATCH"
    assert told(intents=kept("partner settings", _BARE, _BARE, 27)) == []
    assert told(intents=kept("partner", None, None, 3) | {}) == [("DELETE", "{S}", "")]


def test_the_payload_of_a_leave_is_read_again_as_it_was() -> None:
    told = Offboarding(by_kit=True, only_from=State.WAITING_FOR_CONSENT)
    row = msgspec.structs.replace(run(), kind="offboarding", wanted=msgspec.Raw(msgspec.json.encode(told)))

    assert payload_of(row) == told
