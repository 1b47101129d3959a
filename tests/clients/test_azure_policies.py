"""Role policies, and who holds what, at Azure's client: what is sent, what is refused before, what is read to the end."""

import pytest
from msgspec.structs import replace

from shared.arm.access import AzureAccess
from shared.arm.access_shapes import Where, where
from shared.arm.policies import AzurePolicies, Policy
from shared.azure_permissions import STORAGE_ACCOUNT_CONTRIBUTOR, VM_CONTRIBUTOR, azure_actions
from shared.errors import Forbidden, MissingIntent, PimUnavailable, Rejected, RoleNotAllowed
from shared.identifiers import ObjectId, SubscriptionId
from shared.permissions import Registration
from shared.privileged import OpenIntent
from shared.subscriptions.lockdown import Principals
from shared.subscriptions.roles import ACTIVATION, APPROVAL, RoleSettings, Wanted, differences, target
from tests.clients.bench import SOURCE, TARGET, Bench, Open, intent
from tests.sandbox.arm.models.roles import CONTRIBUTOR, OWNER
from tests.sandbox.arm.models.scope import management_group
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.points import cut

_KEY = intent(Registration.ACCESS, SOURCE)
_PATCH = "PATCH /subscriptions/{id}/providers/Microsoft.Authorization/roleManagementPolicies/{id}"


def policies(bench: Bench) -> AzurePolicies:
    """The client of policies."""
    return AzurePolicies(lambda: bench.arm, bench.settings.allowed_azure_roles)


def of(subscription: Subscription) -> SubscriptionId:
    """Its id."""
    return SubscriptionId(subscription.id)


async def lock(bench: Bench, production: Subscription, key: OpenIntent = _KEY, hours: int = 8) -> Policy:
    """Ana approves, for so many hours; gives the policy as it is read back."""
    client = policies(bench)
    found = await client.read(of(production), VM_CONTRIBUTOR)
    assert found is not None
    wish = Wanted(
        approvers=Principals(users=(ObjectId(bench.world.ana.object_id),)),
        hours=hours,
        mfa=True,
        context="",
        ticket=True,
    )
    rules = [one.rule for one in differences(found.settings, wish)]
    wanted = replace(found, settings=target(found.settings, wish))
    assert await client.change(of(production), VM_CONTRIBUTOR, wanted, rules, key)
    again = await client.read(of(production), VM_CONTRIBUTOR)
    assert again is not None
    assert differences(again.settings, wish) == ()
    return again


async def test_a_policy_is_changed_and_read_back_and_another_rule_stays(bench: Bench) -> None:
    production = bench.production()
    production.pim.policy().longest("P90D")

    found = await lock(bench, production)

    assert found.settings.approvers.users == (bench.world.ana.object_id,)
    assert found.settings.longest_eligibility == "P90D"


async def test_a_policy_is_found_where_the_filter_is_ignored_and_pages_are_short(open_bench: Open) -> None:
    bench = await open_bench(flipped=("arm-policy-filter-ignored",))
    production = bench.production()
    bench.world.clouds.azure.page = 1

    found = await lock(bench, production)

    assert found.policy_id == production.pim.policy(VM_CONTRIBUTOR).id


async def test_an_answer_that_got_lost_costs_one_repeat(bench: Bench) -> None:
    production = bench.production()
    bench.world.points.arm("vendor.after", _PATCH, 0, cut)

    await lock(bench, production)

    assert sum(one.method == "PATCH" for one in bench.world.clouds.recorder.entries) == 2


@pytest.mark.parametrize(
    "key", [intent(Registration.ACCESS, TARGET), intent(Registration.LOOKUP, SOURCE)], ids=["tenant", "registration"]
)
async def test_no_policy_is_changed_without_its_own_intent(key: OpenIntent, bench: Bench) -> None:
    production = bench.production()

    with pytest.raises(MissingIntent):
        await lock(bench, production, key)

    assert production.pim.policy().modified_at is None


@pytest.mark.parametrize("role", [OWNER, STORAGE_ACCOUNT_CONTRIBUTOR])
async def test_a_role_that_is_not_allowed_is_refused_before_anything_is_sent(role: str, bench: Bench) -> None:
    production, client = bench.production(), policies(bench)

    with pytest.raises(RoleNotAllowed):
        await client.read(of(production), role)
    with pytest.raises(RoleNotAllowed):
        await client.change(of(production), role, Policy(policy_id="x", settings=RoleSettings()), [APPROVAL], _KEY)

    assert [one for one in bench.world.clouds.recorder.entries if one.service == "arm"] == []


async def test_a_rule_that_is_refused_is_named_and_the_others_are_in_force(bench: Bench) -> None:
    production = bench.production()

    with pytest.raises(Rejected) as refused:
        await lock(bench, production, hours=30)

    assert ACTIVATION in refused.value.call.message
    assert APPROVAL not in refused.value.call.message
    assert production.pim.policy().demanded("EndUser_Assignment") == [
        "Justification",
        "MultiFactorAuthentication",
        "Ticketing",
    ]


async def test_the_right_to_say_who_approves_is_one_of_its_own(open_bench: Open) -> None:
    bench = await open_bench()
    production = bench.production()
    [principal] = {one.principal_id for one in production.access.assignments.values()}
    production.access.assignments.clear()
    without = [one for one in azure_actions() if not one.endswith("approvalRule/action")]
    bench.world.clouds.azure.give(principal, production, without, name="Less")

    with pytest.raises(Forbidden) as refused:
        await lock(bench, production)

    assert "approvalRule/action" in refused.value.call.message


async def test_a_directory_without_pim_is_told_so(bench: Bench) -> None:
    production = bench.production()
    bench.world.contoso.licences.p2 = False

    with pytest.raises(PimUnavailable):
        await policies(bench).read(of(production), VM_CONTRIBUTOR)


async def test_holders_are_read_at_above_and_below_over_all_pages_each_once(bench: Bench) -> None:
    production, reader = bench.production(), AzureAccess(lambda: bench.arm)
    bench.world.clouds.azure.page = 2
    group, above = production.add_resource_group("vms"), management_group("all")
    contributor = production.access.role(CONTRIBUTOR)
    assert contributor is not None
    for scope in (production.scope, group, above):
        production.access.assign(bench.world.ana.object_id, contributor, scope)
        production.eligible(bench.world.ana.object_id, end=None, scope=scope)

    assigned = [one for one in await reader.assignments(of(production)) if one.role_definition_id == CONTRIBUTOR]
    eligible = await reader.eligible(of(production))

    everywhere = sorted([Where.AT, Where.BELOW, Where.ABOVE])
    assert sorted(where(one.scope, of(production)) for one in assigned) == everywhere
    assert sorted(where(one.scope, of(production)) for one in eligible) == everywhere
    roles = await reader.roles(of(production))
    assert roles[CONTRIBUTOR].name == "Contributor"
    assert not roles[CONTRIBUTOR].custom
    assert any(one.custom for one in roles.values())
    assert await reader.active(of(production)) == []
