"""Values for the tests of pure rules: a tenant in any state, and strategies for what Graph may hold."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import msgspec
from hypothesis import strategies as st

from shared.graph.shapes import AutomaticRedemption, InboundTrust, Partner
from shared.identifiers import ObjectId, TenantId
from shared.permissions import Registration
from shared.run import Run
from shared.running.starting import Onboarding
from shared.subjects import Intent, IntentState
from shared.tenants.findings import Feature
from shared.tenants.record import Act, ActState, Analyst, Consent, Record, Tenant, Trust, Wanted
from shared.tenants.states import State

SOURCE = TenantId("aaaaaaaa-0000-4000-8000-00000000000a")
TARGET = TenantId("bbbbbbbb-0000-4000-8000-00000000000b")
ANA = ObjectId("11111111-0000-4000-8000-000000000001")
BEN = ObjectId("22222222-0000-4000-8000-000000000002")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

WANTED = Wanted(display_name="Fabrikam", group_id=None, user_ids=(ANA,), duration_days=180)
HUNTING = msgspec.structs.replace(WANTED, features=(Feature.HUNTING,))
OTHERWISE = msgspec.structs.replace(WANTED, duration_days=90)


def ids() -> Callable[[], str]:
    """New ids that a test can foresee."""
    numbers = count(1)
    return lambda: f"cccccccc-0000-4000-8000-{next(numbers):012x}"


def record(state: State = State.ONBOARDING, **changes: Any) -> Record:
    """Fabrikam's record in run 1."""
    first = Record(
        tenant_id=TARGET,
        domain="fabrikam.com",
        state=state,
        since=NOON,
        created=NOON,
        run=1,
        run_nonce="nonce-1",
        requested_by="olga",
        wanted=WANTED,
    )
    return msgspec.structs.replace(first, **changes)


def analyst(object_id: ObjectId = ANA, **changes: Any) -> Analyst:
    """Somebody of the source."""
    first = Analyst(object_id=object_id, display_name="Ana Analyst", user_principal_name="ana@contoso.com")
    return msgspec.structs.replace(first, **changes)


def tenant(state: State = State.ONBOARDING, **parts: Any) -> Tenant:
    """Fabrikam with Ana; parts of the record are replaced through `record`."""
    given = {"record": record(state), "etag": "e", "analysts": {ANA: analyst()}, **parts}
    return Tenant(**given)


def act(number: int, state: ActState = ActState.DONE) -> Act:
    """An act as run 1 left it."""
    return Act(number=number, state=state, run=1, since=NOON)


def consent(registration: Registration, **changes: Any) -> Consent:
    """A link that was made at noon."""
    state = f"{TARGET}.cccccccc-0000-4000-8000-{len(registration.value):012x}"
    first = Consent(registration=registration, state=state, created=NOON)
    return msgspec.structs.replace(first, **changes)


def intent(act_number: int) -> Intent:
    """A privileged write of an act."""
    return Intent(
        kind="trust_source",
        arguments={},
        where=TARGET,
        object_name="partner settings",
        state=IntentState.CLOSED,
        run=1,
        act=act_number,
        opened=NOON,
        attempted=None,
        requested_by="olga",
        wanted=msgspec.Raw(b"{}"),
        before=msgspec.Raw(b"{}"),
    )


def run(number: int = 1, nonce: str = "nonce-1") -> Run:
    """A run of Fabrikam's."""
    return Run(
        subject=TARGET,
        kind="onboarding",
        number=number,
        orchestration_id=f"onboarding-{TARGET}-{number}",
        nonce=nonce,
        opened=NOON,
        requested_by="olga",
    )


def payload(*, replace: bool = True, analysts: tuple[Analyst, ...] = (analyst(),), **changes: Any) -> Onboarding:
    """What a POST makes of a body."""
    return Onboarding(
        domain="fabrikam.com",
        wanted=msgspec.structs.replace(WANTED, **changes),
        analysts=analysts,
        replace=replace,
    )


_MAYBE = st.none() | st.booleans()

trusts = st.builds(Trust, mfa=st.booleans(), compliant_device=st.booleans(), hybrid_joined=st.booleans())

inbound_trusts = st.builds(
    InboundTrust, is_mfa_accepted=_MAYBE, is_compliant_device_accepted=_MAYBE, is_hybrid_joined=_MAYBE
)

partners = st.builds(
    Partner,
    tenant_id=st.just(SOURCE),
    inbound_trust=st.none() | inbound_trusts,
    automatic_user_consent_settings=st.none()
    | st.builds(AutomaticRedemption, inbound_allowed=_MAYBE, outbound_allowed=_MAYBE),
)

moments = st.datetimes(
    min_value=datetime(2020, 1, 1),
    max_value=datetime(2090, 1, 1),
    timezones=st.just(UTC),
)
spans = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3650))
