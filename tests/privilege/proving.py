"""Runs the flows: with the full set, and with one permission out of force at the vendor while every token still claims it.

The app checks its tokens itself and stops with words where a permission is not in them; that proves no need. So the
tokens stay as they are here, and it is Graph that refuses.
"""

import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from shared.permissions import MULTI_TENANT, Call, Registration, SourceMode
from tests.flows.scene import Scene
from tests.privilege.flows import BEGINS, FLOWS, Flow, NotReached
from tests.privilege.judging import SIDES, Made, could_miss, made, missed, refused
from tests.sandbox.graph.permissions import AS_LIKELY
from tests.sandbox.population import CLIENT_IDS
from tests.sandbox.session import Session
from tests.sandbox.switches import Switches
from tests.sandbox.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What breaks without a permission: the flow, the call that was refused, and the answer under which it is so."""

    flow: Flow
    call: Call
    switches: Switches


@dataclass(slots=True)
class Prover:
    """The flows of one process: each is passed once with the full set, when something is asked of it."""

    session: Session
    folder: Path
    _passed: dict[tuple[str, SourceMode, frozenset[str]], list[Made]] = field(default_factory=dict)
    _worlds: int = 0

    async def passed(self, flow: Flow, mode: SourceMode, switches: Switches = AS_LIKELY) -> list[Made]:
        """The calls of a flow that comes to its end. Raises NotReached."""
        known = (flow.name, mode, switches.flipped)
        if known not in self._passed:
            self._passed[known] = await self._run(flow, mode, switches)
        return self._passed[known]

    async def finding(self, registration: Registration, permission: str, mode: SourceMode) -> Finding | None:
        """The first flow that does not come to its end without the permission; None where all of them do."""
        for switches in SIDES:
            if not could_miss(registration, permission, mode, switches):
                continue
            for flow in FLOWS:
                if not missed(await self.passed(flow, mode), registration, permission, switches):
                    continue
                await self.passed(flow, mode, switches)
                call = await self._broken(flow, mode, switches, registration, permission)
                if call is not None:
                    return Finding(flow=flow, call=call, switches=switches)
        return None

    async def _broken(
        self, flow: Flow, mode: SourceMode, switches: Switches, registration: Registration, permission: str
    ) -> Call | None:
        """The call that was refused, where that kept the flow from its end."""
        broken: list[Made] = []
        with suppress(NotReached):
            await self._run(flow, mode, switches, without=(registration, permission), recording=broken)
            return None
        found = refused(broken, registration, permission, switches)
        return found[0] if found else None

    async def _run(
        self,
        flow: Flow,
        mode: SourceMode,
        switches: Switches,
        *,
        without: tuple[Registration, str] | None = None,
        recording: list[Made] | None = None,
    ) -> list[Made]:
        self._worlds += 1
        folder = self.folder / f"world-{self._worlds}"
        settings = {"TENANTRY_SOURCE_MODE": mode.value}
        world = World(folder=folder, session=self.session, start=BEGINS, flipped=switches.flipped, settings=settings)
        calls: list[Made] = [] if recording is None else recording
        async with world, Scene(world) as scene:
            world.clouds.replication.off()
            if without is not None:
                _take_away(world, *without)
            try:
                await flow.story(scene, mode)
            finally:
                calls += made(world.clouds.recorder.entries)
            assert world.violations() == []
        shutil.rmtree(folder)
        return calls


def _take_away(world: World, registration: Registration, permission: str) -> None:
    tenant = world.fabrikam if registration in MULTI_TENANT else world.contoso
    world.clouds.disregard(CLIENT_IDS[registration], tenant.id, permission)
