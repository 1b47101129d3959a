"""The broker's own app: it carries out what was approved, and takes back what is given back. It asks and tells nobody.

The run of a request, in the worker's app, rules on it and sees what comes of it. What is to be done here is on its row.
"""

import logging

from shared.activation import granting
from shared.activation.brokered import is_to_grant, is_to_take_back
from shared.activation.closing import closing
from shared.activation.record import RequestId
from shared.orchestrations import Orchestrations
from shared.services import Services
from shared.side_by_side import KeptApart, each_of

_log = logging.getLogger(__name__)

_AT_ONCE = 20


async def serve_broker(services: Services, _: Orchestrations) -> None:
    """Three times a minute: every open request of the mode broker. One that fails does not stop the others. Safe twice."""
    open_ones = [one.request_id for one in await services.activations.open_hints() if one.brokered]

    async def one(request_id: RequestId) -> None:
        with KeptApart(_log, "broker.postponed", request_id=request_id):
            await _serve(services, request_id)

    await each_of(open_ones, one, at_once=_AT_ONCE)


async def _serve(services: Services, request_id: RequestId) -> None:
    found = await services.activations.read(request_id)
    if found is None or await closing(services, found):
        return
    record = found.record
    if is_to_grant(record):
        await granting.granted(services, record, await services.subscriptions.read(record.subscription_id))
    elif is_to_take_back(record, services.clock.now()):
        await granting.taken_back(services, record)
