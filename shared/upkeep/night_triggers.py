"""When a night begins: once a day after the hour in the settings, also when the app slept through that hour."""

import logging

from shared.durable import Orchestrations
from shared.errors import NotStarted
from shared.run import Run, key_of, orchestration_id
from shared.running.acts import ORCHESTRATORS
from shared.services import Services
from shared.upkeep.messages import KIND

_log = logging.getLogger(__name__)

_ASKED_BY = "the nightly timer"


async def begin_night(services: Services, orchestrations: Orchestrations) -> None:
    """Every hour: is today's night there? If not, and the hour has come, its run row is inserted and it is started."""
    now = services.clock.now()
    subject = f"{KIND}-{now:%Y-%m-%d}"
    if now.hour < services.settings.nightly_hour or await services.runs.is_known(subject):
        return
    run = Run(
        subject=subject,
        kind=KIND,
        number=1,
        orchestration_id=orchestration_id(KIND, f"{now:%Y-%m-%d}", 1),
        nonce=services.new_id(),
        opened=now,
        requested_by=_ASKED_BY,
    )
    if await services.runs.insert(run) is not None:
        return
    try:
        await orchestrations.start(ORCHESTRATORS[KIND], run.orchestration_id, key_of(run))
    except NotStarted as error:
        # The run exists; the sweeper starts it.
        _log.warning("run.not_started subject=%s run=%s reason=%s", run.subject, run.number, error)
        return
    await services.runs.mark_started(run)
