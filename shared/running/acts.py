"""The acts of a tenant's runs: numbers, names, activities and what they need. Pure data, in the order in which they run."""

from collections.abc import Iterable

import msgspec

from shared.permissions import MULTI_TENANT, Registration
from shared.running.messages import ActCall, ActOutcome, BeginOutcome, EndCall, EndOutcome
from shared.tenants.findings import Feature
from shared.tenants.record import Goal, Wanted
from shared.wire import Activity

LOCK_DOWN = "lockdown"

ORCHESTRATORS: dict[str, str] = {
    Goal.ONBOARDING.value: "onboard_tenant",
    Goal.OFFBOARDING.value: "offboard_tenant",
    "night": "look_after_tenants",
    "renewal": "renew_eligibilities",
    "tenantRenewal": "renew_tenant",
    "subscriptionRenewal": "renew_subscription",
    "activation": "follow_activation",
    LOCK_DOWN: "lock_down_subscription",
    "subscriptionNight": "look_after_subscriptions",
}
"""The orchestrator of each kind of run; a tenant's run has its goal's name for a kind, but for a renewal."""

BEGIN: Activity[ActCall, BeginOutcome] = Activity(name="begin_onboarding_run", payload=ActCall, outcome=BeginOutcome)
END: Activity[EndCall, EndOutcome] = Activity(name="end_onboarding_run", payload=EndCall, outcome=EndOutcome)


def _activity(name: str) -> Activity[ActCall, ActOutcome]:
    return Activity(name=name, payload=ActCall, outcome=ActOutcome)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One activity of an act. `by_analyst`: it runs once for each of them; `for_all`: once, and does its work for each."""

    activity: Activity[ActCall, ActOutcome]
    by_analyst: bool = False
    for_all: bool = False


class ActKind(msgspec.Struct, frozen=True, kw_only=True):
    """One act: its steps in order, and the registrations that it needs in the target.

    `feature`: it needs them only where that is wanted. `of_accounts`: what it found changes with who has an account.
    """

    number: int
    name: str
    steps: tuple[Step, ...]
    targets: tuple[Registration, ...] = ()
    feature: Feature | None = None
    of_accounts: bool = False

    @property
    def by_analyst(self) -> bool:
        """Whether it does something for each analyst."""
        return any(step.by_analyst or step.for_all for step in self.steps)


PROVE_CONSENT = _activity("prove_consent")
RUN_PREFLIGHT = _activity("run_preflight")
TRUST_SOURCE = _activity("trust_source")
ALLOW_INBOUND_SYNC = _activity("allow_inbound_sync")
TRUST_TARGET = _activity("trust_target")
ENSURE_SYNCHRONIZATION = _activity("ensure_synchronization")
CHECK_SCOPE = _activity("check_scope")
ASSIGN_ANALYSTS = _activity("assign_analysts")
START_SYNCHRONIZATION = _activity("start_synchronization")
PROVISION_ANALYST = _activity("provision_analyst")
PROVE_ACCOUNTS = _activity("prove_accounts")
ENSURE_OTHER_ACCESS = _activity("ensure_other_access")
ENSURE_SECURITY_READER = _activity("ensure_security_reader")
DIAGNOSE_SIGN_IN = _activity("diagnose_sign_in")
PROVE_HUNTING = _activity("prove_hunting")
REMOVE_OTHER_ELIGIBILITIES = _activity("remove_other_eligibilities")
WRITE_CHECKLIST = _activity("write_checklist")
REMOVE_ELIGIBILITIES = _activity("remove_eligibilities")
REMOVE_FROM_SCOPE = _activity("remove_from_scope")
FORGET_LEAVERS = _activity("forget_leavers")
AWAIT_DEPARTURES = _activity("await_departures")
REMOVE_SYNCHRONIZATION = _activity("remove_synchronization")
DISTRUST_TARGET = _activity("distrust_target")
DISTRUST_SOURCE = _activity("distrust_source")

_SETUP = (Registration.SETUP,)
_ACCESS = (Registration.ACCESS,)

ACTS: tuple[ActKind, ...] = (
    ActKind(number=1, name="consent", steps=(Step(activity=PROVE_CONSENT),)),
    ActKind(number=2, name="preflight", steps=(Step(activity=RUN_PREFLIGHT),), targets=_SETUP + _ACCESS),
    ActKind(number=3, name="trust the source", steps=(Step(activity=TRUST_SOURCE),), targets=_SETUP),
    ActKind(number=4, name="allow inbound sync", steps=(Step(activity=ALLOW_INBOUND_SYNC),), targets=_SETUP),
    ActKind(number=5, name="trust the target", steps=(Step(activity=TRUST_TARGET),)),
    ActKind(number=6, name="synchronization", steps=(Step(activity=ENSURE_SYNCHRONIZATION),)),
    ActKind(number=7, name="scope", steps=(Step(activity=CHECK_SCOPE), Step(activity=ASSIGN_ANALYSTS, for_all=True))),
    ActKind(
        number=8,
        name="provision",
        steps=(
            Step(activity=START_SYNCHRONIZATION),
            Step(activity=PROVISION_ANALYST, by_analyst=True),
            Step(activity=PROVE_ACCOUNTS, for_all=True),
        ),
        targets=_ACCESS,
    ),
    ActKind(
        number=9,
        name="Security Reader",
        steps=(Step(activity=ENSURE_OTHER_ACCESS), Step(activity=ENSURE_SECURITY_READER, by_analyst=True)),
        targets=_ACCESS,
    ),
    # Reads as Tenantry Setup, but asks for no consent: an administrator who removed it after act 4 did no harm.
    ActKind(number=10, name="sign-in diagnosis", steps=(Step(activity=DIAGNOSE_SIGN_IN),), of_accounts=True),
    ActKind(
        number=11,
        name="proof",
        steps=(Step(activity=PROVE_HUNTING),),
        targets=(Registration.HUNT,),
        feature=Feature.HUNTING,
    ),
    ActKind(number=12, name="checklist", steps=(Step(activity=WRITE_CHECKLIST),)),
)

SUPERSEDED = ActKind(
    number=13, name="other eligibilities", steps=(Step(activity=REMOVE_OTHER_ELIGIBILITIES),), targets=_ACCESS
)
"""After the access mode was changed: what it was before goes when what it is now is in force."""

LEAVING: tuple[ActKind, ...] = (
    ActKind(number=21, name="remove eligibilities", steps=(Step(activity=REMOVE_ELIGIBILITIES),), targets=_ACCESS),
    # Writes in the source; but whose account was there before is read in the target.
    ActKind(number=22, name="remove from scope", steps=(Step(activity=REMOVE_FROM_SCOPE),), targets=_ACCESS),
    ActKind(number=23, name="leavers are gone", steps=(Step(activity=FORGET_LEAVERS),), targets=_ACCESS),
)
"""What becomes of analysts who leave. Run before the others."""

OFFBOARDING: tuple[ActKind, ...] = (
    *LEAVING[:2],
    ActKind(number=24, name="accounts are gone", steps=(Step(activity=AWAIT_DEPARTURES),), targets=_ACCESS),
    ActKind(number=25, name="synchronization removed", steps=(Step(activity=REMOVE_SYNCHRONIZATION),)),
    ActKind(number=26, name="target no longer trusted", steps=(Step(activity=DISTRUST_TARGET),)),
    ActKind(number=27, name="source no longer trusted", steps=(Step(activity=DISTRUST_SOURCE),), targets=_SETUP),
)
"""How a tenant is let go: everybody leaves, then what the onboarding made goes, and what was there before is put back.
What needs Setup's consent comes last.
"""

BY_NUMBER: dict[int, ActKind] = {act.number: act for act in (*ACTS, SUPERSEDED, *LEAVING, *OFFBOARDING)}


def needed_in_target(numbers: Iterable[int], wanted: Wanted) -> tuple[Registration, ...]:
    """The registrations that must be consented in the target for these acts, in the order of asking."""
    acts = [BY_NUMBER[number] for number in numbers]
    needed = {one for act in acts if act.feature is None or act.feature in wanted.features for one in act.targets}
    return tuple(registration for registration in MULTI_TENANT if registration in needed)


def asked_of(wanted: Wanted) -> tuple[Registration, ...]:
    """Every registration that a target with these wishes is asked to consent to, in the order of asking."""
    return needed_in_target(BY_NUMBER, wanted)
