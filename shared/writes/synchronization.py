"""The privileged writes of acts 6 to 8 on the synchronization: enterprise application, job, secrets, scope, start."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Never

import msgspec

from shared.errors import Ambiguous, NotFound, RemoteCall
from shared.graph.sync_shapes import Assignment, Job, ServicePrincipal
from shared.identifiers import ObjectId, TenantId
from shared.permissions import Registration
from shared.privileged import IN_PATIENCE, OpenIntent, PrivilegedWrite
from shared.services import Services
from shared.subjects import intent_key
from shared.tenants.change import Change
from shared.tenants.record import Synchronization, Tenant

type Arguments = Mapping[str, str]


def held(tenant: Tenant) -> Synchronization:
    """What is known of the tenant's synchronization. Act 6 makes the name up first."""
    if tenant.record.synchronization is None:
        raise LookupError("act 6 has not begun")
    return tenant.record.synchronization


async def remember(services: Services, tenant_id: TenantId, **facts: str | bool) -> Tenant:
    """Store what became known of the synchronization."""
    return await _store(services, tenant_id, lambda found: msgspec.structs.replace(held(found), **facts))


async def _remember_application(services: Services, tenant: Tenant, name: str, made: str) -> None:
    """Forget what was known of an application that is gone: this one is new. What others found meanwhile stays."""
    before = held(tenant).service_principal_id

    def known(found: Tenant) -> Synchronization:
        same = held(found).service_principal_id in (before, "")
        return Synchronization(name=name, service_principal_id=made) if same else held(found)

    await _store(services, tenant.record.tenant_id, known)


async def _store(services: Services, tenant_id: TenantId, known: Callable[[Tenant], Synchronization]) -> Tenant:
    def decide(found: Tenant) -> Change | None:
        synchronization = known(found)
        if synchronization == found.record.synchronization:
            return None
        return Change(record=msgspec.structs.replace(found.record, synchronization=synchronization))

    return await services.tenants.update(tenant_id, decide)


def enterprise_application(
    services: Services, tenant: Tenant, arguments: Arguments
) -> PrivilegedWrite[ServicePrincipal | None]:
    """Act 6: our enterprise application, by the id that the vendor told, else by its name.

    The name holds the target's id and a part that only we know before it exists, so a stranger's application of a
    guessable name is never taken for ours.
    """
    name, where = arguments["name"], services.settings.source_tenant_id
    object_name = f"enterprise application for {tenant.record.tenant_id}"
    known = [one for one in (held(tenant).service_principal_id,) if one]

    async def read() -> ServicePrincipal | None:
        if known:
            application = await services.applications.service_principal(known[-1])
            if application is not None:
                return application
        found = await services.applications.find_applications(name)
        if len(found) > 1:
            raise Ambiguous(name)
        if not found and known and not _made_long_ago(tenant, where, object_name, services.clock.now()):
            unseen(services, "/servicePrincipals/{id}")
        return found[0] if found else None

    async def send(_: ServicePrincipal | None, intent: OpenIntent) -> str:
        if known:
            # From now on what is made is found by its name: an answer may get lost.
            await _remember_application(services, tenant, name, "")
            known.clear()
        made, request_id = await services.applications.instantiate(name, intent)
        known.append(made.id)
        await _remember_application(services, tenant, name, made.id)
        return request_id

    return PrivilegedWrite(
        kind="enterprise_application",
        arguments=arguments,
        registration=Registration.SOURCE,
        where=where,
        object_name=object_name,
        what="add the enterprise application of cross-tenant synchronization",
        act=6,
        wanted={"displayName": name},
        read=read,
        satisfied=lambda image: image is not None,
        send=send,
        picture=msgspec.to_builtins,
        patient=True,
    )


def synchronization_job(services: Services, tenant: Tenant, _: Arguments) -> PrivilegedWrite[Job | None]:
    """Act 6: the job. While this run knows an id nothing is made anew."""
    service_principal_id, where = held(tenant).service_principal_id, services.settings.source_tenant_id
    object_name = f"synchronization job for {tenant.record.tenant_id}"
    known = [one for one in (held(tenant).job_id,) if one]

    async def read() -> Job | None:
        if known:
            job = await services.synchronizations.job(service_principal_id, known[-1])
            if job is not None:
                return job
        jobs = await services.synchronizations.jobs(service_principal_id)
        if not jobs and known and not _made_long_ago(tenant, where, object_name, services.clock.now()):
            unseen(services, "/servicePrincipals/{id}/synchronization/jobs/{id}")
        return jobs[0] if jobs else None

    async def send(_: Job | None, intent: OpenIntent) -> str:
        if known:
            await remember(services, tenant.record.tenant_id, job_id="", rule_id="", secrets_stored=False)
            known.clear()
        made, request_id = await services.synchronizations.create_job(service_principal_id, intent)
        known.append(made.id)
        await remember(services, tenant.record.tenant_id, job_id=made.id, rule_id="", secrets_stored=False)
        return request_id

    return PrivilegedWrite(
        kind="synchronization_job",
        arguments={},
        registration=Registration.SOURCE,
        where=where,
        object_name=object_name,
        what="add the synchronization job",
        act=6,
        wanted={"templateId": "Azure2Azure"},
        read=read,
        satisfied=lambda image: image is not None,
        send=send,
        picture=msgspec.to_builtins,
        patient=True,
    )


def secrets(services: Services, tenant: Tenant, _: Arguments) -> PrivilegedWrite[str | None]:
    """Act 6: which tenant the job goes to. Secrets cannot be read back: stored once by us, then proved by validating.

    What validating says of an empty set is unconfirmed, so it alone would prove nothing, least of all `SyncAll` false.
    """
    known = held(tenant)
    stored = [known.secrets_stored]

    async def read() -> str | None:
        if not stored[-1]:
            return "not stored by us yet"
        return await services.synchronizations.validate_saved_credentials(known.service_principal_id, known.job_id)

    async def send(_: str | None, intent: OpenIntent) -> str:
        request_id = await services.synchronizations.put_secrets(
            known.service_principal_id, tenant.record.tenant_id, intent
        )
        stored.append(True)
        await remember(services, tenant.record.tenant_id, secrets_stored=True)
        return request_id

    return PrivilegedWrite(
        kind="secrets",
        arguments={},
        registration=Registration.SOURCE,
        where=services.settings.source_tenant_id,
        object_name=f"synchronization secrets for {tenant.record.tenant_id}",
        what="point the synchronization at the target tenant, for assigned users only",
        act=6,
        wanted={"CompanyId": tenant.record.tenant_id, "AuthenticationType": "SyncPolicy", "SyncAll": "false"},
        read=read,
        satisfied=lambda problem: problem is None,
        send=send,
        picture=lambda problem: {"problem": problem},
    )


def assignment(services: Services, tenant: Tenant, arguments: Arguments) -> PrivilegedWrite[list[Assignment]]:
    """Act 7: one analyst is in scope, assigned to the app role that was read."""
    known = held(tenant)
    analyst = ObjectId(arguments["analyst"])

    async def send(_: list[Assignment], intent: OpenIntent) -> str:
        return await services.applications.assign(known.service_principal_id, known.app_role_id, analyst, intent)

    def mine(found: list[Assignment]) -> list[Assignment]:
        return [one for one in found if one.principal_id == analyst and one.app_role_id == known.app_role_id]

    return PrivilegedWrite(
        kind="assignment",
        arguments=arguments,
        registration=Registration.SOURCE,
        where=services.settings.source_tenant_id,
        object_name=f"assignment of {analyst} for {tenant.record.tenant_id}",
        what="put the analyst in scope of the synchronization",
        act=7,
        wanted={"principalId": analyst, "appRoleId": known.app_role_id},
        read=lambda: services.applications.assignments(known.service_principal_id),
        satisfied=lambda found: bool(mine(found)),
        send=send,
        picture=lambda found: msgspec.to_builtins(mine(found)),
    )


def unassignment(services: Services, tenant: Tenant, arguments: Arguments) -> PrivilegedWrite[list[Assignment]]:
    """Act 22: one analyst is out of scope. While the job runs, a cycle then soft-deletes their account in the target."""
    known = held(tenant)
    analyst = ObjectId(arguments["analyst"])

    async def read() -> list[Assignment]:
        found = await services.applications.assignments(known.service_principal_id)
        return [one for one in found if one.principal_id == analyst]

    async def send(found: list[Assignment], intent: OpenIntent) -> str:
        request_id = ""
        for one in found:
            request_id = await services.applications.unassign(known.service_principal_id, one.id, intent)
        return request_id

    return PrivilegedWrite(
        kind="unassignment",
        arguments=arguments,
        registration=Registration.SOURCE,
        where=services.settings.source_tenant_id,
        object_name=f"assignment of {analyst} for {tenant.record.tenant_id}",
        what="take the analyst out of scope of the synchronization",
        act=22,
        wanted=[],
        read=read,
        satisfied=lambda found: not found,
        send=send,
        picture=msgspec.to_builtins,
    )


def start(services: Services, tenant: Tenant, _: Arguments) -> PrivilegedWrite[Job | None]:
    """Act 8: the job runs by schedule. Started once; a job in quarantine is a person's business."""
    known = held(tenant)

    async def send(_: Job | None, intent: OpenIntent) -> str:
        return await services.synchronizations.start(known.service_principal_id, known.job_id, intent)

    return PrivilegedWrite(
        kind="start",
        arguments={},
        registration=Registration.SOURCE,
        where=services.settings.source_tenant_id,
        object_name=f"start of the synchronization job for {tenant.record.tenant_id}",
        what="start the synchronization job",
        act=8,
        wanted={"schedule": {"state": "Active"}},
        read=lambda: services.synchronizations.job(known.service_principal_id, known.job_id),
        satisfied=lambda job: job is not None and job.started,
        send=send,
        picture=msgspec.to_builtins,
        patient=True,
    )


async def is_gone(services: Services, tenant: Tenant) -> bool:
    """Whether what act 6 made was deleted since: the application, or its job. What is new may only be slow to show."""
    made = _known_since(services, tenant)
    if made is None or services.clock.now() - made < IN_PATIENCE:
        return False
    known = held(tenant)
    if await services.applications.service_principal(known.service_principal_id) is None:
        found = await services.applications.find_applications(known.name)
        return known.service_principal_id not in [one.id for one in found]
    jobs = await services.synchronizations.jobs(known.service_principal_id)
    return known.job_id not in [one.id for one in jobs]


def _known_since(services: Services, tenant: Tenant) -> datetime | None:
    """When act 6 ended; of one that never did, when the application was made."""
    if 6 in tenant.acts and tenant.acts[6].ended is not None:
        return tenant.acts[6].ended
    object_name = f"enterprise application for {tenant.record.tenant_id}"
    intent = tenant.intents.get(intent_key(services.settings.source_tenant_id, object_name))
    return intent.opened if intent is not None else None


def unseen(services: Services, path: str) -> Never:
    """A thing that was made and does not show must never look like its absence: a twin would follow. Come again."""
    raise NotFound(
        RemoteCall(
            service="graph",
            method="GET",
            path=path,
            tenant_id=services.settings.source_tenant_id,
            registration=Registration.SOURCE.value,
            status=404,
            code="NotToBeSeen",
        )
    )


def _made_long_ago(tenant: Tenant, where: TenantId, object_name: str, now: datetime) -> bool:
    """Whether an id that is known but shows nothing may be forgotten: what was made lately may only be slow to show."""
    intent = tenant.intents.get(intent_key(where, object_name))
    return intent is None or (intent.run < tenant.record.run and now - intent.opened > IN_PATIENCE)
