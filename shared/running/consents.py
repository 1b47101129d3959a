"""Consent to our registrations: links with a single-use state, what came back, and the proof. Pure.

The state holds the tenant's id and a random part; it is spent when a fresh token proved the grant, not before.
"""

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec

from shared.errors import NotConsented
from shared.identifiers import AppId, NewId, TenantId, as_guid
from shared.permissions import Registration
from shared.running.acts import asked_of
from shared.running.needs import asked_for
from shared.tenants.change import Change
from shared.tenants.record import Act, ActState, Consent, Tenant, Wanted

GRANT_SHOWS_WITHIN = timedelta(minutes=15)
"""How long after the callback a token may take to show the grant (unconfirmed; minutes are seen)."""


def after_proof(
    tenant: Tenant,
    granted: Mapping[Registration, tuple[str, ...]],
    lacking: Mapping[Registration, tuple[str, ...]],
    now: datetime,
    new_id: NewId,
    *,
    waits: bool = True,
) -> Change | None:
    """Spend the states of what is proved; make a link for what is lacking and has none; note answers that proved
    empty. `waits`: the run cannot go on without what is lacking.
    """
    rows: list[Consent] = []
    for registration in granted:
        consent = tenant.consents.get(registration)
        if consent is None or consent.proved is None:
            known = consent or Consent(registration=registration, state="", created=now)
            rows.append(msgspec.structs.replace(known, proved=now, problem=""))
    for registration, missing in lacking.items():
        consent = tenant.consents.get(registration)
        if consent is None or consent.proved is not None or not consent.state:
            rows.append(
                Consent(registration=registration, state=new_state(tenant.record.tenant_id, new_id), created=now)
            )
        elif consent.answered is not None and now - consent.answered > GRANT_SHOWS_WITHIN:
            problem = f"the consent came back, but Entra's tokens still lack {', '.join(missing)}"
            rows.append(msgspec.structs.replace(consent, answered=None, problem=problem))
    record = msgspec.structs.replace(
        tenant.record,
        granted=_shown(tenant.record.granted, granted, lacking),
        # The wait for consent is over; a later one, for whatever else, has its own time.
        deadline=tenant.record.deadline if lacking and waits else None,
    )
    return Change(record=record, consents=rows) if rows or record != tenant.record else None


def asked_again(tenant: Tenant, error: NotConsented, now: datetime, new_id: NewId) -> Change:
    """Ask for a consent that was lost; act 1 proves it again."""
    asked = after_proof(tenant, {}, {Registration(error.registration): error.missing}, now, new_id)
    known = tenant.acts.get(1, Act(number=1, state=ActState.PENDING, run=tenant.record.run, since=now))
    proving = [msgspec.structs.replace(known, state=ActState.PENDING)]
    if asked is None:
        return Change(record=tenant.record, acts=proving)
    return Change(record=asked.record, consents=asked.consents, acts=proving)


def _shown(
    known: Mapping[str, tuple[str, ...]],
    granted: Mapping[Registration, tuple[str, ...]],
    lacking: Mapping[Registration, tuple[str, ...]],
) -> dict[str, tuple[str, ...]]:
    """What each registration holds by now, for the record."""
    shown = {**known, **{one.value: roles for one, roles in granted.items()}}
    for registration, missing in lacking.items():
        # Nothing named: the whole registration is gone.
        left = tuple(role for role in shown.pop(registration.value, ()) if missing and role not in missing)
        if left:
            shown[registration.value] = left
    return shown


def first_links(tenant_id: TenantId, wanted: Wanted, now: datetime, new_id: NewId) -> list[Consent]:
    """Links to every registration that the wishes ask for, for a tenant that is new here."""
    return [
        Consent(registration=registration, state=new_state(tenant_id, new_id), created=now)
        for registration in asked_of(wanted)
    ]


def new_state(tenant_id: TenantId, new_id: NewId) -> str:
    """A state nobody can guess that names its tenant."""
    return f"{tenant_id}.{new_id()}"


def tenant_of(state: str) -> TenantId | None:
    """The tenant that a state names, or None where it is no state of ours."""
    tenant_id, dot, rest = state.partition(".")
    guid = as_guid(tenant_id)
    return TenantId(guid) if dot and guid == tenant_id and as_guid(rest) == rest else None


def find(tenant: Tenant, state: str) -> Consent | None:
    """The consent that a state belongs to."""
    for consent in tenant.consents.values():
        if consent.state and hmac.compare_digest(consent.state.encode(), state.encode()):
            return consent
    return None


def still_to_prove(tenant: Tenant, registrations: Iterable[Registration], now: datetime) -> bool:
    """Whether an answer came back recently enough that its grant may yet show."""
    rows = [tenant.consents[one] for one in registrations if one in tenant.consents]
    return any(row.answered is not None and now - row.answered <= GRANT_SHOWS_WITHIN for row in rows)


def unproved(tenant: Tenant) -> list[Registration]:
    """The registrations whose consent is still asked for, in the order of asking. What is not wanted any more is not."""
    return [one for one in asked_for(tenant) if one in tenant.consents and tenant.consents[one].proved is None]


def pending(tenant: Tenant) -> Consent | None:
    """The next consent that is asked for."""
    return next((tenant.consents[one] for one in unproved(tenant)), None)


def entra_link(authority: str, tenant_id: TenantId, client_id: AppId, scope: str, redirect: str, state: str) -> str:
    """The v2 admin consent address of the target tenant (identity platform, v2-admin-consent)."""
    asked = urlencode({"client_id": client_id, "scope": scope, "redirect_uri": redirect, "state": state})
    return f"{authority}/{tenant_id}/v2.0/adminconsent?{asked}"
