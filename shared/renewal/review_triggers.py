"""A person's word that eligibilities are still needed. Who has the benefit of them says nothing of it."""

from datetime import UTC, datetime, time

import azure.functions as func
import msgspec
from msgspec.structs import replace

from shared.bodies import date_of, decode
from shared.callers import Caller
from shared.chain import Deed
from shared.errors import BadRequest, NotAllowed
from shared.orchestrations import Orchestrations
from shared.permissions import Registration
from shared.problems import answer
from shared.renewal import views
from shared.renewal.answers import ReviewBody
from shared.requests import no_subscription, not_found, operator, subscription_id_of, tenant_id_of
from shared.services import Services
from shared.subjects import REVIEW_PERIOD, Review
from shared.subscriptions import record as subscriptions
from shared.subscriptions.beneficiaries import check_stranger
from shared.tenants.change import Change
from shared.tenants.record import Tenant

REVIEW_ACT = 32


async def review_tenant(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """POST /api/tenants/{tenantId}/review: a person who is no analyst there says that it is needed."""
    caller = await operator(services, request)
    tenant_id = tenant_id_of(request)
    word = _word(services, caller, request)
    tenant = await services.tenants.read(tenant_id)
    if tenant is None:
        return not_found()
    _check_reviewer(caller, tenant)
    deed = _deed(services, tenant_id, tenant.record.run, tenant.record.reviewed, word)

    def decide(found: Tenant) -> Change:
        _check_reviewer(caller, found)
        return Change(record=replace(found.record, review=word))

    reviewed = await services.audit.around(tenant_id, deed, lambda: services.tenants.update(tenant_id, decide))
    return answer(200, views.review(reviewed.record))


async def review_subscription(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """POST /api/subscriptions/{subscriptionId}/review: a person who has none of its eligibilities says that it is needed."""
    caller = await operator(services, request)
    subscription_id = subscription_id_of(request)
    word = _word(services, caller, request)
    found = await services.subscriptions.read(subscription_id)
    if found is None:
        return no_subscription()
    caller.be_member("may say so")
    await check_stranger(services, caller, found.record.declared)
    deed = _deed(services, subscription_id, found.record.run, found.record.reviewed, word)

    def decide(seen: subscriptions.Subscription) -> subscriptions.Change:
        if seen.record.declared != found.record.declared:
            raise NotAllowed("what is declared has changed meanwhile: look at it, and say it again")
        return subscriptions.Change(record=replace(seen.record, review=word))

    reviewed = await services.audit.around(
        subscription_id, deed, lambda: services.subscriptions.update(subscription_id, decide)
    )
    return answer(200, views.subscription_review(reviewed.record))


def _word(services: Services, caller: Caller, request: func.HttpRequest) -> Review:
    body = decode(request.get_body(), request.headers.get("Content-Type", ""), ReviewBody)
    now = services.clock.now()
    return Review(by=caller.object_id, at=now, until=_until(body, now))


def _check_reviewer(caller: Caller, tenant: Tenant) -> None:
    """Raise NotAllowed for who has the benefit of it, too."""
    caller.be_member("may say so")
    if caller.object_id in tenant.analysts:
        raise NotAllowed("an analyst of the tenant may not say so: it is their own access")


def _deed(services: Services, subject_id: str, run: int, known: Review, word: Review) -> Deed:
    """The audit entry comes before the word counts. A repeat leaves a second one, which says the same."""
    return Deed(
        at=word.at,
        registration=Registration.API.value,
        on_whose_word=word.by,
        tenant_id=services.settings.source_tenant_id,
        act=REVIEW_ACT,
        run=run,
        what="say that the eligibilities are still needed",
        why="a review by an operator",
        object_name=f"review of {subject_id}",
        wanted=msgspec.Raw(msgspec.json.encode({"reviewBy": word.until})),
        before=msgspec.Raw(msgspec.json.encode({"reviewBy": known.until})),
        outcome="done",
        request_id="",
    )


def _until(body: ReviewBody, now: datetime) -> datetime:
    longest = now + REVIEW_PERIOD
    if body.review_by is None:
        return longest
    until = datetime.combine(date_of("reviewBy", body.review_by), time(), tzinfo=UTC)
    if not now < until <= longest:
        raise BadRequest("reviewBy", "is no day within the coming year")
    return until
