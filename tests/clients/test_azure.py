"""Azure Resource Manager's client and PIM on it: what is asked, what is refused before, and what a lost answer costs."""

from datetime import timedelta

import pytest
from aiohttp import web

from shared.arm.client import Arm
from shared.arm.pim import AzurePim
from shared.arm.shapes import AzureEligibility
from shared.azure_permissions import AZURE_CALLS, STORAGE_ACCOUNT_CONTRIBUTOR, VM_CONTRIBUTOR
from shared.errors import Forbidden, MissingIntent, NotFound, Rejected, RoleNotAllowed, Throttled
from shared.identifiers import ObjectId, SubscriptionId
from shared.permissions import Registration
from shared.privileged import OpenIntent
from tests.clients.bench import SOURCE, TARGET, Bench, Open, intent
from tests.sandbox.arm.errors import ArmError, throttled
from tests.sandbox.arm.models.roles import OWNER
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.listening import Listener
from tests.sandbox.points import cut

_IN_SOURCE = intent(Registration.ACCESS, SOURCE)
_PUT = "PUT /subscriptions/{id}/providers/Microsoft.Authorization/roleEligibilityScheduleRequests/{id}"
_LIST = "GET /subscriptions/{id}/providers/Microsoft.Authorization/roleEligibilityScheduleInstances"


def of(subscription: Subscription) -> SubscriptionId:
    """Its id."""
    return SubscriptionId(subscription.id)


def engineers(bench: Bench, subscription: Subscription, days: float = 10) -> ObjectId:
    """A group that is eligible for so many days more."""
    group = bench.world.contoso.directory.add_group("Engineers", [])
    subscription.eligible(group.id, end=bench.world.clock.now() + timedelta(days=days))
    return ObjectId(group.id)


async def extend(
    bench: Bench,
    subscription: Subscription,
    principal: ObjectId,
    role: str = VM_CONTRIBUTOR,
    key: OpenIntent = _IN_SOURCE,
) -> str:
    """Ask for half a year from today."""
    today = bench.world.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    held = subscription.pim.of(principal)
    return await bench.azure_pim.request(
        of(subscription),
        action="adminExtend",
        held=AzureEligibility(
            principal_id=principal, role_definition_id=role, schedule_id=held.id if held else "", end=None
        ),
        start=today,
        end=today + timedelta(days=180),
        justification="x",
        ticket="t",
        intent=key,
    )


def asked(bench: Bench) -> list[str]:
    """What Resource Manager received, as `METHOD last part`, with the status that it gave."""
    entries = [one for one in bench.world.clouds.recorder.entries if one.service == "arm"]
    return [f"{one.method} {one.status}" for one in entries]


async def test_what_is_in_force_is_read_over_all_pages_and_only_at_the_subscription_itself(bench: Bench) -> None:
    production = bench.production()
    bench.world.clouds.azure.page = 3
    principals = {engineers(bench, production) for _ in range(7)}
    below = production.add_resource_group("vms")
    production.eligible(bench.world.ana.object_id, end=None, scope=below)

    found = await bench.azure_pim.in_force(of(production))

    assert {one.principal_id for one in found} == principals
    assert {one.role_definition_id for one in found} == {VM_CONTRIBUTOR}
    assert asked(bench) == ["GET 200"] * 3


async def test_a_request_is_made_once_and_gives_its_id(bench: Bench) -> None:
    production = bench.production()
    principal = engineers(bench, production)

    request_id = await extend(bench, production, principal)
    again = await extend(bench, production, principal)

    assert request_id
    assert again
    assert [one.wanted.action for one in production.pim.requests.values()] == ["AdminExtend"]
    assert asked(bench) == ["PUT 201", "PUT 409", "GET 200"]


async def test_a_request_whose_answer_was_lost_is_found_by_its_name(bench: Bench) -> None:
    production = bench.production()
    principal = engineers(bench, production)
    bench.world.points.arm("vendor.after", _PUT, 0, cut)

    await extend(bench, production, principal)

    assert [one.wanted.action for one in production.pim.requests.values()] == ["AdminExtend"]


async def test_a_name_whose_request_failed_is_not_used_again(open_bench: Open) -> None:
    bench = await open_bench(flipped=("arm-lock-fails-the-request",))
    production = bench.production()
    principal = engineers(bench, production)
    production.pim.locked = True

    with pytest.raises(Rejected) as refused:
        await extend(bench, production, principal)
    assert refused.value.call.code == "FailedAsResourceIsLocked"
    production.pim.locked = False
    await extend(bench, production, principal)

    assert [one.status for one in production.pim.requests.values()] == ["FailedAsResourceIsLocked", "Provisioned"]


async def test_a_lock_and_a_disabled_subscription_are_refusals_and_no_conflicts_to_wait_for(bench: Bench) -> None:
    production = bench.production()
    principal = engineers(bench, production)
    production.pim.locked = True
    with pytest.raises(Rejected) as refused:
        await extend(bench, production, principal)
    assert refused.value.call.code == "ResourceIsLocked"

    production.pim.locked = False
    bench.world.clouds.azure.kill(production, "disabled")
    with pytest.raises(Rejected) as refused:
        await extend(bench, production, principal)
    assert refused.value.call.code == "ReadOnlyDisabledSubscription"


async def test_a_principal_that_is_not_replicated_and_a_change_under_way_ask_to_come_again(bench: Bench) -> None:
    production = bench.production()
    principal = engineers(bench, production)
    production.asked_by_a_person(principal, end=bench.world.clock.now() + timedelta(days=30))
    with pytest.raises(NotFound):
        await extend(bench, production, principal)
    with pytest.raises(NotFound):
        await extend(bench, production, ObjectId("eeeeeeee-0000-4000-8000-00000000000e"))


@pytest.mark.parametrize(
    "key", [intent(Registration.ACCESS, TARGET), intent(Registration.SOURCE, SOURCE)], ids=["elsewhere", "another's"]
)
async def test_a_write_without_its_intent_is_refused_and_nothing_is_sent(bench: Bench, key: OpenIntent) -> None:
    production = bench.production()
    principal = engineers(bench, production)

    with pytest.raises(MissingIntent):
        await extend(bench, production, principal, key=key)
    for call in AZURE_CALLS:
        if call.write and not call.delegated:
            with pytest.raises(MissingIntent):
                await bench.arm.send(call, of(production), {}, name="x", body={})

    assert asked(bench) == []


async def test_a_role_outside_the_allow_list_is_refused_for_reading_and_writing(bench: Bench) -> None:
    production = bench.production()
    principal, pim, where = engineers(bench, production), bench.azure_pim, of(production)

    for role in (OWNER, STORAGE_ACCOUNT_CONTRIBUTOR, "", "Owner"):
        for refused in (
            pim.role_rules(where, role),
            pim.instances(where, principal, role),
            pim.schedules(where, principal, role),
            pim.was_removed(where, principal, role),
            extend(bench, production, principal, role),
        ):
            with pytest.raises(RoleNotAllowed):
                await refused

    assert asked(bench) == []


async def test_a_right_that_is_missing_is_raised_at_once_with_whose_it_is(bench: Bench) -> None:
    production = bench.production()
    production.access.assignments.clear()

    with pytest.raises(Forbidden) as refused:
        await bench.azure_pim.in_force(of(production))

    assert (refused.value.call.code, refused.value.call.registration) == ("AuthorizationFailed", "Tenantry Access")
    assert asked(bench) == ["GET 403"]


async def test_a_token_that_is_refused_is_renewed_once(bench: Bench) -> None:
    production = bench.production()

    async def refuse() -> None:
        raise ArmError(401, "ExpiredAuthenticationToken", "The access token expiry is in the past.")

    bench.world.points.arm("vendor-read.before", _LIST, 0, refuse)
    await bench.azure_pim.in_force(of(production))

    tokens = [one for one in bench.world.clouds.recorder.entries if one.service == "login"]
    assert asked(bench) == ["GET 401", "GET 200"]
    assert len(tokens) == 2


async def test_a_short_wait_is_sat_out_and_a_long_one_is_raised(bench: Bench) -> None:
    production = bench.production()

    for seconds in (3, 60):

        async def refuse(seconds: int = seconds) -> None:
            raise throttled(seconds, "read")

        nth = sum(hit.label == _LIST for hit in bench.world.points.log)
        bench.world.points.arm("vendor-read.before", _LIST, nth, refuse)
        before = bench.world.clock.now()
        if seconds == 3:
            await bench.azure_pim.in_force(of(production))
            assert bench.world.clock.now() - before >= timedelta(seconds=3)
        else:
            with pytest.raises(Throttled) as told:
                await bench.azure_pim.in_force(of(production))
            assert told.value.seconds == 60


@pytest.mark.parametrize("link", ["https://elsewhere.example/subscriptions/x", "{arm}.elsewhere.example/x", "//x/y"])
async def test_a_next_link_to_another_place_is_not_followed(bench: Bench, link: str) -> None:
    """The token would go with it."""
    heard: list[str] = []

    async def serve(request: web.Request) -> web.Response:
        heard.append(request.path)
        return web.json_response({"value": [], "nextLink": link.replace("{arm}", arm_url)})

    listener = Listener(serve, bench.world.certificates.server_context())
    await listener.start()
    arm_url = f"https://localhost:{listener.port}"
    arm = Arm(arm_url, bench.credentials, SOURCE, bench.world.clock)
    try:
        bench.production()
        with pytest.raises(Rejected):
            await AzurePim(lambda: arm, frozenset({VM_CONTRIBUTOR})).in_force(SubscriptionId("x"))
    finally:
        await arm.close()
        await listener.stop()

    assert len(heard) == 1
