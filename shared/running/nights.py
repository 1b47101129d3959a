"""When a night's work begins: once a day after its hour, also when the app slept through that hour."""

from datetime import datetime

import msgspec

from shared.orchestrations import Orchestrations
from shared.run import Run, night_subject, orchestration_id
from shared.running.launching import launch
from shared.services import Services

ASKED_BY = "the nightly timer"


async def begin(
    services: Services, orchestrations: Orchestrations, kind: str, hour: int, wanted: msgspec.Struct | None = None
) -> None:
    """Is today's night there? If not, and the hour has come, its run row is inserted and it is started."""
    now = services.clock.now()
    day = f"{now:%Y-%m-%d}"
    if now.hour < hour or await services.runs.is_known(night_subject(kind, day)):
        return
    await open_night(services, orchestrations, night(services, kind, day, 1, ASKED_BY, now, wanted))


def night(
    services: Services,
    kind: str,
    day: str,
    number: int,
    requested_by: str,
    now: datetime,
    wanted: msgspec.Struct | None = None,
) -> Run:
    """The run row of a night's work. `day` tells it from other nights."""
    return Run(
        subject=night_subject(kind, day),
        kind=kind,
        number=number,
        orchestration_id=orchestration_id(kind, day, number),
        nonce=services.new_id(),
        opened=now,
        requested_by=requested_by,
        wanted=msgspec.Raw(b"{}" if wanted is None else msgspec.json.encode(wanted)),
    )


async def open_night(services: Services, orchestrations: Orchestrations, run: Run) -> Run | None:
    """Insert its row and start it. None: it is under way; else the run that is there."""
    holder = await services.runs.insert(run)
    if holder is not None:
        return holder
    await launch(services, orchestrations.start, run)
    return None
