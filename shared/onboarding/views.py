"""What the API shows: records, summaries and plans, as plain JSON values. Pure."""

from shared.onboarding import checklist, proving, signin
from shared.onboarding.request import Intake
from shared.permissions import CALLS, Registration, needed
from shared.run import Run
from shared.running.acts import ACTS, asked_of
from shared.running.consents import pending
from shared.running.starting import has_written
from shared.settings import Settings
from shared.tenants.findings import Feature
from shared.tenants.record import Act, ActState, Problem, Record, Tenant
from shared.tenants.states import State

type Json = dict[str, object]


def summary(settings: Settings, record: Record) -> Json:
    """One line of the list."""
    return {
        "tenantId": record.tenant_id,
        "displayName": record.wanted.display_name,
        "domain": record.domain,
        "state": record.state.value,
        "since": record.since,
        "deadline": record.deadline,
        "run": record.run,
        "problem": _problem(record.problem),
        "whatToDo": list(record.what_to_do),
        "href": f"{settings.public_url}/api/tenants/{record.tenant_id}",
    }


def record(settings: Settings, tenant: Tenant) -> Json:
    """The whole record of a tenant."""
    ready = tenant.record.state is State.READY
    return {
        **summary(settings, tenant.record),
        "wanted": _wanted(tenant),
        "requestedBy": tenant.record.requested_by,
        "cancelledBy": tenant.record.cancelled_by or None,
        "warnings": [
            *tenant.record.warnings,
            *signin.warnings(tenant.sign_in),
            *proving.warnings(tenant.proofs.get(Feature.HUNTING)),
        ],
        "acts": [_act(number, name, tenant.acts.get(number)) for number, name in _names()],
        "consents": _consents(settings, tenant),
        "analysts": _analysts(tenant),
        "eligibilities": _eligibilities(tenant),
        "permissions": _permissions(settings, tenant),
        "signIn": signin.shown(tenant.sign_in),
        "proof": proving.shown(tenant.proofs.get(Feature.HUNTING)),
        "confirmed": checklist.confirmed(tenant) if ready else None,
        "checklist": checklist.for_analysts(settings.portals, tenant) if ready else [],
        "administratorChecklist": checklist.for_administrator(settings.portals, tenant) if ready else [],
    }


def opening(settings: Settings, run: Run) -> Json:
    """A run whose record is not written yet: the process that opened it died, and the sweeper will start it."""
    return {
        "tenantId": run.subject,
        "state": State.ONBOARDING.value,
        "since": run.opened,
        "run": run.number,
        "acts": [_act(number, name, None) for number, name in _names()],
        "href": f"{settings.public_url}/api/tenants/{run.subject}",
    }


def accepted(settings: Settings, tenant: Tenant) -> Json:
    """The answer to what starts or stops a run; with the consent link while consent is missing."""
    waiting = pending(tenant)
    body = summary(settings, tenant.record)
    if waiting is not None:
        body["consentLink"] = _link(settings, waiting.state)
    return body


def plan(intake: Intake, tenant: Tenant | None) -> Json:
    """What a POST would do. What only the target tenant can tell is named as unknown."""
    return {
        "dryRun": True,
        "tenantId": intake.tenant_id,
        "knownAs": intake.known_as,
        "domain": intake.domain,
        "state": tenant.record.state.value if tenant else None,
        "hasWritten": tenant is not None and has_written(tenant),
        "analysts": [
            {"objectId": one.object_id, "displayName": one.display_name, "userPrincipalName": one.user_principal_name}
            for one in intake.analysts
        ],
        "acts": [{"number": number, "name": name, "would": _would(number, tenant)} for number, name in _names()],
        "permissions": [
            {"registration": one.value, "permissions": list(needed(one))}
            for one in (*asked_of(intake.wanted), Registration.SOURCE)
        ],
        "writes": [f"{call.method} {call.path}" for call in CALLS if call.write],
        "unknown": [
            "whether the target's administrator consents",
            "what the target's cross-tenant access settings hold already, and so which writes are needed",
            "the target's licences and its PIM policy for Security Reader, and so how long eligibilities may last",
            "which analysts have an account in the target already",
        ],
    }


def _names() -> list[tuple[int, str]]:
    return [(act.number, act.name) for act in ACTS]


def _would(number: int, tenant: Tenant | None) -> str:
    act = tenant.acts.get(number) if tenant else None
    return "be passed over: done" if act is not None and act.state is ActState.DONE else "run"


def _act(number: int, name: str, act: Act | None) -> Json:
    if act is None:
        return {"number": number, "name": name, "state": ActState.PENDING.value}
    return {
        "number": number,
        "name": name,
        "state": act.state.value,
        "since": act.since,
        "ended": act.ended,
        "detail": act.detail,
    }


def _wanted(tenant: Tenant) -> Json:
    wanted = tenant.record.wanted
    who: Json = {"groupId": wanted.group_id} if wanted.group_id else {"userIds": list(wanted.user_ids)}
    return {
        "analysts": who,
        "duration": f"P{wanted.duration_days}D",
        "trust": {
            "mfa": wanted.trust.mfa,
            "compliantDevice": wanted.trust.compliant_device,
            "hybridJoined": wanted.trust.hybrid_joined,
        },
        "features": list(wanted.features),
    }


def _consents(settings: Settings, tenant: Tenant) -> list[Json]:
    shown: list[Json] = []
    for registration in asked_of(tenant.record.wanted):
        consent = tenant.consents.get(registration)
        if consent is None:
            continue
        proved = consent.proved is not None
        state = "proved" if proved else "being checked" if consent.answered else "asked for"
        shown.append(
            {
                "registration": registration.value,
                "state": state,
                "since": consent.proved or consent.answered or consent.created,
                "link": None if proved else _link(settings, consent.state),
                "problem": consent.problem or None,
            }
        )
    return shown


def _analysts(tenant: Tenant) -> list[Json]:
    return [
        {
            "objectId": one.object_id,
            "displayName": one.display_name,
            "userPrincipalName": one.user_principal_name,
            "targetObjectId": one.target_object_id,
            "problem": _problem(one.problem),
        }
        for one in sorted(tenant.analysts.values(), key=lambda analyst: analyst.display_name)
    ]


def _eligibilities(tenant: Tenant) -> list[Json]:
    return [
        {
            "principalId": one.principal_id,
            "analyst": one.analyst_id,
            "roleDefinitionId": one.role_definition_id,
            "scheduleId": one.schedule_id,
            "endDateTime": one.end,
            "wanted": f"P{one.wanted_days}D",
            "cappedTo": f"P{one.capped_to_days}D" if one.capped_to_days else None,
        }
        for one in tenant.eligibilities.values()
    ]


def _permissions(settings: Settings, tenant: Tenant) -> list[Json]:
    source = {Registration.SOURCE.value: settings.source_tenant_id}
    return [
        {"registration": name, "tenant": source.get(name, tenant.record.tenant_id), "permissions": list(roles)}
        for name, roles in tenant.record.granted.items()
    ]


def _problem(problem: Problem | None) -> Json | None:
    return None if problem is None else {"code": problem.code, "what": problem.what, "do": problem.do}


def _link(settings: Settings, state: str) -> str:
    return f"{settings.public_url}/api/consent/{state}"
