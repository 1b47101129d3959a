"""The finance approvers' webhook: signed by Standard Webhooks, within five minutes, each id acted on once."""

import logging
from enum import StrEnum
from typing import Annotated

import azure.functions as func
import msgspec
from msgspec import Meta

from shared.activation.record import RequestId
from shared.activation.verdicts import Fate, Given, take
from shared.activation.webhook_ids import Received
from shared.bodies import decode
from shared.clock import SystemClock
from shared.errors import BadRequest
from shared.formats import Guid, Moment
from shared.identifiers import ObjectId, as_guid
from shared.notify.notices import BODY_BYTES
from shared.notify.webhook import Checked, checked
from shared.orchestrations import Orchestrations
from shared.problems import answer, problem
from shared.services import Services

_log = logging.getLogger(__name__)


class Says(StrEnum):
    """A verdict."""

    APPROVE = "approve"
    DENY = "deny"


class VerdictData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which request, what finance says of it, and who: the object id of a declared finance approver."""

    request: Guid
    verdict: Says
    approver: Guid
    reason: Annotated[str, Meta(max_length=500)] = ""


class VerdictMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The body of the webhook (Standard Webhooks, payload structure)."""

    type: Annotated[str, Meta(pattern="^finance\\.verdict$")]
    timestamp: Moment
    data: VerdictData


class VerdictAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was done with it. In PIM's mode it never decides; for the broker it may."""

    request: Guid
    verdict: Says
    recorded: bool
    next: str


_NEXT = {
    Says.APPROVE: "The approvers hear that finance agreed. One of them still decides.",
    Says.DENY: "The request will be cancelled, unless it was decided in the portal a moment ago.",
}
_NEXT_BROKERED = {
    Says.APPROVE: "It counts towards the quorum, as far as the deployment's ceiling lets a webhook count.",
    Says.DENY: "The request is denied.",
}
_TOLD = {
    Checked.INCOMPLETE: "The headers webhook-id, webhook-timestamp and webhook-signature are not all there, or malformed.",
    Checked.BAD_SIGNATURE: "The signature fits none of the keys of this deployment.",
    Checked.OUT_OF_TIME: "The webhook's timestamp is more than five minutes from now.",
}
_REFUSED = {
    Fate.UNKNOWN_REQUEST: (404, "Not found", "No such request is known here."),
    Fate.NOT_PENDING: (409, "Not pending", "The request is decided, or over."),
    Fate.STRANGER: (
        403,
        "Not allowed",
        "The approver is not declared for finance on the request's subscription, or gone.",
    ),
    Fate.BEING_DECIDED: (409, "Being decided", "Somebody decides it at this moment. Send it again in a minute."),
    Fate.OLDER: (409, "Older", "A later word of the same approver is known."),
    Fate.OWN_REQUEST: (403, "Not allowed", "Nobody gives a verdict on their own request."),
}


async def post_verdict(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """POST /api/webhooks/finance: finance's verdict. 202 once it is recorded. A repeat is answered, and acted on once."""
    keys = services.settings.finance_keys.keys
    if not keys:
        return problem(404, "Not found", "This deployment takes no verdicts: it has no key to check them with.")
    body = request.get_body()
    if len(body) > BODY_BYTES:
        return problem(413, "Too large", f"A verdict has no more than {BODY_BYTES} bytes.")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return problem(400, "Bad request", "body: is not UTF-8", field="body", reason="is not UTF-8")
    message_id = request.headers.get("webhook-id", "")
    found = checked(
        message_id,
        request.headers.get("webhook-timestamp", ""),
        request.headers.get("webhook-signature", ""),
        text,
        keys,
        SystemClock().now(),  # signatures live on machine time
    )
    if found is not Checked.GOOD:
        _log.warning("webhook.refused reason=%s", found.value)
        return problem(401, "Not signed", _TOLD[found])
    message = decode(body, request.headers.get("Content-Type", ""), VerdictMessage)
    given = _given(message)
    received = await services.webhook_ids.receive(message_id, body, services.clock.now())
    if received is None:
        return problem(409, "Another body", "A webhook with this id and another body was received before.")
    if received.answer:
        return answer(202, msgspec.json.decode(received.answer, type=VerdictAnswer))
    return await _answered(services, orchestrations, given, message, message_id, received)


async def _answered(
    services: Services,
    orchestrations: Orchestrations,
    given: Given,
    message: VerdictMessage,
    message_id: str,
    received: Received,
) -> func.HttpResponse:
    fate, record = await take(services, orchestrations, given)
    if fate is not Fate.RECORDED:
        return problem(*_REFUSED[fate])
    verdict = message.data.verdict
    words = _NEXT_BROKERED if record is not None and record.brokered else _NEXT
    told = VerdictAnswer(request=given.request_id, verdict=verdict, recorded=True, next=words[verdict])
    await services.webhook_ids.answered(message_id, received, msgspec.json.encode(told).decode())
    return answer(202, told)


def _given(message: VerdictMessage) -> Given:
    data = message.data
    request_id, by = as_guid(data.request), as_guid(data.approver)
    if request_id is None:
        raise BadRequest("data.request", "is not a GUID")
    if by is None:
        raise BadRequest("data.approver", "is not a GUID")
    return Given(
        request_id=RequestId(request_id),
        approves=data.verdict is Says.APPROVE,
        by=ObjectId(by),
        reason=data.reason,
        said=message.timestamp,
    )
