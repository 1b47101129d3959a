"""What reads tell of a tenant's open questions."""

from collections.abc import Iterable

import msgspec

from shared.doctor.asking import Told
from shared.doctor.findings import Finding, either, likely, other, unsettled
from shared.doctor.visit import Look, TenantVisit, refused
from shared.errors import NotConsented
from shared.graph.shapes import IdentitySynchronization, Partner
from shared.graph.sync_shapes import APP_ROLE, JOB_TEMPLATE, Assignment, Job, LogEntry, ServicePrincipal
from shared.permissions import (
    LIST_ASSIGNED,
    LIST_GROUP_MEMBERS,
    LIST_PROVISIONING_LOG,
    READ_IDENTITY_SYNC,
    READ_JOB,
    READ_PARTNER,
    READ_ROLE_POLICY,
    READ_SERVICE_PRINCIPAL,
    READ_TARGET_USER,
    RUN_HUNTING_QUERY,
    SECURITY_READER,
    VALIDATE_CREDENTIALS,
    Call,
    Registration,
)
from shared.saved_queries import DEVICES_BY_PLATFORM
from shared.tenants.findings import Feature
from shared.tenants.record import Synchronization

_ROLE_VALUE = "app-role-value-is-null"
_SYNC_ALL = "sync-all-false-means-assigned-only"
_CODE = "policy-check-code"
_LOG = "provisioning-log-filter-jobid-refused"
_ACCEPTED = "synced-user-accepted"
_NO_P2 = "no-p2-policy-readable"
_NO_DEFENDER, _NO_DEVICES, _QUOTA = "hunting-without-defender", "hunting-without-devices", "hunting-quota-tells-wait"
_CODES = (
    "AzureDirectoryB2BManagementPolicyCheckFailure",
    "AzureActiveDirectoryCrossTenantSyncPolicyCheckFailure",
)


class _Id(msgspec.Struct):
    id: str


class _Account(msgspec.Struct, rename="camel"):
    external_user_state: str | None = None


class _Results(msgspec.Struct):
    results: list[msgspec.Raw] = []


async def _app_role(visit: TenantVisit) -> list[Finding]:
    told = await _in_source(visit, READ_SERVICE_PRINCIPAL, query={"$select": "id,appRoles"})
    if not told.taken:
        return refused((_ROLE_VALUE,), told, Registration.SOURCE)
    for role in told.decode(ServicePrincipal).app_roles:
        if role.provisions:
            text = f"value is {'null' if role.value is None else role.value}"
            return [either(_ROLE_VALUE, text, is_other=role.value != APP_ROLE)]
    return []


async def _log(visit: TenantVisit) -> list[Finding]:
    query = {"$filter": f"jobId eq '{_kept(visit).job_id}'", "$top": "1"}
    told = await visit.asker.ask(LIST_PROVISIONING_LOG, Registration.SOURCE, visit.source, (), query)
    if told.taken or told.status == 400:
        return [either(_LOG, f"answered with {told.brief}", is_other=not told.taken)]
    return refused((_LOG,), told, Registration.SOURCE)


async def _sync_all(visit: TenantVisit) -> list[Finding]:
    job = await _in_source(visit, READ_JOB, _kept(visit).job_id)
    if not job.taken:
        return refused((_SYNC_ALL,), job, Registration.SOURCE)
    if job.decode(Job).last_cycle_began is None:
        return unsettled([_SYNC_ALL], "no cycle of the job has ended yet")
    _, rows = await visit.asker.listed(
        LIST_ASSIGNED, Registration.SOURCE, visit.source, (_kept(visit).service_principal_id,), {"$top": "999"}
    )
    expected = {*visit.tenant.analysts, *await _members(visit, rows)}
    strangers = {one for one in await _provisioned(visit) if one not in expected}
    text = f"{len(strangers)} users were provisioned who are not assigned"
    return [either(_SYNC_ALL, text, is_other=bool(strangers))]


async def _members(visit: TenantVisit, rows: Iterable[msgspec.Raw]) -> set[str]:
    """Who is assigned, by themselves or as a direct member of an assigned group."""
    found: set[str] = set()
    for one in (msgspec.json.decode(row, type=Assignment) for row in rows):
        found.add(one.principal_id)
        if one.principal_type == "Group":
            _, members = await visit.asker.listed(
                LIST_GROUP_MEMBERS, Registration.LOOKUP, visit.source, (one.principal_id,), {"$select": "id"}
            )
            found |= {msgspec.json.decode(row, type=_Id).id for row in members}
    return found


async def _provisioned(visit: TenantVisit) -> set[str]:
    """Of the newest entries of the job's log, whom it made or changed in the target."""
    kept = _kept(visit)
    told = Told(status=0, code="", content=b"")
    for chosen in (f"jobId eq '{kept.job_id}'", f"tolower(servicePrincipal/id) eq '{kept.service_principal_id}'"):
        query = {"$filter": chosen, "$top": "200", "$orderby": "activityDateTime desc"}
        told, rows = await visit.asker.listed(LIST_PROVISIONING_LOG, Registration.SOURCE, visit.source, (), query)
        if told.taken:
            entries = [msgspec.json.decode(row, type=LogEntry) for row in rows]
            done = [one for one in entries if one.job_id == kept.job_id and _is_success(one)]
            return {one.source_identity.id for one in done if one.source_identity and one.source_identity.id}
    return set()


def _is_success(entry: LogEntry) -> bool:
    status = entry.provisioning_status_info
    return status is not None and (status.status or "").lower() == "success"


async def _policy_check(visit: TenantVisit) -> list[Finding]:
    """Only where the connection is broken in one way, by somebody's hand, is its code telling."""
    kept = _kept(visit)
    credentials = [{"key": "CompanyId", "value": visit.id}, {"key": "AuthenticationType", "value": "SyncPolicy"}]
    body = {"useSavedCredentials": False, "templateId": JOB_TEMPLATE, "credentials": credentials}
    told = await visit.asker.ask(
        VALIDATE_CREDENTIALS, Registration.SOURCE, visit.source, (kept.service_principal_id,), body=body
    )
    if told.taken:
        return unsettled([_CODE], "the connection is sound, so there is no refusal to see")
    if told.code not in _CODES:
        return refused((_CODE,), told, Registration.SOURCE)
    partner = await visit.asker.ask(READ_PARTNER, Registration.SOURCE, visit.source, (visit.id,))
    try:
        sync = await visit.asker.ask(READ_IDENTITY_SYNC, Registration.SETUP, visit.id, (visit.source,))
    except NotConsented:
        # As it should be once a tenant is Ready.
        return unsettled(
            [_CODE], f"refused with {told.code}, but Tenantry Setup cannot look at the target's side any more"
        )
    redeems = partner.taken and _redeems(partner.decode(Partner))
    lets_in = sync.taken and sync.decode(IdentitySynchronization).allowed
    if redeems or not lets_in:
        return unsettled([_CODE], f"refused with {told.code}, but more than redemption may be missing")
    return [either(_CODE, f"refused with {told.code}", is_other=told.code == _CODES[1])]


def _redeems(partner: Partner) -> bool:
    consent = partner.automatic_user_consent_settings
    return consent is not None and consent.outbound_allowed is True


async def _accounts(visit: TenantVisit) -> list[Finding]:
    for analyst in visit.tenant.staying.values():
        if analyst.target_object_id is None or analyst.earlier_account:
            continue
        told = await visit.asker.ask(
            READ_TARGET_USER,
            Registration.ACCESS,
            visit.id,
            (analyst.target_object_id,),
            {"$select": "externalUserState"},
        )
        if not told.taken:
            return refused((_ACCEPTED,), told, Registration.ACCESS)
        state = told.decode(_Account).external_user_state
        if state in ("Accepted", None):
            return [either(_ACCEPTED, f"it is {state or 'null'}", is_other=state is None)]
    return []


async def _without_pim(visit: TenantVisit) -> list[Finding]:
    if not visit.tenant.record.without_pim:
        return unsettled([_NO_P2], "the tenant has PIM: name one without")
    chosen = f"scopeId eq '/' and scopeType eq 'DirectoryRole' and roleDefinitionId eq '{SECURITY_READER}'"
    told = await visit.asker.ask(READ_ROLE_POLICY, Registration.ACCESS, visit.id, (), {"$filter": chosen})
    if told.taken or told.code == "AadPremiumLicenseRequired":
        return [either(_NO_P2, f"answered with {told.brief}", is_other=told.taken)]
    return refused((_NO_P2,), told, Registration.ACCESS)


async def _hunting(visit: TenantVisit) -> list[Finding]:
    if Feature.HUNTING not in visit.tenant.record.wanted.features:
        return unsettled(_HUNTING_FACTS, "hunting is not wanted in the tenant")
    body = {"query": DEVICES_BY_PLATFORM.text, "timespan": DEVICES_BY_PLATFORM.timespan}
    told = await visit.asker.ask(RUN_HUNTING_QUERY, Registration.HUNT, visit.id, body=body)
    if told.status == 429:
        text = "a query was refused for the quota just now"
        return [either(_QUOTA, text, is_other=told.tells_wait)]
    if told.status == 403:
        return [] if visit.defender else [other(_NO_DEFENDER, "a query is refused with 403")]
    if told.status == 400 and visit.defender is not None:
        text = "the table cannot be resolved"
        return [other(_NO_DEVICES, text) if visit.defender else likely(_NO_DEFENDER, text)]
    if told.status == 400:
        both = (_NO_DEFENDER, _NO_DEVICES)
        return unsettled(both, "the table cannot be resolved: say by --defender whether the tenant has Defender")
    if told.taken and not told.decode(_Results).results:
        return [likely(_NO_DEVICES, "the table is there, and no device in it")]
    return unsettled((_NO_DEFENDER, _NO_DEVICES), "the tenant has Defender, and devices")


async def _in_source(visit: TenantVisit, call: Call, *more: str, query: dict[str, str] | None = None) -> Told:
    kept = _kept(visit)
    return await visit.asker.ask(call, Registration.SOURCE, visit.source, (kept.service_principal_id, *more), query)


def _kept(visit: TenantVisit) -> Synchronization:
    """The tenant's synchronization; empty ids are refused by the vendor as anything unknown is."""
    return visit.tenant.record.synchronization or Synchronization(name="")


_HUNTING_FACTS = (_NO_DEFENDER, _NO_DEVICES, _QUOTA)

GRAPH_LOOKS: tuple[Look[TenantVisit], ...] = (
    Look(facts=(_ROLE_VALUE,), by=_app_role),
    Look(facts=(_LOG,), by=_log),
    Look(facts=(_SYNC_ALL,), by=_sync_all),
    Look(facts=(_CODE,), by=_policy_check),
    Look(facts=(_ACCEPTED,), by=_accounts),
    Look(facts=(_NO_P2,), by=_without_pim),
    Look(facts=_HUNTING_FACTS, by=_hunting),
)
