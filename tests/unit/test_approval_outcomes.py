"""What the page says of a request: how it ended, for whom, and what nobody knows is not made up."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from shared.activation.budget import BudgetView, Source
from shared.activation.record import Decision, Priced, Request, RequestId, State, Verdict, found_at_pim
from shared.approvals.shown import outcome, people_of, shown, waiting
from shared.arm.activation_shapes import AskedActivation
from shared.azure_permissions import VM_CONTRIBUTOR
from shared.identifiers import ObjectId, SubscriptionId
from tests.unit.test_approval_pages import price

_NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_EMIL, _FIONA = ObjectId("emil-id"), ObjectId("fiona-id")
_NAMES = {_FIONA: "Fiona Finance"}


def request(**fields: object) -> Request:
    asked = AskedActivation(
        request_id="r",
        subscription_id=SubscriptionId("s"),
        below="",
        role_definition_id=VM_CONTRIBUTOR,
        principal_id=_EMIL,
        requestor_id=_EMIL,
        status="PendingApproval",
        approval_id="r",
        justification="A build machine",
        ticket="T1",
        ticket_system="Tenantry",
        created=_NOW,
        minutes=120,
        scope_name="Production",
        principal_name="Emil Engineer",
    )
    return replace(found_at_pim(asked), **fields)


def decided(*, approved: bool, by: ObjectId | None = _FIONA) -> Decision:
    return Decision(approved=approved, at=_NOW, by=by, reason="because")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": State.APPROVED, "decision": decided(approved=True)}, "Approved by Fiona Finance."),
        (
            {"state": State.APPROVED, "decision": decided(approved=True), "end": _NOW + timedelta(hours=2)},
            "Approved by Fiona Finance. In force until 2 March 2026, 11:00 UTC.",
        ),
        ({"state": State.APPROVED, "decision": decided(approved=True, by=None)}, "Approved in the Azure portal."),
        ({"state": State.DENIED, "decision": decided(approved=False)}, "Denied by Fiona Finance."),
        ({"state": State.DENIED, "decision": decided(approved=False, by=_EMIL)}, "Denied by emil-id."),
        ({"state": State.ENDED, "decision": decided(approved=True)}, "Approved by Fiona Finance. It has ended."),
        ({"state": State.CANCELLED, "stopped_for": "finance denied it"}, "It was taken back."),
        ({"state": State.EXPIRED}, "Nobody decided it within 24 hours."),
        ({"state": State.FAILED, "problem": "PIM says Failed."}, "It failed."),
        ({"state": State.APPROVED}, "It is decided."),
        ({"state": State.PENDING, "decision": decided(approved=True)}, "Approved by Fiona Finance."),
    ],
)
def test_how_it_ended_is_said_in_words(fields: dict[str, object], words: str) -> None:
    found = outcome(request(**fields), _NAMES)

    assert found is not None
    assert found.words == words


@pytest.mark.parametrize("state", [State.PENDING, State.SUBMITTING])
def test_what_waits_has_not_ended(state: State) -> None:
    assert outcome(request(state=state), _NAMES) is None


def test_every_state_has_its_words() -> None:
    for state in State:
        outcome(request(state=state), _NAMES)


def test_names_come_from_pim_or_the_directory_and_ids_stand_in() -> None:
    verdict = Verdict(approves=True, by=_FIONA, at=_NOW)
    nameless = request(verdicts=(verdict,), asked=replace(request().asked, principal_name="", scope_name=""))

    page = shown(nameless, None, [], _NAMES, hindrance="", held_back="")

    assert people_of(nameless) == {_EMIL, _FIONA}
    assert (page.who, page.where, page.verdicts[0].by) == ("emil-id", "subscription s", "Fiona Finance")
    assert waiting(request(), {}).who == "Emil Engineer"


def test_a_request_without_a_price_costs_nobody_knows_what() -> None:
    assert waiting(request(), {}).cost == "unpriced"
    assert waiting(request(priced=Priced(at=_NOW, estimate=price())), {}).cost == "46.08 USD"
    parts = price(unpriced=("a disk",))
    assert waiting(request(priced=Priced(at=_NOW, estimate=parts)), {}).cost == "at least 46.08 USD"


@pytest.mark.parametrize(
    ("currency", "days", "month", "asked"),
    [
        ("USD", "46.08", "280.32", Decimal("46.08")),
        ("USD", "900.00", "280.32", Decimal("280.32")),
        ("EUR", "46.08", "280.32", None),
    ],
)
def test_of_a_budget_no_more_than_a_month_is_asked_and_nothing_in_another_currency(
    currency: str, days: str, month: str, asked: Decimal | None
) -> None:
    budget = BudgetView(
        source=Source.OWN,
        currency=currency,
        amount=Decimal(1000),
        spent=Decimal(10),
        forecast=None,
        left=Decimal(990),
        as_of=_NOW,
        notes=("figures lag",),
    )
    found = price(for_days=Decimal(days), monthly=Decimal(month))

    page = shown(
        request(priced=Priced(at=_NOW, estimate=found, budget=budget)), None, [], {}, hindrance="", held_back=""
    )

    assert page.budget is not None
    assert page.budget.asked == asked
    assert page.budget.notes == ("Figures lag.",)


def test_earlier_requests_are_the_others() -> None:
    mine, other = request(), request(request_id=RequestId("o"), state=State.DENIED)

    page = shown(mine, None, [other, mine], {}, hindrance="", held_back="")

    assert [one.outcome for one in page.earlier] == ["denied"]
