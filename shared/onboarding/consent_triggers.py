"""The consent pages: open routes, each bound to a single-use state. GET of a page decides nothing; the callback is
Entra's.

The callback proves nothing by itself. It stores that an answer came, and a run proves it by a fresh token.
"""

import azure.functions as func
import msgspec

from shared.onboarding import pages
from shared.onboarding.kit_making import as_html, kit_text
from shared.orchestrations import Orchestrations
from shared.permissions import Registration
from shared.running.consents import entra_link, find, pending, tenant_of
from shared.running.lifecycle import open_run
from shared.running.needs import asked_for
from shared.running.starting import continued
from shared.services import Services
from shared.tenants.change import Change
from shared.tenants.record import Consent, Tenant
from shared.tenants.states import UNDER_WAY, State

_REFRESH_SECONDS = 3


async def get_consent_page(services: Services, _: Orchestrations, request: func.HttpRequest) -> func.HttpResponse:
    """GET /api/consent/{state}: what is asked, why, how to take it back, and the link to Entra."""
    state = request.route_params.get("state", "")
    tenant = await _tenant(services, state)
    consent = find(tenant, state) if tenant else None
    if tenant is None or consent is None:
        return _html(404, pages.unknown_link())
    return _html(200, await _page(services, tenant, consent))


async def get_consent(
    services: Services, orchestrations: Orchestrations, request: func.HttpRequest
) -> func.HttpResponse:
    """GET /api/consent: Entra sends the administrator back here, with a consent or an error."""
    state = request.params.get("state", "")
    tenant = await _tenant(services, state)
    consent = find(tenant, state) if tenant else None
    if tenant is None or consent is None:
        return _html(404, pages.unknown_link())
    if consent.proved is not None:
        return _html(200, await _page(services, tenant, consent))
    if reason := _refused(request, tenant):
        await _note(services, tenant, consent.registration, problem=reason)
        return _html(200, pages.not_given(consent.registration, reason, _here(services, consent)))
    tenant = await _note(services, tenant, consent.registration, problem="")
    await _prove(services, orchestrations, tenant)
    return _html(200, await _page(services, tenant, tenant.consents[consent.registration]))


def unanswered(told: func.HttpResponse) -> func.HttpResponse:
    """The page for when a service behind the app does not answer, or refuses. Reloading repeats what was asked, safely."""
    waits = {"Retry-After": told.headers["Retry-After"]} if "Retry-After" in told.headers else {}
    page = pages.try_again() if waits else pages.not_set_up()
    headers = {**pages.HEADERS, **waits}
    return func.HttpResponse(body=page, status_code=told.status_code, headers=headers, mimetype="text/html")


def _refused(request: func.HttpRequest, tenant: Tenant) -> str:
    """Why this is no consent. `error` first: admin_consent=True comes with errors too (v2-admin-consent)."""
    if error := request.params.get("error"):
        return f"Entra answered {error[:60]}: the consent was declined or not allowed."
    if request.params.get("admin_consent", "").lower() != "true":
        return "Entra's answer holds no consent."
    if (answered := request.params.get("tenant", "").lower()) != tenant.record.tenant_id:
        return f"The consent was given in another tenant ({answered[:40] or 'none named'})."
    return ""


async def _note(services: Services, tenant: Tenant, registration: Registration, *, problem: str) -> Tenant:
    now = services.clock.now()

    def decide(found: Tenant) -> Change | None:
        consent = found.consents[registration]
        if consent.proved is not None or consent.state != tenant.consents[registration].state:
            return None
        # An old tab that shows an error must not undo an answer that came.
        answered = consent.answered if problem else now
        return Change(
            record=found.record, consents=[msgspec.structs.replace(consent, answered=answered, problem=problem)]
        )

    return await services.tenants.update(tenant.record.tenant_id, decide)


async def _prove(services: Services, orchestrations: Orchestrations, tenant: Tenant) -> None:
    """Let a run look. One that is open already is woken, and looks again before it ends."""
    record = tenant.record
    if record.state is State.WAITING_FOR_CONSENT:
        await open_run(
            services,
            orchestrations.start,
            record.tenant_id,
            record.run + 1,
            record.requested_by,
            continued(record, only_from=State.WAITING_FOR_CONSENT),
        )
    elif (run := await services.runs.open_run(record.tenant_id)) is not None:
        await orchestrations.wake(run.orchestration_id)


async def _tenant(services: Services, state: str) -> Tenant | None:
    tenant_id = tenant_of(state)
    return await services.tenants.read(tenant_id) if tenant_id else None


async def _page(services: Services, tenant: Tenant, consent: Consent) -> str:
    name = tenant.record.wanted.display_name
    if consent.proved is not None:
        following = pending(tenant)
        link = _here(services, following) if following else ""
        return pages.proved(consent.registration, name, link, tenant.record.goal)
    waits = tenant.record.state in (*UNDER_WAY, State.WAITING_FOR_CONSENT)
    if not waits or consent.registration not in asked_for(tenant):
        return pages.nobody_waits(consent.registration, name, tenant.record.goal)
    if consent.answered is not None:
        return _checking(services, tenant, consent)
    link = entra_link(
        services.settings.authority,
        tenant.record.tenant_id,
        services.settings.client_ids[consent.registration],
        f"{services.settings.graph_endpoint}/.default",
        f"{services.settings.public_url}/api/consent",
        consent.state,
    )
    asking = await services.directory.source_name()
    kit = as_html(await kit_text(services, tenant))
    known_as = f"{name} ({tenant.record.domain})"
    return pages.ask(consent.registration, asking, known_as, link, consent.problem, kit, goal=tenant.record.goal)


def _checking(services: Services, tenant: Tenant, consent: Consent) -> str:
    name = tenant.record.wanted.display_name
    return pages.being_checked(consent.registration, name, _REFRESH_SECONDS, _here(services, consent))


def _here(services: Services, consent: Consent) -> str:
    return f"{services.settings.public_url}/api/consent/{consent.state}"


def _html(status: int, page: str) -> func.HttpResponse:
    return func.HttpResponse(body=page, status_code=status, headers=pages.HEADERS, mimetype="text/html")
