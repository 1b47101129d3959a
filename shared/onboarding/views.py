"""What the API shows: records, summaries and plans, made of what is kept. Pure."""

from collections.abc import Iterator

from msgspec import UNSET
from msgspec.structs import asdict

from shared.onboarding import checklist, proving, signin
from shared.onboarding.answers import (
    AccessView,
    ActView,
    AnalystsView,
    AnalystView,
    ConsentState,
    ConsentView,
    DriftView,
    EligibilityView,
    GrantedPermissions,
    HealthView,
    LeftView,
    NeededPermissions,
    PlannedAct,
    PlannedAnalyst,
    SkippedView,
    TenantAccepted,
    TenantOpening,
    TenantPlan,
    TenantRecord,
    TenantSummary,
    TrustView,
    WantedView,
)
from shared.onboarding.request import Intake
from shared.permissions import CALLS, Registration, needed
from shared.run import Run
from shared.running.acts import ACTS, asked_of
from shared.running.consents import pending
from shared.running.needs import shown_acts
from shared.running.starting import has_written
from shared.settings import Settings
from shared.tenants.findings import Feature
from shared.tenants.record import Act, ActState, Consent, Goal, Health, Record, Tenant
from shared.tenants.states import State


def summary(settings: Settings, record: Record) -> TenantSummary:
    """One line of the list."""
    return TenantSummary(
        tenant_id=record.tenant_id,
        display_name=record.wanted.display_name,
        domain=record.domain,
        state=record.state,
        since=record.since,
        deadline=record.deadline,
        run=record.run,
        problem=record.problem,
        what_to_do=record.what_to_do,
        href=f"{settings.public_url}/api/tenants/{record.tenant_id}",
    )


def record(settings: Settings, tenant: Tenant) -> TenantRecord:
    """The whole record of a tenant."""
    ready = tenant.record.state is State.READY
    return TenantRecord(
        **asdict(summary(settings, tenant.record)),
        wanted=_wanted(tenant),
        requested_by=tenant.record.requested_by,
        cancelled_by=tenant.record.cancelled_by or None,
        warnings=(
            *tenant.record.warnings,
            *signin.warnings(tenant.sign_in),
            *proving.warnings(tenant.proofs.get(Feature.HUNTING)),
        ),
        acts=tuple(_act(one.number, one.name, tenant.acts.get(one.number)) for one in shown_acts(tenant)),
        consents=tuple(_consents(settings, tenant)),
        analysts=tuple(_analysts(tenant)),
        eligibilities=tuple(_eligibilities(tenant)),
        permissions=tuple(_permissions(settings, tenant)),
        sign_in=signin.shown(tenant.sign_in),
        proof=proving.shown(tenant.proofs.get(Feature.HUNTING)),
        confirmed=checklist.confirmed(tenant) if ready else None,
        checklist=tuple(checklist.for_analysts(settings.portals, tenant)) if ready else (),
        administrator_checklist=tuple(checklist.for_administrator(settings.portals, tenant)) if ready else (),
        health=_health(tenant.health) if tenant.record.goal is Goal.ONBOARDING else None,
        review_by=tenant.record.reviewed.until,
        left_to_kit=tuple(_left(tenant)),
        skipped=tuple(_skipped(tenant)),
    )


def opening(settings: Settings, run: Run) -> TenantOpening:
    """A run whose record is not written yet: the process that opened it died, and the sweeper will start it."""
    return TenantOpening(
        tenant_id=run.subject,
        state=State.ONBOARDING,
        since=run.opened,
        run=run.number,
        acts=tuple(_act(number, name, None) for number, name in _names()),
        href=f"{settings.public_url}/api/tenants/{run.subject}",
    )


def accepted(settings: Settings, tenant: Tenant) -> TenantAccepted:
    """The answer to what starts or stops a run; with the consent link while consent is missing."""
    waiting = pending(tenant)
    return TenantAccepted(
        **asdict(summary(settings, tenant.record)),
        consent_link=_link(settings, waiting.state) if waiting else UNSET,
    )


def plan(intake: Intake, tenant: Tenant | None) -> TenantPlan:
    """What a POST would do. What only the target tenant can tell is named as unknown."""
    return TenantPlan(
        dry_run=True,
        tenant_id=intake.tenant_id,
        known_as=intake.known_as,
        domain=intake.domain,
        state=tenant.record.state if tenant else None,
        has_written=tenant is not None and has_written(tenant),
        analysts=tuple(
            PlannedAnalyst(
                object_id=one.object_id,
                display_name=one.display_name,
                user_principal_name=one.user_principal_name,
            )
            for one in intake.analysts
        ),
        acts=tuple(PlannedAct(number=number, name=name, would=_would(number, tenant)) for number, name in _names()),
        permissions=tuple(
            NeededPermissions(registration=one, permissions=tuple(needed(one)))
            for one in (*asked_of(intake.wanted), Registration.SOURCE)
        ),
        writes=tuple(f"{call.method} {call.path}" for call in CALLS if call.write),
        unknown=(
            "whether the target's administrator consents",
            "what the target's cross-tenant access settings hold already, and so which writes are needed",
            "the target's licences and its PIM policy for Security Reader, and so how long eligibilities may last",
            "which analysts have an account in the target already",
        ),
    )


def _names() -> list[tuple[int, str]]:
    return [(act.number, act.name) for act in ACTS]


def _left(tenant: Tenant) -> Iterator[LeftView]:
    for one in tenant.record.left_to_kit:
        yield LeftView(act=one.act, what=one.what, why=one.why, objects=one.objects)


def _skipped(tenant: Tenant) -> Iterator[SkippedView]:
    for one in tenant.record.skipped:
        yield SkippedView(
            act=one.act, tenant=one.where, what=one.what, why=one.why, before=one.before, left=one.left, now=one.now
        )


def _health(found: Health | None) -> HealthView | None:
    if found is None:
        return None
    drift = tuple(DriftView(where=one.where, what=one.what, was=one.was, now=one.now) for one in found.drift)
    return HealthView(looked=found.looked, drift=drift, notes=found.notes)


def _would(number: int, tenant: Tenant | None) -> str:
    act = tenant.acts.get(number) if tenant else None
    return "be passed over: done" if act is not None and act.state is ActState.DONE else "run"


def _act(number: int, name: str, act: Act | None) -> ActView:
    if act is None:
        return ActView(number=number, name=name, state=ActState.PENDING)
    return ActView(number=number, name=name, state=act.state, since=act.since, ended=act.ended, detail=act.detail)


def _wanted(tenant: Tenant) -> WantedView:
    wanted = tenant.record.wanted
    who = AnalystsView(group_id=wanted.group_id) if wanted.group_id else AnalystsView(user_ids=wanted.user_ids)
    return WantedView(
        analysts=who,
        duration=f"P{wanted.duration_days}D",
        trust=TrustView(
            mfa=wanted.trust.mfa,
            compliant_device=wanted.trust.compliant_device,
            hybrid_joined=wanted.trust.hybrid_joined,
        ),
        features=wanted.features,
        access=AccessView(mode=wanted.access.mode, group_id=wanted.access.group_id),
        without_pim=wanted.without_pim,
    )


def _consents(settings: Settings, tenant: Tenant) -> Iterator[ConsentView]:
    for registration in asked_of(tenant.record.wanted):
        consent = tenant.consents.get(registration)
        if consent is None:
            continue
        yield ConsentView(
            registration=registration,
            state=_consent_state(consent),
            since=consent.proved or consent.answered or consent.created,
            link=None if consent.proved else _link(settings, consent.state),
            problem=consent.problem or None,
        )


def _consent_state(consent: Consent) -> ConsentState:
    if consent.proved is not None:
        return ConsentState.PROVED
    return ConsentState.BEING_CHECKED if consent.answered else ConsentState.ASKED_FOR


def _analysts(tenant: Tenant) -> Iterator[AnalystView]:
    for one in sorted(tenant.analysts.values(), key=lambda analyst: analyst.display_name):
        yield AnalystView(
            object_id=one.object_id,
            display_name=one.display_name,
            user_principal_name=one.user_principal_name,
            target_object_id=one.target_object_id,
            problem=one.problem,
            leaving=one.leaving,
        )


def _eligibilities(tenant: Tenant) -> Iterator[EligibilityView]:
    for one in tenant.eligibilities.values():
        yield EligibilityView(
            principal_id=one.principal_id,
            analyst=one.analyst_id,
            plain=one.plain,
            role_definition_id=one.role_definition_id,
            schedule_id=one.schedule_id,
            end_date_time=one.ends,
            wanted=f"P{one.wanted_days}D",
            capped_to=f"P{one.capped_to_days}D" if one.capped_to_days else None,
        )


def _permissions(settings: Settings, tenant: Tenant) -> Iterator[GrantedPermissions]:
    source = {Registration.SOURCE.value: settings.source_tenant_id}
    for name, roles in tenant.record.granted.items():
        yield GrantedPermissions(registration=name, tenant=source.get(name, tenant.record.tenant_id), permissions=roles)


def _link(settings: Settings, state: str) -> str:
    return f"{settings.public_url}/api/consent/{state}"
