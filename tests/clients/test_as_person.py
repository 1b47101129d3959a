"""What a person does in Azure through us: activations and decisions, in whichever way Azure takes them."""

import json
from datetime import timedelta

import pytest

from shared.arm.approval_shapes import Approval, Asked
from shared.arm.as_person import AsPerson
from shared.azure_permissions import AZURE_CALLS, READ_APPROVAL, STORAGE_ACCOUNT_CONTRIBUTOR, VM_CONTRIBUTOR
from shared.errors import (
    ClaimsChallenge,
    Conflict,
    MissingIntent,
    NotFound,
    Rejected,
    RemoteCall,
    RoleNotAllowed,
    Unavailable,
)
from shared.identifiers import SubscriptionId
from shared.patience import Answer, Patience, Try
from shared.permissions import Family, Registration
from shared.privileged import OpenIntent
from tests.clients.bench import SOURCE, TARGET, Bench, Open, intent
from tests.sandbox.arm.errors import ArmError
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.personas import Person
from tests.sandbox.points import Action, cut, then_cut

_MINE = intent(Registration.API, SOURCE)
_APPROVALS = "/providers/Microsoft.Authorization/roleAssignmentApprovals/{id}"
_PATCH = f"PATCH {_APPROVALS}/stages/{{id}}"
_NAME, _OTHER = "11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"


class Desk:
    """Ana is eligible; Fay and Finn, of finance, approve."""

    def __init__(self, bench: Bench) -> None:
        world = bench.world
        self.bench, self.production = bench, bench.production()
        self.fay = world.clouds.person(world.contoso, "fay@contoso.com", "Fay Finance")
        self.finn = world.clouds.person(world.contoso, "finn@contoso.com", "Finn Finance")
        self.finance = world.contoso.directory.add_group("Finance", [self.fay.object_id, self.finn.object_id])
        self.production.eligible(world.ana.object_id, end=world.clock.now() + timedelta(days=100))
        self.production.pim.policy().approve_by(groups=[self.finance.id])

    @property
    def subscription_id(self) -> SubscriptionId:
        """Production's."""
        return SubscriptionId(self.production.id)

    async def by(self, person: Person, **how: object) -> AsPerson:
        """A person's calls, by way of their token for our API."""
        token = self.bench.world.user_token(person, **how)
        return self.bench.persons.by(await self.bench.on_behalf.azure_token(token))

    async def asks(self, name: str = _NAME, *, key: OpenIntent = _MINE, role: str = VM_CONTRIBUTOR) -> Asked:
        """Ana activates for eight hours."""
        ana = await self.by(self.bench.world.ana)
        return await ana.activate(
            self.subscription_id,
            role,
            name=name,
            duration=timedelta(hours=8),
            justification="A build machine",
            ticket="T-1",
            intent=key,
        )

    async def decides(self, person: Person, *, approve: bool = True, key: OpenIntent = _MINE, name: str = _NAME) -> str:
        """A decision, at the stage of the request of that name."""
        calls = await self.by(person)
        stage = next(iter((await calls.approval(name)).stages))
        return await calls.decide(name, stage.stage_id, approve=approve, justification="CHG1", intent=key)

    def status(self, name: str = _NAME) -> str:
        """By truth."""
        return self.production.activations.status_of(self.production.activations.requests[name])

    def sent(self, method: str = "PATCH") -> list[int]:
        """The statuses of what Resource Manager received."""
        entries = self.bench.world.clouds.recorder.entries
        return [one.status for one in entries if one.service == "arm" and one.method == method]


def refuse(error: ArmError) -> Action:
    async def refused() -> None:
        raise error

    return refused


async def test_an_activation_is_the_person_s_own_and_waits_for_its_approver(bench: Bench) -> None:
    desk = Desk(bench)

    asked = await desk.asks()

    made = desk.production.activations.requests[_NAME]
    assert (asked.name, asked.status, asked.approval_id) == (_NAME, "PendingApproval", _NAME)
    assert made.request.requestor_id == bench.world.ana.object_id
    assert made.request.wanted.window.duration == "PT8H"
    assert (made.request.wanted.ticket.number, made.request.wanted.ticket.system) == ("T-1", "Tenantry")
    [entry] = [one for one in bench.world.clouds.recorder.entries if one.method == "PUT"]
    assert entry.on_behalf_of == bench.world.ana.object_id


async def test_an_approval_tells_its_approver_what_waits_and_who_decided(bench: Bench) -> None:
    desk = Desk(bench)
    await desk.asks()
    finn = await desk.by(desk.finn)

    before: Approval = await finn.approval(_NAME)
    await desk.decides(desk.fay, approve=False)
    after = await finn.approval(_NAME)

    assert before.mine is not None
    assert before.decided is None
    assert after.mine is None
    assert after.decided is not None
    assert (after.decided.reviewed_by, after.decided.approved) == (desk.fay.object_id, False)
    assert after.decided.justification == "CHG1"
    with pytest.raises(NotFound):
        await (await desk.by(bench.world.gina)).approval(_NAME)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("silent", [False, True])
async def test_either_body_and_either_answer_decides_and_what_was_learnt_is_kept(
    open_bench: Open, *, flat: bool, silent: bool
) -> None:
    flipped = [("arm-decision-is-flat", flat), ("arm-decision-answers-nothing", silent)]
    bench = await open_bench(flipped=tuple(name for name, on in flipped if on))
    desk = Desk(bench)
    ok = 204 if silent else 200
    await desk.asks()

    assert await desk.decides(desk.fay)
    assert desk.status() == "Provisioned"
    assert desk.sent() == ([400, ok] if flat else [ok])

    bench.world.clock.advance(timedelta(hours=9))
    await desk.asks(_OTHER)
    await desk.decides(desk.fay, approve=False, name=_OTHER)
    assert desk.status(_OTHER) == "Denied"
    assert desk.sent()[-1] == ok
    assert len(desk.sent()) == (3 if flat else 2)


@pytest.mark.parametrize("flipped", [(), ("arm-second-decision-is-400",)])
async def test_the_second_decision_is_a_conflict_and_changes_nothing(
    open_bench: Open, flipped: tuple[str, ...]
) -> None:
    desk = Desk(await open_bench(flipped=flipped))
    await desk.asks()
    await desk.decides(desk.fay, approve=False)

    with pytest.raises(Conflict):
        await desk.decides(desk.finn, approve=True)
    with pytest.raises(Conflict):
        await desk.decides(desk.fay, approve=True)

    assert desk.status() == "Denied"
    await desk.decides(desk.fay, approve=False)  # what stands already as theirs is no conflict


@pytest.mark.parametrize("flipped", [(), ("arm-second-decision-is-400",)])
async def test_a_decision_whose_answer_was_lost_is_looked_for_and_not_made_again(
    open_bench: Open, flipped: tuple[str, ...]
) -> None:
    bench = await open_bench(flipped=flipped)
    desk = Desk(bench)
    await desk.asks()
    bench.world.points.arm("vendor.after", _PATCH, 0, cut)

    await desk.decides(desk.fay)

    assert desk.status() == "Provisioned"
    assert len([hit for hit in bench.world.points.log if (hit.kind, hit.label) == ("vendor.before", _PATCH)]) == 1


async def test_a_decision_that_never_arrived_is_told_as_uncertain_and_not_made_again(bench: Bench) -> None:
    desk = Desk(bench)
    await desk.asks()
    bench.world.points.arm("vendor.before", _PATCH, 0, cut)

    with pytest.raises(Unavailable) as told:
        await desk.decides(desk.fay)

    assert told.value.uncertain
    assert desk.status() == "PendingApproval"
    assert desk.sent() == [0]
    await desk.decides(desk.fay)
    assert desk.status() == "Provisioned"


async def test_where_the_answer_was_lost_another_s_decision_is_not_taken_for_ones_own(bench: Bench) -> None:
    desk = Desk(bench)
    await desk.asks()

    async def finn_denies() -> None:
        await desk.decides(desk.finn, approve=False)

    bench.world.points.arm("vendor.before", _PATCH, 0, then_cut(finn_denies))

    with pytest.raises(Conflict):
        await desk.decides(desk.fay)

    assert desk.status() == "Denied"


async def test_nobody_sees_or_decides_the_approval_of_their_own_request(bench: Bench) -> None:
    desk = Desk(bench)
    desk.finance.members.append(bench.world.ana.object_id)
    await desk.asks()
    ana = await desk.by(bench.world.ana)

    with pytest.raises(Rejected):
        await ana.approval(_NAME)
    stage = desk.production.activations.requests[_NAME].approval
    assert stage is not None
    with pytest.raises(Rejected):
        await ana.decide(_NAME, stage.stage_id, approve=True, justification="I", intent=_MINE)

    assert desk.status() == "PendingApproval"


async def test_azure_s_challenge_of_an_approver_is_passed_on_and_met(bench: Bench) -> None:
    desk = Desk(bench)
    await desk.asks()
    bench.world.clouds.azure.challenged[desk.fay.object_id] = "c7"
    fay = await desk.by(desk.fay)
    stage = (await fay.approval(_NAME)).stages[0].stage_id

    with pytest.raises(ClaimsChallenge) as told:
        await fay.decide(_NAME, stage, approve=True, justification="x", intent=_MINE)

    assert json.loads(told.value.claims)["access_token"]["acrs"]["value"] == "c7"
    assert desk.status() == "PendingApproval"
    again = await desk.by(desk.fay, contexts=["c7"])
    await again.decide(_NAME, stage, approve=True, justification="x", intent=_MINE)
    assert desk.status() == "Provisioned"


async def test_an_authentication_context_of_the_policy_is_asked_of_the_engineer(bench: Bench) -> None:
    desk = Desk(bench)
    rule = desk.production.pim.policy().rules["AuthenticationContext_EndUser_Assignment"]
    rule.update({"isEnabled": True, "claimValue": "c2"})

    with pytest.raises(ClaimsChallenge) as told:
        await desk.asks()

    assert json.loads(told.value.claims)["access_token"]["acrs"]["value"] == "c2"
    ana = await desk.by(bench.world.ana, contexts=["c2"])
    made = await ana.activate(
        desk.subscription_id,
        VM_CONTRIBUTOR,
        name=_NAME,
        duration=timedelta(minutes=90),
        justification="x",
        ticket="t",
        intent=_MINE,
    )
    assert made.status == "PendingApproval"
    assert desk.production.activations.requests[_NAME].request.wanted.window.duration == "PT90M"


async def test_an_activation_is_ended_early_by_its_person_and_a_request_is_taken_back(bench: Bench) -> None:
    desk = Desk(bench)
    await desk.asks()
    ana = await desk.by(bench.world.ana)
    assert await ana.cancel(desk.subscription_id, _NAME, _MINE)
    assert desk.status() == "Canceled"
    await desk.asks(_OTHER)
    await desk.decides(desk.fay, name=_OTHER)
    bench.world.clock.advance(timedelta(minutes=6))

    ended = await ana.deactivate(
        desk.subscription_id, VM_CONTRIBUTOR, name=_NAME.replace("1111", "2222"), justification="done", intent=_MINE
    )

    assert ended.status == "Revoked"
    assert all(one.removed_at is not None for one in desk.production.activations.schedules.values())


async def test_a_repeated_activation_and_one_whose_answer_was_lost_are_looked_for_by_name(bench: Bench) -> None:
    """Whoever asked again by itself, the transport or we, is told that the name is taken."""
    desk = Desk(bench)
    label = "PUT /subscriptions/{id}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/{id}"
    bench.world.points.arm("vendor.after", label, 0, cut)

    with pytest.raises((Conflict, Unavailable)):
        await desk.asks()
    assert desk.status() == "PendingApproval"
    with pytest.raises(Conflict):
        await desk.asks()
    assert len(desk.production.activations.requests) == 1


@pytest.mark.parametrize("key", [intent(Registration.ACCESS, SOURCE), intent(Registration.API, TARGET)])
async def test_no_write_of_a_person_is_sent_without_its_intent(bench: Bench, key: OpenIntent) -> None:
    desk = Desk(bench)
    await desk.asks()
    with pytest.raises(MissingIntent):
        await desk.decides(desk.fay, key=key)
    with pytest.raises(MissingIntent):
        await desk.asks(_OTHER, key=key)

    assert desk.sent() == []
    assert desk.sent("PUT") == [201]


async def test_no_role_outside_the_allow_list_is_asked_for(bench: Bench) -> None:
    desk = Desk(bench)
    for role in (STORAGE_ACCOUNT_CONTRIBUTOR, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", ""):
        with pytest.raises(RoleNotAllowed):
            await desk.asks(role=role)

    assert desk.sent("PUT") == []


async def test_no_call_of_a_person_is_made_by_the_app_and_none_of_the_app_s_by_a_person(bench: Bench) -> None:
    production: Subscription = bench.production()
    own = next(call for call in AZURE_CALLS if not call.delegated)
    with pytest.raises(ValueError, match="in a person's name alone"):
        await bench.arm.send(READ_APPROVAL, SubscriptionId(production.id), {})
    with pytest.raises(ValueError, match="is not made in a person's name"):
        await bench.arm.send_as(bench.persons.by(bench.world.user_token(bench.world.ana)).person_id, "t", own, (), {})
    assert bench.world.clouds.recorder.entries == []


async def test_one_person_s_wait_keeps_nobody_else_waiting(bench: Bench) -> None:
    desk = Desk(bench)
    await desk.asks()
    label = f"GET {_APPROVALS}"
    bench.world.points.arm(
        "vendor-read.before", label, 0, refuse(ArmError(429, "TooManyRequests", "x", headers={"Retry-After": "4"}))
    )
    before = bench.world.clock.now()

    await (await desk.by(desk.fay)).approval(_NAME)
    after = bench.world.clock.now()
    await (await desk.by(desk.finn)).approval(_NAME)

    assert after - before >= timedelta(seconds=4)
    assert bench.world.clock.now() - after < timedelta(seconds=2)


async def test_a_challenge_after_a_lost_answer_hides_no_write_that_may_have_landed(bench: Bench) -> None:
    """Who is challenged signs in and asks anew; they must not think that nothing was done."""
    remote = RemoteCall(service="arm", method="PUT", path="/x", tenant_id="t")
    answers: list[Exception] = [Unavailable(remote, uncertain=True), ClaimsChallenge("{}")]

    async def once() -> Answer:
        raise answers.pop(0)

    async def never() -> bool:
        return False

    how = Try(lane=(Registration.API, "x", Family.AZURE_PIM), write=True, repeatable=True, renew=never)
    with pytest.raises(Unavailable) as told:
        await Patience(bench.world.clock).send(remote, how, once)

    assert told.value.uncertain


async def test_one_s_own_request_is_found_on_whichever_page_it_stands(bench: Bench) -> None:
    desk = Desk(bench)
    bench.world.clouds.azure.page = 1
    await desk.asks()
    bench.world.clouds.replication.off()
    ana = await desk.by(bench.world.ana)
    await ana.cancel(desk.subscription_id, _NAME, _MINE)
    await desk.asks(_OTHER)

    found = [await ana.asked(desk.subscription_id, one) for one in (_NAME, _OTHER)]

    assert [None if one is None else one.request_id for one in found] == [_NAME, _OTHER]
    assert await ana.asked(desk.subscription_id, "11111111-0000-4000-8000-000000000003") is None


async def test_nobody_sees_another_person_s_requests_as_their_own(bench: Bench) -> None:
    desk = Desk(bench)
    await desk.asks()
    bench.world.clouds.replication.off()

    fay = await desk.by(desk.fay)

    assert await fay.asked(desk.subscription_id, _NAME) is None
    assert await fay.in_force(desk.subscription_id) == []
