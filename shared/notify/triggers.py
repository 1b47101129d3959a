"""The outbox at the API: how it stands, and that it is to be sent anew."""

import logging

import azure.functions as func
from msgspec.structs import replace

from shared.notify import views
from shared.notify.answers import OutboxView
from shared.notify.notices import Destination
from shared.orchestrations import Orchestrations
from shared.problems import answer
from shared.requests import operator, reader
from shared.services import Services

_log = logging.getLogger(__name__)

_MOST = 5000
"""Of so many the API tells how they stand; nobody reads more."""


async def get_outbox(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/outbox: how many alarms are undelivered, since when, and why."""
    await reader(services, request)
    return answer(200, await _shown(services))


async def retry_outbox(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """POST /api/outbox/retry: whatever stopped a message is over; all are sent within minutes. Safe twice."""
    caller = await operator(services, request)
    count = await services.outbox.again(services.clock.now())
    _log.info("notice.sent_anew count=%s on_whose_word=%s", count, caller.object_id)
    return answer(200, await _shown(services))


async def _shown(services: Services) -> OutboxView:
    delivers, addresses = services.settings.role.works, services.settings.destinations.urls
    return OutboxView(
        value=tuple(
            [
                views.destination(
                    name,
                    [replace(found.kept, body="") async for found in services.outbox.undelivered(name, _MOST)],
                    configured=name in addresses if delivers else None,
                    gone_since=await services.outbox.stopped(name),
                )
                for name in Destination
            ]
        )
    )
