"""The HTTP side of managed subscriptions: what is declared there, and how it stands."""

import azure.functions as func
import msgspec

from shared.bodies import decode
from shared.callers import Caller
from shared.chain import Deed
from shared.durable import Orchestrations
from shared.errors import StoreConflict
from shared.identifiers import SubscriptionId
from shared.permissions import Registration
from shared.problems import answer, cursor_of, page_token
from shared.requests import no_subscription, operator, reader, subscription_id_of
from shared.services import Services
from shared.subscriptions import views
from shared.subscriptions.answers import SubscriptionPage
from shared.subscriptions.beneficiaries import check_person, check_principals, check_stranger
from shared.subscriptions.record import Change, Declaration, Record, Subscription, declared_anew
from shared.subscriptions.request import SubscriptionRequest, declared_in

DECLARE_ACT = 34

_PAGE = 100


async def put_subscription(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """PUT /api/subscriptions/{subscriptionId}: which eligibilities renewal looks after there. 201 when it is new here; 200
    with the plan for `dryRun`. Only a person declares something new, and nobody what they would hold themselves. Safe twice.
    """
    caller = await operator(services, request)
    subscription_id = subscription_id_of(request)
    body = decode(request.get_body(), request.headers.get("Content-Type", ""), SubscriptionRequest)
    declared = declared_in(body, services.settings.allowed_azure_roles)
    await check_principals(services, body, declared)
    known = await services.subscriptions.read(subscription_id)
    before = known.record.declared if known else ()
    added = views.added(before, declared)
    if added:
        check_person(caller)
    await check_stranger(services, caller, added)
    if body.dry_run:
        return answer(200, views.plan(before, declared))
    if known is None or declared != before:
        found = await services.audit.around(
            subscription_id,
            _deed(services, caller, subscription_id, known, declared),
            lambda: _declared(services, caller, subscription_id, known, declared),
        )
    else:
        found = known
    shown = views.view(services.settings.public_url, found, services.clock.now())
    return answer(201 if known is None else 200, shown)


async def get_subscriptions(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/subscriptions?cursor=: those on which something is declared."""
    await reader(services, request)
    records, following = await services.subscriptions.list(size=_PAGE, token=page_token(request))
    shown = tuple(views.summary(services.settings.public_url, one) for one in records)
    return answer(200, SubscriptionPage(value=shown, cursor=cursor_of(following)))


async def get_subscription(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/subscriptions/{subscriptionId}: what is declared there, and how it stood when it was last looked at."""
    await reader(services, request)
    found = await services.subscriptions.read(subscription_id_of(request))
    if found is None:
        return no_subscription()
    return answer(200, views.view(services.settings.public_url, found, services.clock.now()))


async def _declared(
    services: Services,
    caller: Caller,
    subscription_id: SubscriptionId,
    known: Subscription | None,
    declared: tuple[Declaration, ...],
) -> Subscription:
    now = services.clock.now()
    if known is None:
        record = Record(
            subscription_id=subscription_id,
            created=now,
            requested_by=caller.object_id,
            declared=declared,
            changed=now,
            changed_by=caller.object_id,
        )
        await services.subscriptions.create(Change(record=record))  # or another request was faster: then as below
    before = known.record.declared if known else declared

    def decide(found: Subscription) -> Change | None:
        if found.record.declared not in (before, declared):
            # What the caller may declare was checked against what was there.
            raise StoreConflict(f"what is declared on {subscription_id} has changed meanwhile")
        return declared_anew(found, declared, caller.object_id, now)

    return await services.subscriptions.update(subscription_id, decide)


def _deed(
    services: Services,
    caller: Caller,
    subscription_id: SubscriptionId,
    known: Subscription | None,
    declared: tuple[Declaration, ...],
) -> Deed:
    """The audit entry comes before the declaration counts. A repeat leaves a second one, which says the same."""
    return Deed(
        at=services.clock.now(),
        registration=Registration.API.value,
        on_whose_word=caller.object_id,
        tenant_id=services.settings.source_tenant_id,
        act=DECLARE_ACT,
        run=known.record.run if known else 0,
        what="declare which eligibilities on the subscription are looked after",
        why="a declaration by an operator",
        object_name=f"declaration of {subscription_id}",
        wanted=msgspec.Raw(msgspec.json.encode(declared)),
        before=msgspec.Raw(msgspec.json.encode(known.record.declared if known else None)),
        outcome="done",
        request_id="",
    )
