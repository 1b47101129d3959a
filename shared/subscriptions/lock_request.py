"""The `lockDown` of PUT /api/subscriptions/{subscriptionId}: a checked value or the field that is wrong out. Pure."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from shared.azure_permissions import AZURE_ROLES, VM_CONTRIBUTOR
from shared.durations import days_of
from shared.errors import BadRequest
from shared.formats import Duration, Guid
from shared.identifiers import ObjectId, as_guid
from shared.subscriptions.lockdown import (
    ApprovalMode,
    Budget,
    ExpectedSizes,
    LockDown,
    MoneyRules,
    OverBudget,
    Principals,
    Quorum,
)
from shared.subscriptions.record import PrincipalKind

_MOST_NAMED = 50
"""Of approvers, of finance, of senior IT: each is looked up before anything is written."""

_MOST_HOURS = 24
"""The longest activation that PIM lets a policy allow (Entra, role settings)."""

_PIM_WINDOW, _LONGEST_WINDOW = 24, 7 * 24
"""How long PIM lets a request wait (it can't be changed), and how long the broker may, in hours."""

type Ids = Annotated[list[Guid], Meta(max_length=_MOST_NAMED, extra_json_schema={"uniqueItems": True})]
type Sum = Annotated[str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?(?!\n)$", examples=["1200.50"])]
type Context = Annotated[str, Meta(pattern="^c[1-9][0-9]?(?!\\n)$")]
type Text = Annotated[str, Meta(min_length=1, max_length=63)]


class NamedPrincipals(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """Groups and users of the source tenant, by their object ids. Of a group the direct members count."""

    groups: Ids = []
    users: Ids = []


class BudgetRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """What may be spent in a month: a sum, or the name of an Azure budget on the subscription."""

    amount: Sum | None = None
    azure_name: Text | None = None


class MoneyRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """What a request's cost asks for, in `currency`, of all that its plan says for the days that it will run."""

    currency: Annotated[str, Meta(pattern="^[A-Z]{3}(?!\\n)$")] = "USD"
    finance: Annotated[Ids, Meta(description="Users whose verdict counts.")] = []
    finance_above: Annotated[Sum | None, Meta(description="Above it finance is asked. None: never.")] = None
    senior_above: Annotated[
        Sum | None, Meta(description="Above it finance's verdict is demanded, and `senior` alone decides. None: never.")
    ] = None
    senior: Annotated[NamedPrincipals, Meta(description="Some of the approvers.")] = msgspec.field(
        default_factory=NamedPrincipals
    )
    over_budget: OverBudget = OverBudget.CANCEL


class SizesRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """VM sizes that are expected in a region."""

    region: Annotated[str, Meta(pattern="^[a-z][a-z0-9]{1,40}(?!\\n)$")]
    sizes: Annotated[
        list[Annotated[str, Meta(pattern="^(Standard|Basic)_[A-Za-z0-9_-]{1,59}(?!\\n)$")]],
        Meta(min_length=1, max_length=50),
    ]


class LockDownRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """Activations of these roles on the subscription wait for one of the approvers. A run makes it so: it changes the rules
    of PIM's policies that differ, and makes eligible who is declared for these roles.
    """

    roles: Annotated[
        list[str],
        Meta(min_length=1, description="Names or ids, as far as allowed; Virtual Machine Contributor unless given."),
    ] = msgspec.field(default_factory=lambda: [AZURE_ROLES[VM_CONTRIBUTOR]])
    approvers: Annotated[NamedPrincipals, Meta(description="At least two persons.")]
    longest_activation: Annotated[Duration, Meta(description="Whole hours, from PT1H to PT24H.")] = "PT8H"
    mfa: Annotated[bool | UnsetType, Meta(description="True, where no context is given; both exclude each other.")] = (
        UNSET
    )
    authentication_context: Annotated[
        Context | None, Meta(description="In the place of MFA, as Entra names it: c1 to c99.")
    ] = None
    ticket: Annotated[bool, Meta(description="Whether an activation asks for a ticket number.")] = True
    budget: BudgetRequest = msgspec.field(default_factory=BudgetRequest)
    expected_sizes: Annotated[list[SizesRequest], Meta(max_length=20)] = []
    mode: ApprovalMode = ApprovalMode.PIM
    money: MoneyRequest = msgspec.field(default_factory=MoneyRequest)
    repair: Annotated[bool, Meta(description="Whether a night puts right what differs of the policies.")] = True
    quorum: Annotated[
        Quorum, Meta(description="`both`, finance and senior IT by two persons, is for the mode broker alone.")
    ] = Quorum.ANY
    window: Annotated[
        Duration,
        Meta(description="How long a request waits. Whole hours, to P7D; other than P1D in the mode broker alone."),
    ] = "P1D"


def lock_down_in(body: LockDownRequest, allowed: frozenset[str], *, has_broker: bool) -> LockDown:
    """What a body declares, sorted. Raises BadRequest that names the field. `has_broker`: the deployment has its identity."""
    if body.mode is ApprovalMode.BROKER and not has_broker:
        raise BadRequest(
            "lockDown.mode",
            "is pim alone in this deployment, which has no TENANTRY_BROKER_CLIENT_ID: infra makes it for "
            "TENANTRY_BROKER_SUBSCRIPTIONS",
        )
    window_hours = _window(body)
    _check_quorum(body)
    context = body.authentication_context or ""
    if context and body.mfa is True:
        raise BadRequest("lockDown.mfa", "excludes an authentication context: PIM takes one of them")
    approvers = principals_in("lockDown.approvers", body.approvers)
    if not approvers.groups and len(approvers.users) < 2:
        raise BadRequest(
            "lockDown.approvers", "must be at least two users, or a group: nobody approves their own request"
        )
    return LockDown(
        roles=_roles(body.roles, allowed),
        approvers=approvers,
        hours=_hours(body.longest_activation),
        mfa=not context if body.mfa is UNSET else body.mfa,
        context=context,
        ticket=body.ticket,
        budget=_budget(body.budget),
        expected=_expected(body.expected_sizes),
        mode=body.mode,
        money=_money(body.money, approvers),
        repair=body.repair,
        quorum=body.quorum,
        window_hours=window_hours,
    )


def named_in(body: LockDownRequest) -> Iterator[tuple[str, PrincipalKind, ObjectId]]:
    """Everybody whom a body names, with the field."""
    for field, named in (("approvers", body.approvers), ("money.senior", body.money.senior)):
        yield from _named(f"lockDown.{field}.groups", PrincipalKind.GROUP, named.groups)
        yield from _named(f"lockDown.{field}.users", PrincipalKind.USER, named.users)
    yield from _named("lockDown.money.finance", PrincipalKind.USER, body.money.finance)


def principals_in(field: str, named: NamedPrincipals) -> Principals:
    """Groups and users, sorted. Raises BadRequest that names the field."""
    return Principals(groups=_ids(f"{field}.groups", named.groups), users=_ids(f"{field}.users", named.users))


def role_in(field: str, text: str, allowed: frozenset[str]) -> str:
    """A role by its name or its id. Raises BadRequest for one that the deployment does not allow."""
    by_name = {name.lower(): role for role, name in AZURE_ROLES.items()}
    role = as_guid(text) or by_name.get(text.strip().lower())
    if role not in allowed:
        names = " or ".join(sorted(AZURE_ROLES[one] for one in allowed))
        raise BadRequest(field, f"is no role that this deployment allows: {names}")
    return role


def _roles(named: list[str], allowed: frozenset[str]) -> tuple[str, ...]:
    roles = [role_in(f"lockDown.roles[{at}]", one, allowed) for at, one in enumerate(named)]
    if len(set(roles)) < len(roles):
        raise BadRequest("lockDown.roles", "names a role twice")
    return tuple(sorted(roles))


def _hours(text: str) -> int:
    hours = (days_of(text) or 0) * 24
    if not 1 <= hours <= _MOST_HOURS or hours != round(hours):
        raise BadRequest("lockDown.longestActivation", f"is no duration of whole hours from PT1H to PT{_MOST_HOURS}H")
    return round(hours)


def _window(body: LockDownRequest) -> int:
    hours = (days_of(body.window) or 0) * 24
    if not 1 <= hours <= _LONGEST_WINDOW or hours != round(hours):
        raise BadRequest("lockDown.window", "is no duration of whole hours from PT1H to P7D")
    if hours != _PIM_WINDOW and body.mode is not ApprovalMode.BROKER:
        raise BadRequest("lockDown.window", "is 24 hours in PIM, for good: another one is for the mode broker alone")
    return round(hours)


def _check_quorum(body: LockDownRequest) -> None:
    if body.quorum is not Quorum.BOTH:
        return
    if body.mode is not ApprovalMode.BROKER:
        raise BadRequest(
            "lockDown.quorum", "cannot be both in PIM, where the first approver decides: only in the mode broker"
        )
    if not body.money.finance:
        raise BadRequest("lockDown.money.finance", "names nobody, and the quorum is finance and senior IT")
    if not (body.money.senior.groups or body.money.senior.users):
        raise BadRequest("lockDown.money.senior", "names nobody, and the quorum is finance and senior IT")


def _budget(body: BudgetRequest) -> Budget:
    if body.amount is not None and body.azure_name is not None:
        raise BadRequest("lockDown.budget", "names a sum and an Azure budget: one of them counts")
    return Budget(amount=_sum(body.amount), azure_name=body.azure_name or "")


def _expected(body: list[SizesRequest]) -> tuple[ExpectedSizes, ...]:
    found: dict[str, ExpectedSizes] = {}
    for at, one in enumerate(body):
        if one.region in found:
            raise BadRequest(f"lockDown.expectedSizes[{at}].region", "is named twice")
        found[one.region] = ExpectedSizes(region=one.region, sizes=tuple(sorted(set(one.sizes))))
    return tuple(found[region] for region in sorted(found))


def _money(body: MoneyRequest, approvers: Principals) -> MoneyRules:
    finance = _ids("lockDown.money.finance", body.finance)
    senior = principals_in("lockDown.money.senior", body.senior)
    above = _sum(body.finance_above), _sum(body.senior_above)
    if any(one is not None for one in above) and not finance:
        raise BadRequest("lockDown.money.finance", "names nobody whose verdict could be asked for")
    if above[1] is not None and not senior:
        raise BadRequest("lockDown.money.senior", "names nobody who could decide above that sum")
    if not (set(senior.groups) <= set(approvers.groups) and set(senior.users) <= set(approvers.users)):
        raise BadRequest("lockDown.money.senior", "names somebody who is no approver: PIM would not let them decide")
    return MoneyRules(
        currency=body.currency,
        finance=finance,
        finance_above=above[0],
        senior_above=above[1],
        senior=senior,
        over_budget=body.over_budget,
    )


def _sum(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _ids(field: str, named: list[str]) -> tuple[ObjectId, ...]:
    found = [principal for _, _, principal in _named(field, PrincipalKind.USER, named)]
    if len(set(found)) < len(found):
        raise BadRequest(field, "names somebody twice")
    return tuple(sorted(found))


def _named(field: str, kind: PrincipalKind, named: list[str]) -> Iterator[tuple[str, PrincipalKind, ObjectId]]:
    for at, text in enumerate(named):
        guid = as_guid(text)
        if guid is None:
            raise BadRequest(f"{field}[{at}]", "is not a GUID")
        yield f"{field}[{at}]", kind, ObjectId(guid)
