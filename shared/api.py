"""Every HTTP operation of the app, and the one that tells of them all. What is not listed here is not registered."""

import azure.functions as func
import msgspec

from shared.activation import operations as activation
from shared.approvals import operations as approvals
from shared.auditing import operations as auditing
from shared.document import document
from shared.notify import operations as notify
from shared.offboarding import operations as offboarding
from shared.onboarding import operations as onboarding
from shared.operations import Access, Operation, json
from shared.orchestrations import Orchestrations
from shared.problems import HEADERS
from shared.renewal import operations as renewal
from shared.services import Services
from shared.subscriptions import operations as subscriptions
from shared.upkeep import operations as upkeep

_made: dict[str, bytes] = {}
"""The document, by the address it is for: one a process. It takes a while, and a cold start must not wait for it."""


async def get_openapi(services: Services, _: Orchestrations, __: func.HttpRequest) -> func.HttpResponse:
    """GET /api/openapi.json: what there is to ask, and how it is answered."""
    address = services.settings.public_url
    if address not in _made:
        _made[address] = msgspec.json.encode(document(OPERATIONS, address))
    return func.HttpResponse(body=_made[address], status_code=200, headers=HEADERS, mimetype="application/json")


OPERATIONS: tuple[Operation, ...] = (
    *onboarding.OPERATIONS,
    *upkeep.OPERATIONS,
    *subscriptions.OPERATIONS,
    *renewal.OPERATIONS,
    *activation.OPERATIONS,
    *offboarding.OPERATIONS,
    *approvals.OPERATIONS,
    *notify.OPERATIONS,
    *auditing.OPERATIONS,
    Operation(
        name="get_openapi",
        method="GET",
        path="openapi.json",
        told="what this table says, as OpenAPI 3.1: with every type that is taken or answered with",
        function=get_openapi,
        who=Access.OPEN,
        answers={200: json("The document.", dict)},
        behind=False,
    ),
)
