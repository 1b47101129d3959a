"""The happy path: what is so in both tenants, in the store and in the audit trail when a tenant is Ready."""

from tests.flows.scene import Scene


async def test_a_tenant_becomes_ready_and_every_analyst_is_eligible(scene: Scene) -> None:
    people = scene.world.people

    record = await scene.onboarded(people.ana, people.ben)

    assert ["Done"] * len(record["acts"]) == [act["state"] for act in record["acts"]]
    assert {people.ana.object_id, people.ben.object_id} == {one["analyst"] for one in record["eligibilities"]}
    assert await scene.open_run() is None


async def test_every_write_is_audited_once_and_no_intent_stays_open(scene: Scene) -> None:
    await scene.onboarded()

    tenant = await scene.tenant()
    entries = await scene.entries()

    assert {"closed"} == {intent.state.value for intent in tenant.intents.values()}
    assert len(tenant.intents) == len(entries) == len(scene.applied())
    assert {"done"} == {entry.deed.outcome for entry in entries}
