"""Tenants put into the store as a run would have left them, by the app's own code for writing."""

from datetime import datetime
from typing import Any

import msgspec

from shared.identifiers import TenantId
from shared.tenants.change import Change
from shared.tenants.record import Record, Wanted
from shared.tenants.states import State
from tests.flows.scene import Scene
from tests.sandbox.population import guid

WANTED = Wanted(display_name="Seeded", group_id=None, user_ids=(), duration_days=180)


async def seed(scene: Scene, name: str, state: State, **changes: Any) -> TenantId:
    """A tenant in that state; the same name is the same tenant id."""
    now: datetime = scene.world.clock.now()
    record = Record(
        tenant_id=TenantId(guid(name)),
        domain=f"{name}.example",
        state=state,
        since=now,
        created=now,
        run=1,
        run_nonce=guid(f"nonce-{name}"),
        requested_by=scene.world.people.operator.object_id,
        wanted=WANTED,
    )
    assert await scene.tenants.create(Change(record=msgspec.structs.replace(record, **changes)))
    return record.tenant_id
