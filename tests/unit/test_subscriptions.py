"""What is declared on a subscription, what a declaration changes, and how it is shown."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.azure_permissions import AZURE_ROLES, STORAGE_ACCOUNT_CONTRIBUTOR, VM_CONTRIBUTOR
from shared.eligibility.record import Eligibility
from shared.errors import BadRequest
from shared.identifiers import ObjectId, SubscriptionId
from shared.privileged import Fence, RunStopped, check_fence, word
from shared.renewal import views as renewals
from shared.renewal.answers import Would
from shared.subjects import REVIEW_PERIOD, Renewing, Review
from shared.subscriptions import views
from shared.subscriptions.answers import Standing
from shared.subscriptions.record import Declaration, PrincipalKind, Record, Subscription, declared_anew
from shared.subscriptions.request import MOST_DECLARED, EligibilityRequest, SubscriptionRequest, declared_in, field_of
from tests.unit.making import ANA, BEN, NOON

SUBSCRIPTION = SubscriptionId("dddddddd-0000-4000-8000-00000000000d")
BOTH = frozenset(AZURE_ROLES)
DAY = timedelta(days=1)


def declaration(principal: ObjectId = ANA, **changes: object) -> Declaration:
    first = Declaration(
        role_definition_id=VM_CONTRIBUTOR, principal_id=principal, kind=PrincipalKind.USER, duration_days=180
    )
    return msgspec.structs.replace(first, **changes)


def row(declared: Declaration, days: float = 10, **changes: object) -> Eligibility:
    first = Eligibility(
        principal_id=declared.principal_id,
        role_definition_id=declared.role_definition_id,
        analyst_id=None,
        schedule_id="s",
        end=NOON + days * DAY,
        wanted_days=180,
    )
    return msgspec.structs.replace(first, **changes)


def subscription(*declared: Declaration, rows: tuple[Eligibility, ...] = (), **changes: object) -> Subscription:
    first = Record(
        subscription_id=SUBSCRIPTION,
        created=NOON,
        requested_by="olga",
        declared=declared,
        changed=NOON,
        changed_by="olga",
    )
    keys = {one.key: one for one in declared}
    return Subscription(
        record=msgspec.structs.replace(first, **changes),
        etag="1",
        eligibilities={key: held for key in keys for held in rows if held.principal_id == keys[key].principal_id},
    )


@pytest.mark.parametrize(
    "role", ["Virtual Machine Contributor", " virtual machine contributor ", VM_CONTRIBUTOR.upper()]
)
def test_a_role_is_named_by_its_name_or_its_id(role: str) -> None:
    body = SubscriptionRequest(eligibilities=[EligibilityRequest(role=role, users=[ANA.upper()])])

    assert declared_in(body, frozenset({VM_CONTRIBUTOR})) == (declaration(),)


@pytest.mark.parametrize("role", ["Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", STORAGE_ACCOUNT_CONTRIBUTOR, ""])
def test_a_role_that_the_deployment_does_not_allow_is_refused_with_those_that_it_does(role: str) -> None:
    body = SubscriptionRequest(eligibilities=[EligibilityRequest(role=role, users=[ANA])])

    with pytest.raises(BadRequest) as refused:
        declared_in(body, frozenset({VM_CONTRIBUTOR}))

    assert refused.value.field == "eligibilities[0].role"
    assert "Virtual Machine Contributor" in refused.value.reason


def test_one_principal_may_hold_two_roles_but_none_twice() -> None:
    two = [EligibilityRequest(role=role, users=[ANA]) for role in BOTH]
    assert len(declared_in(SubscriptionRequest(eligibilities=two), BOTH)) == 2

    with pytest.raises(BadRequest) as refused:
        declared_in(SubscriptionRequest(eligibilities=[*two, two[0]]), BOTH)
    assert refused.value.field == "eligibilities[2].users[0]"


def test_no_more_are_declared_than_can_be_looked_up() -> None:
    ids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(MOST_DECLARED + 1)]
    declared_in(SubscriptionRequest(eligibilities=[EligibilityRequest(role=VM_CONTRIBUTOR, users=ids[1:])]), BOTH)

    with pytest.raises(BadRequest):
        declared_in(SubscriptionRequest(eligibilities=[EligibilityRequest(role=VM_CONTRIBUTOR, users=ids)]), BOTH)


@given(st.permutations([ANA, BEN]), st.permutations(sorted(BOTH)))
def test_the_order_of_a_body_makes_no_other_wish(users: list[str], roles: list[str]) -> None:
    body = SubscriptionRequest(eligibilities=[EligibilityRequest(role=role, users=users) for role in roles])
    same = SubscriptionRequest(eligibilities=[EligibilityRequest(role=role, users=[ANA, BEN]) for role in sorted(BOTH)])

    assert declared_in(body, BOTH) == declared_in(same, BOTH)
    assert field_of(body, ANA) == f"eligibilities[0].users[{users.index(ANA)}]"


def test_a_declaration_forgets_what_is_not_declared_any_more_and_says_nothing_of_reviews() -> None:
    first, second = declaration(), declaration(BEN)
    review = Review(by="rita", at=NOON, until=NOON + DAY)
    found = subscription(first, second, rows=(row(first), row(second)), review=review)

    change = declared_anew(found, (second,), "otto", NOON + DAY)

    assert change is not None
    assert (change.record.declared, change.record.changed_by, change.record.review) == ((second,), "otto", review)
    assert list(change.forgotten_eligibilities) == [first.key]
    assert declared_anew(found, (first, second), "otto", NOON + DAY) is None


def test_the_first_word_is_that_of_who_declared_it_for_a_year() -> None:
    assert subscription().record.reviewed == Review(by="olga", at=NOON, until=NOON + REVIEW_PERIOD)


def test_only_a_renewal_that_holds_the_subscription_may_write() -> None:
    renewing = Renewing(nonce="r", since=NOON, on_whose_word="rita", reason="the nightly renewal")
    held = subscription(run=3, renewing=renewing).record

    check_fence(held, Fence(run=3, nonce="r"))
    assert word(held, Fence(run=3, nonce="r")) == ("rita", "the nightly renewal")
    for found, fence in (
        (held, Fence(run=2, nonce="r")),
        (held, Fence(run=3, nonce="other")),
        (subscription(run=3, run_nonce="r").record, Fence(run=3, nonce="r")),
    ):
        with pytest.raises(RunStopped):
            check_fence(found, fence)


@pytest.mark.parametrize(
    ("held", "standing"),
    [
        (None, Standing.NOT_SEEN),
        (row(declaration()), Standing.IN_FORCE),
        (row(declaration(), end=None), Standing.IN_FORCE),
        (row(declaration(), -1), Standing.ENDED),
        (row(declaration(), removed=NOON), Standing.REMOVED),
    ],
)
def test_how_it_stands_is_told_by_what_was_last_seen(held: Eligibility | None, standing: Standing) -> None:
    found = subscription(declaration(), rows=(held,) if held else ())

    [shown] = views.view("https://app.example", found, NOON).eligibilities

    assert (shown.standing, shown.role) == (standing, "Virtual Machine Contributor")


def test_another_duration_is_a_new_declaration() -> None:
    longer = declaration(duration_days=360)

    plan = views.plan(subscription(declaration(), declaration(BEN)), (longer,), None)

    assert [one.duration_days for one in plan.added] == [360]
    assert [one.principal_id for one in plan.left] == [BEN]


@pytest.mark.parametrize(
    ("held", "would"),
    [
        (row(declaration(), 10), Would.EXTEND),
        (row(declaration(), -10), Would.RENEW),
        (row(declaration(), -40), Would.REFUSE),
        (row(declaration(), 100), None),
    ],
)
def test_a_plan_of_a_renewal_tells_what_would_become_of_it(held: Eligibility, would: Would | None) -> None:
    found = renewals.planned_on(subscription(declaration(), rows=(held,)), held, NOON, 21)

    assert (None if found is None else found.would) == would
    assert found is None or (found.subscription_id, found.tenant_id) == (SUBSCRIPTION, None)
    assert renewals.planned_on(subscription(), held, NOON, 21) is None
