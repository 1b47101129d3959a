"""The orchestration of a run whose row is there is started."""

import logging

from shared.errors import NotStarted
from shared.run import Run, StartOrchestration, key_of
from shared.running.acts import ORCHESTRATORS
from shared.services import Services

_log = logging.getLogger(__name__)


async def launch(services: Services, start: StartOrchestration | None, run: Run) -> None:
    """Start it. What cannot be started now, or from here (`start` None), the sweeper starts: its row is there."""
    if start is None:
        return
    try:
        await start(ORCHESTRATORS[run.kind], run.orchestration_id, key_of(run))
    except NotStarted as error:
        _log.warning("run.not_started subject=%s run=%s reason=%s", run.subject, run.number, error)
        return
    await services.runs.mark_started(run)
