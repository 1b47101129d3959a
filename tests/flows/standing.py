"""How things stand when an onboarding has come to its end: both tenants by truth, the record, the audit trail.

A picture without ids and times, so that two worlds can be compared: a twin object, a write audited twice, an intent or
a run left open each make a difference.
"""

from collections.abc import Mapping
from datetime import timedelta

from shared.onboarding import signin
from tests.flows.scene import Scene
from tests.sandbox.graph.models.applications import SYNC_TEMPLATE
from tests.sandbox.graph.models.pim_records import Schedule

type Standing = Mapping[str, object]


async def standing(scene: Scene) -> Standing:
    """The picture. Raises ChainBroken when the audit trail does not hold together."""
    return {**await _kept(scene), **_in_target(scene), **_in_source(scene)}


def differences(expected: Standing, found: Standing) -> list[str]:
    """What is not as expected, one line each."""
    return [_told(name, wanted, found.get(name)) for name, wanted in expected.items() if found.get(name) != wanted]


def carried_out(found: Standing) -> Standing:
    """The picture with only those audit entries that say "done": a stopped run's trail also tells what came to nothing."""
    entries = found["audit"]
    assert isinstance(entries, list)
    return {**found, "audit": [entry for entry in entries if entry[-1] == "done"]}


def in_any_order(found: Standing) -> Standing:
    """The picture for two deliveries side by side: which of them writes its entry first is a matter of chance."""
    entries = found["audit"]
    assert isinstance(entries, list)
    return {**found, "audit": sorted(entries)}


def _told(name: str, wanted: object, found: object) -> str:
    if isinstance(wanted, list) and isinstance(found, list):
        missing, surplus = [one for one in wanted if one not in found], [one for one in found if one not in wanted]
        if missing or surplus:
            return f"{name}: missing {missing}, surplus {surplus}"
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        other = [key for key in {**wanted, **found} if wanted.get(key) != found.get(key)]
        return f"{name}: " + ", ".join(f"{key} is {found.get(key)}, not {wanted.get(key)}" for key in other)
    return f"{name}: {found}, not {wanted}"


async def _kept(scene: Scene) -> Standing:
    tenant = await scene.tenant()
    accounts, people = _accounts(scene), _people(scene)
    return {
        "state": tenant.record.state.value,
        "problem": tenant.record.problem,
        "acts": {number: act.state.value for number, act in sorted(tenant.acts.items())},
        "open run": (await scene.open_run()) is not None,
        "intents": sorted((one.kind, one.state.value, one.outcome) for one in tenant.intents.values()),
        "audit": [
            (one.deed.act, one.deed.what, _named(one.deed.object_name, {**people, **accounts}), one.deed.outcome)
            for one in await scene.entries()
        ],
        "analysts": sorted(
            (one.user_principal_name, accounts.get(one.target_object_id or ""), one.problem)
            for one in tenant.analysts.values()
        ),
        "eligibilities": sorted(
            (accounts.get(one.principal_id), one.wanted_days, one.capped_to_days, one.schedule_id in _schedules(scene))
            for one in tenant.eligibilities.values()
        ),
        "granted": sorted(tenant.record.granted),
        "sign-in": signin.summary(tenant.sign_in) if tenant.sign_in else None,
        "proofs": {
            feature.value: (proof.asked, [(one.query, one.rows, one.problem) for one in proof.answers])
            for feature, proof in tenant.proofs.items()
        },
    }


def _in_target(scene: Scene) -> Standing:
    target, source = scene.world.fabrikam, scene.world.contoso
    accounts = _accounts(scene)
    return {
        "target's partner": target.access.partner(source.id),
        "target's identity synchronization": target.access.identity_sync(source.id),
        "accounts in the target": sorted(accounts.values()),
        "eligible in the target": sorted(
            (accounts.get(one.principal_id, one.principal_id), one.role_id, _days(one)) for one in target.pim.active()
        ),
        "requests taken by PIM": sorted(one.wanted.action for one in target.pim.requests.values()),
    }


def _in_source(scene: Scene) -> Standing:
    target, source = scene.world.fabrikam, scene.world.contoso
    ours = [one for one in source.applications.principals.values() if one.template_id == SYNC_TEMPLATE]
    mine = {one.id for one in ours}
    people = _people(scene)
    return {
        "source's partner": source.access.partner(target.id),
        "enterprise applications": len([a for a in source.applications.applications.values() if a.template_id]),
        "service principals": [(one.display_name.partition(" Tenantry")[0], sorted(one.secrets)) for one in ours],
        "pointed at": [one.secrets.get("CompanyId") for one in ours],
        "assignments": sorted(
            people.get(one.principal_id, one.principal_id)
            for one in source.applications.assignments.values()
            if one.resource_id in mine
        ),
        "jobs": [
            (one.principal_id in mine, one.schedule, one.starts, one.quarantine) for one in source.jobs.jobs.values()
        ],
    }


def _people(scene: Scene) -> dict[str, str]:
    return {one.id: one.user_principal_name for one in scene.world.contoso.directory.users.values()}


def _accounts(scene: Scene) -> dict[str, str]:
    """The accounts in the target of those who were assigned, by id: a cycle may bring others in as well."""
    users = scene.world.fabrikam.directory.users.values()
    wanted = {one.principal_id for one in scene.world.contoso.applications.assignments.values()}
    return {
        one.id: f"{one.user_principal_name} ({one.user_type})"
        for one in users
        if one.source and one.source[1] in wanted
    }


def _schedules(scene: Scene) -> set[str]:
    return {one.id for one in scene.world.fabrikam.pim.active()}


def _days(schedule: Schedule) -> int | None:
    return None if schedule.end is None else round((schedule.end - schedule.start) / timedelta(days=1))


def _named(object_name: str, names: Mapping[str, str]) -> str:
    for object_id, name in names.items():
        object_name = object_name.replace(object_id, name)
    return object_name
