"""Nights of renewal in a scene: time goes by, and what PIM holds is looked at by truth."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from shared.eligibility.record import Eligibility
from shared.identifiers import ObjectId, TenantId
from shared.permissions import SECURITY_READER, Registration
from shared.tenants.change import Change
from shared.tenants.record import Analyst
from shared.tenants.states import State
from tests.app.seeds import seed
from tests.flows.scene import Scene
from tests.sandbox.graph.models.pim_records import Schedule
from tests.sandbox.personas import Person
from tests.sandbox.population import CLIENT_IDS, guid

EVENING = datetime(2026, 3, 2, 20, 0, 20, tzinfo=UTC)
_SWEPT = timedelta(minutes=4)
_NIGHT_SECONDS = 150.0
"""Of real time: a night that fails goes on for hours, and the machine may be busy."""


async def night_after(scene: Scene, days: int, *, seconds: float = _NIGHT_SECONDS) -> None:
    """Let the night after so many days come and go; nobody is at work before it."""
    clock = scene.world.clock
    then = (clock.now() + timedelta(days=days)).replace(hour=2, minute=35, second=1)
    clock.advance((then - clock.now()).total_seconds())
    await scene.world.host.idle(seconds)
    clock.advance(_SWEPT.total_seconds())
    await scene.world.host.idle(seconds)


def held(scene: Scene, person: Person | None = None) -> Schedule | None:
    """What PIM holds for an analyst, by truth."""
    return scene.world.fabrikam.pim.of(scene.account(person or scene.world.people.ana).id)


def end_of(scene: Scene, person: Person | None = None) -> datetime:
    """When it ends."""
    found = held(scene, person)
    assert found is not None
    assert found.end is not None
    return found.end


def midnight(scene: Scene) -> datetime:
    """The start of today."""
    return scene.world.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)


def requests(scene: Scene) -> list[str]:
    """What PIM was asked for, in order."""
    return [one.wanted.action for one in scene.world.fabrikam.pim.requests.values()]


async def told(scene: Scene) -> dict[str, tuple[str, str | None]]:
    """What today's report says of each of the tenant's eligibilities: outcome and why."""
    answer = await scene.call("GET", f"/api/renewals/{midnight(scene):%Y-%m-%d}")
    assert answer.status_code == 200, answer.text
    found = [one for one in answer.json()["tenants"] if one["tenantId"] == scene.target]
    return {one["principalId"]: (one["outcome"], one["why"]) for tenant in found for one in tenant["eligibilities"]}


async def stands_ready(scene: Scene, name: str, *, days: int = 10) -> tuple[TenantId, Schedule]:
    """A tenant whose one analyst, Ana, is eligible for so many days more, as an onboarding leaves it."""
    tenant_id, [held] = await stands_with(scene, name, {scene.world.people.ana: days})
    return tenant_id, held


async def stands_with(scene: Scene, name: str, days: Mapping[Person, int]) -> tuple[TenantId, list[Schedule]]:
    """A tenant whose analysts are eligible for so many days more each, as an onboarding leaves it."""
    world = scene.world
    tenant = world.clouds.add_tenant(guid(name), name, f"{name}.example")
    world.clouds.grant(CLIENT_IDS[Registration.ACCESS], tenant.id)
    analysts, rows, schedules = [], [], []
    for person, left in days.items():
        local = person.user_principal_name.partition("@")[0]
        account = world.clouds.person(tenant, f"{local}@{name}.example", person.display_name)
        held = tenant.pim.grant(account.object_id, end=midnight(scene) + timedelta(days=left))
        analyst = Analyst(
            object_id=ObjectId(person.object_id),
            display_name=person.display_name,
            user_principal_name=person.user_principal_name,
            target_object_id=ObjectId(account.object_id),
            provisioned=world.clock.now(),
        )
        row = Eligibility(
            principal_id=ObjectId(account.object_id),
            role_definition_id=SECURITY_READER,
            analyst_id=analyst.object_id,
            schedule_id=held.id,
            end=held.end,
            wanted_days=180,
        )
        analysts.append(analyst)
        rows.append(row)
        schedules.append(held)
    tenant_id = await seed(scene, name, State.READY)
    await scene.tenants.update(
        tenant_id, lambda found: Change(record=found.record, analysts=analysts, eligibilities=rows)
    )
    return tenant_id, schedules
