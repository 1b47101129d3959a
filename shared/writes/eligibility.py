"""A directory role's eligibility in a target tenant: a first grant, a change of its end, and taking it back."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from shared.eligibility import decide
from shared.eligibility.asking import asked
from shared.eligibility.decide import RENEWAL, Action, Held
from shared.eligibility.record import eligibility_key
from shared.errors import Rejected, RoleNotAllowed
from shared.identifiers import ObjectId, TenantId
from shared.permissions import SECURITY_READER, Registration
from shared.privileged import OpenIntent, PrivilegedWrite
from shared.services import Services
from shared.subjects import NOTHING, Intent, intent_key
from shared.tenants.record import Tenant

_RENEWAL_ACT = 31
_PERMANENT = datetime.max.replace(tzinfo=UTC)
_GONE_FOR = "No longer an analyst of this tenant (Tenantry)"
_WHAT = {
    "security_reader": "make the analyst eligible for Security Reader",
    "group_security_reader": "make the group eligible for Security Reader",
}
_JUSTIFICATION = "Multi-tenant security operations: eligible analyst, renewed while needed (Tenantry)"


def security_reader(services: Services, tenant: Tenant, arguments: Mapping[str, str]) -> PrivilegedWrite[Held | None]:
    """Act 9: eligibility for Security Reader of one analyst's account. Only an analyst of the tenant's record can be named.

    Raises RoleNotAllowed, before anything is built, for anybody else.
    """
    if ObjectId(arguments["analyst"]) not in tenant.staying:
        raise RoleNotAllowed(f"{arguments['analyst']} is no analyst of {tenant.record.tenant_id}")
    return sent_security_reader(services, tenant, arguments)


def sent_security_reader(
    services: Services, tenant: Tenant, arguments: Mapping[str, str]
) -> PrivilegedWrite[Held | None]:
    """As above, as it was sent once: to be read back, also for an analyst who leaves meanwhile."""
    analyst = tenant.analysts.get(ObjectId(arguments["analyst"]))
    principal = analyst.target_object_id if analyst else None
    if principal is None:
        raise RoleNotAllowed(f"{arguments['analyst']} has no account in {tenant.record.tenant_id}")
    return _eligibility(services, tenant, principal, "security_reader", arguments)


def group_security_reader(
    services: Services, tenant: Tenant, arguments: Mapping[str, str]
) -> PrivilegedWrite[Held | None]:
    """Act 9: eligibility for Security Reader of the group that the operator named. Raises RoleNotAllowed for any other."""
    group = ObjectId(arguments["group"])
    if group != tenant.record.wanted.access.group_id:
        raise RoleNotAllowed(f"{group} is not the group of {tenant.record.tenant_id}")
    return _eligibility(services, tenant, group, "group_security_reader", arguments)


def _eligibility(
    services: Services, tenant: Tenant, principal: ObjectId, kind: str, arguments: Mapping[str, str]
) -> PrivilegedWrite[Held | None]:
    target = tenant.record.tenant_id
    policy = tenant.record.role_policy
    length = decide.length(tenant.record.wanted.duration_days, policy.maximum_days if policy else None)

    row = tenant.eligibilities.get(eligibility_key(principal, SECURITY_READER))
    too_long = row.end if row is not None and row.wanted_days > tenant.record.wanted.duration_days else None

    async def send(image: Held | None, intent: OpenIntent) -> str:
        try:
            return await ask(decide.action(image), intent)
        except Rejected as error:
            if error.call.code != decide.NOT_THERE:
                raise
            # The schedule that was read is no more: what was to be changed is to be made.
            return await ask(Action.ASSIGN, intent)

    async def ask(action: Action, intent: OpenIntent) -> str:
        # From the second on, whole: PIM keeps what it is sent, and the end is compared when it is read back.
        start = services.clock.now().replace(microsecond=0)
        return await services.pim.request(
            target,
            action=action.value,
            principal_id=principal,
            role_definition_id=SECURITY_READER,
            start=start,
            end=start + timedelta(days=length.days),
            justification=_JUSTIFICATION,
            ticket=intent.key if policy is not None and policy.ticketing else None,
            intent=intent,
        )

    return PrivilegedWrite(
        kind=kind,
        arguments=arguments,
        registration=Registration.ACCESS,
        where=target,
        object_name=_object_name(principal),
        what=_WHAT[kind],
        act=9,
        wanted={"roleDefinitionId": SECURITY_READER, "days": length.days},
        read=lambda: _held(services, target, principal),
        satisfied=lambda held: decide.is_satisfied(held, services.clock.now(), length.days, ours_too_long=too_long),
        send=send,
        picture=msgspec.to_builtins,
        patient=True,
    )


def eligibility_renewal(
    services: Services, tenant: Tenant, arguments: Mapping[str, str]
) -> PrivilegedWrite[Held | None]:
    """An eligibility of ours lasts until then, by the act that its standing asks for. Only one on the record whose holder is
    to keep it can be named.

    Raises RoleNotAllowed, before anything is built, for any other.
    """
    principal = ObjectId(arguments["principal"])
    accounts = {one.target_object_id for one in tenant.staying.values()}
    if principal not in accounts and principal != tenant.record.wanted.access.group_id:
        raise RoleNotAllowed(f"{principal} is not to hold an eligibility in {tenant.record.tenant_id}")
    return sent_eligibility_renewal(services, tenant, arguments)


def sent_eligibility_renewal(
    services: Services, tenant: Tenant, arguments: Mapping[str, str]
) -> PrivilegedWrite[Held | None]:
    """As above, as it was sent once: to be read back, also for one who is not to hold it any more."""
    target, principal = tenant.record.tenant_id, ObjectId(arguments["principal"])
    if eligibility_key(principal, SECURITY_READER) not in tenant.eligibilities:
        raise RoleNotAllowed(f"{principal} holds no eligibility of ours in {target}")
    action, end = Action(arguments["action"]), datetime.fromisoformat(arguments["end"])

    async def send(_: Held | None, intent: OpenIntent) -> str:
        since = datetime.fromisoformat(arguments["start"])
        return await asked(action, since, services.clock.now(), lambda wanted, start: ask(wanted, start, intent))

    async def ask(wanted: Action, start: datetime, intent: OpenIntent) -> str:
        return await services.pim.request(
            target,
            action=wanted.value,
            principal_id=principal,
            role_definition_id=SECURITY_READER,
            start=start,
            end=end,
            justification=_JUSTIFICATION,
            ticket=intent.key,
            intent=intent,
        )

    return PrivilegedWrite(
        kind=RENEWAL,
        arguments=arguments,
        registration=Registration.ACCESS,
        where=target,
        object_name=_object_name(principal),
        what="renew the eligibility for Security Reader",
        act=_RENEWAL_ACT,
        wanted={"roleDefinitionId": SECURITY_READER, "action": action, "endDateTime": end},
        read=lambda: _held(services, target, principal),
        satisfied=lambda held: decide.lasts_until(held, end),
        send=send,
        picture=msgspec.to_builtins,
        patient=True,
    )


def eligibility_removal(
    services: Services, tenant: Tenant, arguments: Mapping[str, str]
) -> PrivilegedWrite[Held | None]:
    """Act 21: an eligibility of ours that nobody is to hold any more is taken back. Only one on the record can be named.

    Raises RoleNotAllowed, before anything is built, for any other.
    """
    principal, target = ObjectId(arguments["principal"]), tenant.record.tenant_id
    if eligibility_key(principal, SECURITY_READER) not in tenant.eligibilities:
        raise RoleNotAllowed(f"{principal} holds no eligibility of ours in {target}")

    async def send(_: Held | None, intent: OpenIntent) -> str:
        return await services.pim.remove(
            target, principal_id=principal, role_definition_id=SECURITY_READER, justification=_GONE_FOR, intent=intent
        )

    return PrivilegedWrite(
        kind="eligibility_removal",
        arguments=arguments,
        registration=Registration.ACCESS,
        where=target,
        object_name=_object_name(principal),
        what="take the eligibility for Security Reader back",
        act=21,
        wanted=None,
        read=lambda: _held(services, target, principal),
        satisfied=lambda held: held is None,
        send=send,
        picture=msgspec.to_builtins,
    )


def was_there_before(tenant: Tenant, principal: ObjectId) -> bool:
    """Whether somebody else made the eligibility: it was there when we first looked, or no write of ours came to anything."""
    intent = intent_of(tenant, principal)
    return intent is None or not intent.landed or intent.before != NOTHING


def intent_of(tenant: Tenant, principal: ObjectId) -> Intent | None:
    """The intent of our writes of a principal's eligibility."""
    return tenant.intents.get(intent_key(tenant.record.tenant_id, _object_name(principal)))


async def _held(services: Services, target: TenantId, principal: ObjectId) -> Held | None:
    instances = await services.pim.instances(target, principal, SECURITY_READER)
    if instances:
        found = max(instances, key=lambda one: one.end_date_time or _PERMANENT)
        return Held(schedule_id=found.role_eligibility_schedule_id, end=found.end_date_time, in_force=True)
    schedules = await services.pim.schedules(target, principal, SECURITY_READER)
    return Held(schedule_id=schedules[0].id, end=None, in_force=False) if schedules else None


def _object_name(principal: ObjectId) -> str:
    return f"eligibility of {principal} for {SECURITY_READER}"
