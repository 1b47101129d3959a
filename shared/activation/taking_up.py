"""A request gets its row and its run, however it came: one run follows it at a time."""

import logging

from msgspec.structs import replace

from shared.activation.record import RUN_KIND, Request, RequestId, State, found_at_pim, reopened
from shared.arm.activation_shapes import AskedActivation
from shared.notify.notices import Kind, Notice
from shared.orchestrations import Orchestrations
from shared.run import Run, key_of, orchestration_id
from shared.running.launching import launch
from shared.services import Services

_log = logging.getLogger(__name__)

_BY = "the watcher"


async def follow(services: Services, orchestrations: Orchestrations, request_id: RequestId) -> None:
    """Begin a run for a request, unless one is under way. The sweeper starts what cannot be started now."""
    found = await services.activations.read(request_id)
    if found is None or not found.record.is_open:
        return
    number = found.record.run + 1
    run = Run(
        subject=request_id,
        kind=RUN_KIND,
        number=number,
        orchestration_id=orchestration_id(RUN_KIND, request_id, number),
        nonce=services.new_id(),
        opened=services.clock.now(),
        requested_by=_BY,
    )
    if await services.runs.insert(run) is not None:
        return

    def shown(record: Request) -> Request | None:
        return replace(record, run=number, run_nonce=run.nonce) if record.run < number else None

    record = (await services.activations.change(request_id, shown)).record
    if record.run_nonce != run.nonce:
        await services.runs.close(key_of(run), "followed")
        return
    await launch(services, orchestrations.start, run)


async def take_up(services: Services, orchestrations: Orchestrations, asked: AskedActivation) -> None:
    """Its row, and its run. A request of ours has its row already; one that is over stays so. Safe twice."""
    request_id = RequestId(asked.request_id)
    found = await services.activations.read(request_id)
    if found is None:
        await services.activations.create(found_at_pim(asked))
        _log.info("activation.found request_id=%s subscription_id=%s", request_id, asked.subscription_id)
    elif found.record.brokered or _named(found.record.asked) != _named(asked):
        # Who asks chooses the name: one that is known from elsewhere must not hide a request.
        await _tell_of_taken_name(services, asked)
        return
    elif not found.record.is_open and found.record.state in (State.FAILED, State.EXPIRED):
        await services.activations.change(request_id, lambda one: None if one.is_open else reopened(one, asked))
    await follow(services, orchestrations, request_id)


def _named(asked: AskedActivation) -> tuple[str, str, str]:
    return asked.subscription_id, asked.below.lower(), asked.principal_id


async def _tell_of_taken_name(services: Services, asked: AskedActivation) -> None:
    now = services.clock.now()
    _log.error("activation.name_taken subscription_id=%s request_id=%s", asked.subscription_id, asked.request_id)
    notice = Notice(
        kind=Kind.VIOLATION,
        at=now,
        subscription_id=asked.subscription_id,
        principal_id=asked.principal_id,
        role_definition_id=asked.role_definition_id,
        why="nameTaken",
    )
    await services.outbox.tell(now.date(), notice)
