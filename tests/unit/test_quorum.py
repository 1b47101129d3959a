"""What it takes for the broker: whose word counts, by which way, and what is still missing."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.activation.brokered import is_to_grant, ruled
from shared.activation.cost import Estimate, Line
from shared.activation.quorum import Said, Terms, missing, terms_of
from shared.activation.record import Request, RequestId, State, Verdict, Voice
from shared.activation.rulings import Code, Judgement, Ruling
from shared.arm.activation_shapes import AskedActivation
from shared.arm.broker import Broker
from shared.azure_permissions import STORAGE_ACCOUNT_CONTRIBUTOR, VM_CONTRIBUTOR, azure_actions
from shared.broker_permissions import BROKER_CALLS, broker_actions
from shared.errors import RoleNotAllowed
from shared.identifiers import ObjectId, SubscriptionId, TenantId
from shared.permissions import Registration
from shared.privileged import OpenIntent
from shared.subscriptions.lockdown import ApprovalMode, LockDown, MoneyRules, Principals, Quorum

FIONA, FRANK, IVAN, EMIL = (ObjectId(name) for name in ("fiona", "frank", "ivan", "emil"))
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

people = st.sampled_from([FIONA, FRANK, IVAN])
said = st.builds(
    Said, by=people, approves=st.booleans(), in_person=st.booleans(), finance=st.booleans(), senior=st.booleans()
)
terms = st.builds(
    Terms,
    quorum=st.sampled_from(Quorum),
    webhook_counts=st.booleans(),
    demands_finance=st.booleans(),
    senior_only=st.booleans(),
)
some = st.lists(said, max_size=5)


@given(terms, some)
def test_a_deny_is_never_outvoted(found: Terms, words: list[Said]) -> None:
    no = Said(by=IVAN, approves=False, in_person=True)

    assert missing(found, [*words, no])


@given(terms, some)
def test_nothing_is_enough_without_somebody_who_counts(found: Terms, words: list[Said]) -> None:
    if not any(one.in_person or found.webhook_counts for one in words):
        assert missing(found, words)


@given(terms, some)
def test_above_the_ceiling_nothing_is_enough_without_a_person(found: Terms, words: list[Said]) -> None:
    above = replace(found, webhook_counts=False)

    if not missing(above, words):
        assert any(one.in_person for one in words)


@given(terms, some)
def test_both_are_two_persons_of_whom_senior_it_spoke_itself(found: Terms, words: list[Said]) -> None:
    both = replace(found, quorum=Quorum.BOTH)

    if not missing(both, words):
        assert len({one.by for one in words}) > 1
        assert any(one.senior and one.in_person for one in words)
        assert any(one.finance for one in words)


@given(terms, some)
def test_whatever_is_enough_for_both_is_enough_for_any(found: Terms, words: list[Said]) -> None:
    if not missing(replace(found, quorum=Quorum.BOTH), words):
        assert not missing(replace(found, quorum=Quorum.ANY), words)


@given(terms, some, said)
def test_one_more_who_approves_never_makes_it_less(found: Terms, words: list[Said], more: Said) -> None:
    if not missing(found, words):
        assert not missing(found, [*words, replace(more, approves=True)])


@given(terms, some)
def test_the_order_of_words_does_not_matter(found: Terms, words: list[Said]) -> None:
    assert bool(missing(found, words)) == bool(missing(found, words[::-1]))


def person(by: ObjectId, *, finance: bool = False, senior: bool = False) -> Said:
    """Who approves by their own token."""
    return Said(by=by, approves=True, in_person=True, finance=finance, senior=senior)


WEBHOOK = Said(by=FIONA, approves=True, in_person=False, finance=True)
ANY, BOTH = Terms(quorum=Quorum.ANY), Terms(quorum=Quorum.BOTH)


@pytest.mark.parametrize(
    ("terms", "words", "lacking"),
    [
        (ANY, (), "the word of an approver"),
        (ANY, (person(IVAN),), ""),
        (ANY, (WEBHOOK,), "in person"),
        (replace(ANY, webhook_counts=True), (WEBHOOK,), ""),
        (replace(ANY, webhook_counts=True, senior_only=True), (WEBHOOK,), "senior IT"),
        (replace(ANY, demands_finance=True), (person(IVAN, senior=True),), "finance's verdict"),
        (replace(ANY, demands_finance=True, senior_only=True), (person(IVAN, senior=True), WEBHOOK), ""),
        (BOTH, (person(FIONA, finance=True), person(FRANK, finance=True)), "senior IT, in person"),
        (BOTH, (person(IVAN, senior=True), WEBHOOK), "finance, in person"),
        (replace(BOTH, webhook_counts=True), (person(IVAN, senior=True), WEBHOOK), ""),
        (BOTH, (person(IVAN, senior=True, finance=True),), "another person"),
        (BOTH, (person(IVAN, senior=True), person(FIONA, finance=True)), ""),
    ],
)
def test_what_is_missing_is_told(terms: Terms, words: tuple[Said, ...], lacking: str) -> None:
    told = missing(terms, words)

    assert lacking in told
    assert bool(told) is bool(lacking)


def priced(cost: str, *, unpriced: tuple[str, ...] = (), currency: str = "USD") -> Estimate:
    """An estimate of one line."""
    sum_ = Decimal(cost)
    line = Line(
        what="VM",
        meter="D4s v5",
        quantity=Decimal(1),
        unit="1 Hour",
        unit_price=sum_,
        hourly=sum_,
        for_hours=sum_,
        monthly=sum_,
        for_days=sum_,
    )
    return Estimate(
        currency=currency,
        hours=1,
        days=1,
        lines=(line,),
        hourly=sum_,
        for_hours=sum_,
        monthly=sum_,
        for_days=sum_,
        left_out=(),
        notes=(),
        unpriced=unpriced,
        priced_at=NOW,
        oldest_price=NOW,
    )


LOCK = LockDown(
    roles=(VM_CONTRIBUTOR,),
    approvers=Principals(users=(FIONA, IVAN)),
    mode=ApprovalMode.BROKER,
    money=MoneyRules(finance=(FIONA,), senior=Principals(users=(IVAN,))),
)


@pytest.mark.parametrize(
    ("estimate", "ceiling", "counts"),
    [
        (priced("99.99"), "100", True),
        (priced("100"), "100", True),
        (priced("100.01"), "100", False),
        (priced("0"), "0", False),
        (priced("5", unpriced=("a disk",)), "100", False),
        (priced("5", currency="EUR"), "100", False),
        (None, "100", False),
    ],
)
def test_a_webhook_counts_for_a_whole_price_up_to_the_ceiling(
    estimate: Estimate | None, ceiling: str, *, counts: bool
) -> None:
    assert terms_of(LOCK, Judgement(), estimate, Decimal(ceiling)).webhook_counts is counts


def asked(role: str = VM_CONTRIBUTOR, **changes: object) -> AskedActivation:
    """What Emil asks for."""
    first = AskedActivation(
        request_id="cccccccc-0000-4000-8000-00000000000c",
        subscription_id=SubscriptionId("aaaaaaaa-0000-4000-8000-00000000000a"),
        below="",
        role_definition_id=role,
        principal_id=EMIL,
        requestor_id=EMIL,
        status="PendingApproval",
        approval_id="",
        justification="A build machine",
        ticket="TN1",
        ticket_system="Tenantry",
        created=NOW,
        minutes=120,
    )
    return replace(first, **changes)


def waiting(**changes: object) -> Request:
    """A request that nobody decided yet."""
    first = Request(
        request_id=RequestId("cccccccc-0000-4000-8000-00000000000c"),
        asked=asked(),
        ours=True,
        state=State.PENDING,
        since=NOW,
        expires=NOW + timedelta(hours=24),
        brokered=True,
    )
    return replace(first, **changes)


YES, NO = Voice(approves=True, by=IVAN, at=NOW, senior=True), Voice(approves=False, by=IVAN, at=NOW, reason="Too dear")


def after(
    record: Request, lock: LockDown | None = LOCK, judgement: Judgement | None = None, hours: float = 1
) -> Request:
    """The request as it is ruled, so many hours on."""
    return ruled(record, lock, judgement or Judgement(), Decimal(0), NOW + timedelta(hours=hours))


def test_enough_makes_it_one_to_be_granted_and_says_on_whose_word() -> None:
    found = after(waiting(voices=(YES,)))

    assert is_to_grant(found)
    assert found.decision is not None
    assert (found.state, found.decision.by, found.decision.approved) == (State.PENDING, IVAN, True)


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (waiting(voices=(NO,)), State.DENIED),
        (waiting(voices=(YES,), verdicts=(Verdict(approves=False, by=FIONA, at=NOW),)), State.DENIED),
        (waiting(verdicts=(Verdict(approves=False, by=FRANK, at=NOW),)), State.PENDING),
        (waiting(verdicts=(Verdict(approves=True, by=FIONA, at=NOW),)), State.PENDING),
        (waiting(), State.PENDING),
    ],
)
def test_a_word_that_is_no_approval_grants_nothing(record: Request, state: State) -> None:
    found = after(record)

    assert found.state is state
    assert not is_to_grant(found)


def test_after_its_time_no_word_counts() -> None:
    assert after(waiting(voices=(YES,)), hours=24).state is State.EXPIRED


@pytest.mark.parametrize("lock", [None, replace(LOCK, mode=ApprovalMode.PIM)])
def test_outside_of_the_mode_nothing_is_approved(lock: LockDown | None) -> None:
    found = after(waiting(voices=(YES,)), lock)

    assert (found.state, found.decision) == (State.CANCELLED, None)


def test_what_the_budget_does_not_hold_is_stopped_whoever_approves() -> None:
    over = Ruling(code=Code.OVER_BUDGET, reason="too dear", evidence=())

    found = after(waiting(voices=(YES,)), judgement=Judgement(cancel=over))

    assert (found.state, found.stopped_for) == (State.CANCELLED, "too dear")


@given(st.lists(st.sampled_from([YES, NO, replace(YES, by=FIONA, finance=True)]), max_size=3), st.floats(0, 48))
def test_what_is_decided_stays_so(voices: list[Voice], hours: float) -> None:
    first = after(waiting(voices=tuple(voices)))
    if first.decision is not None or first.state is not State.PENDING:
        assert after(first, None, hours=hours) == first


def test_a_request_for_pim_is_never_the_brokers() -> None:
    plain = waiting(brokered=False, voices=(YES,))

    assert after(plain) == plain


def test_the_brokers_rights_are_its_own() -> None:
    """The one right that no other registration has is to write requests for assignments."""
    pim = "Microsoft.Authorization"

    assert broker_actions() == (
        f"{pim}/roleAssignmentScheduleInstances/read",
        f"{pim}/roleAssignmentScheduleRequests/read",
        f"{pim}/roleAssignmentScheduleRequests/write",
    )
    assert f"{pim}/roleAssignmentScheduleRequests/write" not in azure_actions()
    assert all(call.registrations == (Registration.BROKER,) and call.why for call in BROKER_CALLS)
    assert [call.method for call in BROKER_CALLS if call.write] == ["PUT"]


@pytest.mark.parametrize(
    "refused",
    [
        asked(STORAGE_ACCOUNT_CONTRIBUTOR),
        asked("8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
        asked(below="/resourceGroups/x"),
        asked(minutes=None),
        asked(minutes=0),
    ],
)
async def test_what_is_not_allowed_is_refused_before_a_request_is_built(refused: AskedActivation) -> None:
    def never() -> None:
        raise AssertionError("nothing is to be sent")

    broker = Broker(never, frozenset({VM_CONTRIBUTOR}))  # type: ignore[arg-type]
    intent = OpenIntent(key="k", registration=Registration.BROKER, tenant_id=TenantId("t"))

    with pytest.raises(RoleNotAllowed):
        await broker.grant(refused, "why", intent)
