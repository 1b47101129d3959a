"""The privileged writes of act 25: the job is paused and deleted, then the application object that came with our
enterprise application, then that, where it did not go along.

Each is kept under the object of the write that made the thing, so its first image stays.
"""

from collections.abc import Mapping

import msgspec

from shared.errors import Ambiguous, NotFound
from shared.graph.sync_shapes import Application, Job, ServicePrincipal
from shared.permissions import Registration
from shared.privileged import IN_PATIENCE, OpenIntent, PrivilegedWrite
from shared.services import Services
from shared.subjects import Intent, intent_key
from shared.tenants.record import Tenant
from shared.writes.synchronization import held, unseen

type Arguments = Mapping[str, str]

_NOTHING = msgspec.Raw(b"null")


def is_ours(services: Services, tenant: Tenant) -> bool:
    """Whether we made the enterprise application: our own write says so, and that there was none before."""
    intent = _intent(services, tenant, _application_name(tenant))
    return intent is not None and intent.before == _NOTHING and intent.landed


def made_job(services: Services, tenant: Tenant) -> bool:
    """Whether we made the job, in whosever application."""
    intent = _intent(services, tenant, _job_name(tenant))
    return intent is not None and intent.before == _NOTHING and intent.landed


def started_job(services: Services, tenant: Tenant) -> bool:
    """Whether the job ran by no schedule before us, and does by our act."""
    intent = _intent(services, tenant, _start_name(tenant))
    if intent is None or not intent.landed:
        return False
    before = msgspec.json.decode(intent.before, type=Job | None)
    return before is None or not before.started


async def enterprise_application(services: Services, tenant: Tenant) -> ServicePrincipal | None:
    """Our enterprise application, by its id, else by its name; or the adopted one. None once it is gone.

    Raises Ambiguous; NotFound while one that was made lately may only be slow to show.
    """
    known = held(tenant)
    if known.adopted:
        return await services.applications.service_principal(known.service_principal_id)
    if known.service_principal_id:
        found = await services.applications.service_principal(known.service_principal_id)
        if found is not None:
            return found
    named = await services.applications.find_applications(known.name)
    if len(named) > 1:
        raise Ambiguous(known.name)
    if not named:
        _refuse_to_guess(services, tenant, _application_name(tenant), "/servicePrincipals/{id}")
    return named[0] if named else None


async def job_of(services: Services, tenant: Tenant) -> Job | None:
    """Our job; None once it, or its application, is gone. Raises as above."""
    known = held(tenant)
    if not known.service_principal_id:
        return None
    if known.job_id:
        found = await services.synchronizations.job(known.service_principal_id, known.job_id)
        if found is not None:
            return found
    try:
        jobs = await services.synchronizations.jobs(known.service_principal_id)
    except NotFound:
        if await enterprise_application(services, tenant) is not None:
            raise
        return None
    if not jobs:
        _refuse_to_guess(services, tenant, _job_name(tenant), "/servicePrincipals/{id}/synchronization/jobs/{id}")
    return jobs[0] if jobs else None


def pause(services: Services, tenant: Tenant, _: Arguments) -> PrivilegedWrite[Job | None]:
    """The job runs no more."""
    known = held(tenant)

    async def send(image: Job | None, intent: OpenIntent) -> str:
        job_id = image.id if image is not None else known.job_id
        return await services.synchronizations.pause(known.service_principal_id, job_id, intent)

    return PrivilegedWrite(
        kind="pause",
        arguments={},
        registration=Registration.SOURCE,
        where=services.settings.source_tenant_id,
        object_name=_start_name(tenant),
        what="pause the synchronization job",
        act=25,
        wanted={"schedule": {"state": "Paused"}},
        read=lambda: job_of(services, tenant),
        satisfied=lambda job: job is None or not job.started,
        send=send,
        picture=msgspec.to_builtins,
    )


def job_removal(services: Services, tenant: Tenant, _: Arguments) -> PrivilegedWrite[Job | None]:
    """The job is deleted."""
    known = held(tenant)

    async def send(image: Job | None, intent: OpenIntent) -> str:
        job_id = image.id if image is not None else known.job_id
        return await services.synchronizations.delete_job(known.service_principal_id, job_id, intent)

    return PrivilegedWrite(
        kind="job_removal",
        arguments={},
        registration=Registration.SOURCE,
        where=services.settings.source_tenant_id,
        object_name=_job_name(tenant),
        what="delete the synchronization job",
        act=25,
        wanted=None,
        read=lambda: job_of(services, tenant),
        satisfied=lambda job: job is None,
        send=send,
        picture=msgspec.to_builtins,
    )


def application_removal(services: Services, tenant: Tenant, _: Arguments) -> PrivilegedWrite[ServicePrincipal | None]:
    """Our enterprise application is deleted, with its assignments, where it outlived its application object."""

    async def send(image: ServicePrincipal | None, intent: OpenIntent) -> str:
        object_id = image.id if image is not None else held(tenant).service_principal_id
        return await services.applications.delete_service_principal(object_id, intent)

    return PrivilegedWrite(
        kind="application_removal",
        arguments={},
        registration=Registration.SOURCE,
        where=services.settings.source_tenant_id,
        object_name=_application_name(tenant),
        what="delete the enterprise application of cross-tenant synchronization",
        act=25,
        wanted=None,
        read=lambda: enterprise_application(services, tenant),
        satisfied=lambda image: image is None,
        send=send,
        picture=msgspec.to_builtins,
    )


def registration_removal(
    services: Services, tenant: Tenant, arguments: Arguments
) -> PrivilegedWrite[list[Application]]:
    """The application object that was made with it is deleted."""

    async def send(found: list[Application], intent: OpenIntent) -> str:
        request_id = ""
        for one in found:
            request_id = await services.applications.delete_application_object(one.id, intent)
        return request_id

    async def read() -> list[Application]:
        found = await services.applications.application_objects(arguments["app_id"])
        if not found and _intent(services, tenant, _registration_name(tenant)) is None:
            _refuse_to_guess(services, tenant, _application_name(tenant), "/applications")
        return found

    return PrivilegedWrite(
        kind="registration_removal",
        arguments=arguments,
        registration=Registration.SOURCE,
        where=services.settings.source_tenant_id,
        object_name=_registration_name(tenant),
        what="delete the application object of cross-tenant synchronization, with its enterprise application",
        act=25,
        wanted=[],
        read=read,
        satisfied=lambda found: not found,
        send=send,
        picture=msgspec.to_builtins,
    )


def _application_name(tenant: Tenant) -> str:
    return f"enterprise application for {tenant.record.tenant_id}"


def _start_name(tenant: Tenant) -> str:
    return f"start of the synchronization job for {tenant.record.tenant_id}"


def _registration_name(tenant: Tenant) -> str:
    return f"application object for {tenant.record.tenant_id}"


def _job_name(tenant: Tenant) -> str:
    return f"synchronization job for {tenant.record.tenant_id}"


def _intent(services: Services, tenant: Tenant, object_name: str) -> Intent | None:
    return tenant.intents.get(intent_key(services.settings.source_tenant_id, object_name))


def _refuse_to_guess(services: Services, tenant: Tenant, object_name: str, path: str) -> None:
    """What was made lately and does not show may only be slow to show; once its removal was sent, it is gone."""
    intent = _intent(services, tenant, object_name)
    removed = _intent(services, tenant, _registration_name(tenant))
    if intent is None or not intent.landed or intent.act == 25 or removed is not None:
        return
    if services.clock.now() - intent.opened < IN_PATIENCE:
        unseen(services, path)
