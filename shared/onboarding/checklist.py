"""The checklist: what only people can do, per analyst, with links; and what they have confirmed. Pure.

There is no public API for the multi-tenant portal's tenant list, its tenant groups, or a role's activation by
somebody else.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from shared.formats import Address, Guid, Moment
from shared.permissions import Registration
from shared.settings import Portals
from shared.tenants.record import Analyst, Tenant


class Item(StrEnum):
    """The steps of an analyst, by the names that the API knows them by."""

    ORGANIZATION = "organization"
    ROLE = "role"
    DEFENDER = "defender"
    MULTI_TENANT = "multiTenant"
    TENANT_GROUP = "tenantGroup"


class Step(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a person does: why, and where."""

    title: str
    text: str
    link: Address


class AnalystStep(Struct, frozen=True, kw_only=True, rename="camel"):
    """A step of an analyst."""

    id: Item
    title: str
    text: str
    link: Address
    confirmed: Annotated[Moment | None, Meta(description="When the analyst confirmed it.")]


class AnalystChecklist(Struct, frozen=True, kw_only=True, rename="camel"):
    """What one analyst does, and has confirmed."""

    analyst: Guid
    name: str
    confirmed: Annotated[str, Meta(description="How many of the steps, such as `2 of 5`.")]
    items: tuple[AnalystStep, ...]


def for_analysts(portals: Portals, tenant: Tenant) -> list[AnalystChecklist]:
    """One list of steps for each analyst who has an account in the target."""
    return [for_analyst(portals, tenant, analyst) for analyst in listed(tenant)]


def for_analyst(portals: Portals, tenant: Tenant, analyst: Analyst) -> AnalystChecklist:
    """One analyst's list, with what they have confirmed."""
    return AnalystChecklist(
        analyst=analyst.object_id,
        name=analyst.display_name,
        confirmed=f"{len(analyst.confirmed)} of {len(Item)}",
        items=tuple(
            AnalystStep(
                id=item, title=step.title, text=step.text, link=step.link, confirmed=analyst.confirmed.get(item)
            )
            for item, step in zip(Item, _steps(portals, tenant), strict=True)
        ),
    )


def listed(tenant: Tenant) -> Sequence[Analyst]:
    """The analysts who have a checklist, by name."""
    return sorted(
        (one for one in tenant.staying.values() if one.target_object_id is not None and one.problem is None),
        key=lambda one: one.display_name,
    )


def confirmed(tenant: Tenant) -> str:
    """How many analysts have confirmed all of their steps."""
    analysts = listed(tenant)
    return f"{sum(len(one.confirmed) == len(Item) for one in analysts)} of {len(analysts)}"


def confirm(analyst: Analyst, item: Item, *, done: bool, now: datetime) -> Analyst:
    """The analyst with a step confirmed, or taken back. The first time of a confirmation stays."""
    others = {name: at for name, at in analyst.confirmed.items() if name != item}
    at = {item.value: analyst.confirmed.get(item, now)} if done else {}
    return replace(analyst, confirmed={**others, **at})


def for_administrator(portals: Portals, tenant: Tenant) -> list[Step]:
    """What the target's administrator does at the end."""
    return [
        _step(
            f"Remove {Registration.SETUP.value}",
            "It has done its work. Deleting this enterprise application takes its permissions away; nothing that was set "
            "up depends on it.",
            f"{portals.entra}/{tenant.record.tenant_id}/#view/Microsoft_AAD_IAM/StartboardApplicationsMenuBlade/~/AppAppsPreview",
        ),
        _step(
            "Where analysts see no devices",
            "Defender's own role-based access control may be on, which Security Reader does not pass: give the analysts a "
            "role with read permission there.",
            f"{portals.defender}/securitysettings/defender/mtp_roles?tid={tenant.record.tenant_id}",
        ),
    ]


def _steps(portals: Portals, tenant: Tenant) -> list[Step]:
    target = tenant.record.tenant_id
    name = tenant.record.wanted.display_name
    return [
        _step(
            f"See that {name} is among your organizations",
            "The synchronization made your account there. No invitation needs to be accepted.",
            f"{portals.my_account}/organizations",
        ),
        _step(
            f"Activate Security Reader in {name}",
            _activation(tenant),
            f"{portals.entra}/{target}/#view/Microsoft_Azure_PIMCommon/ActivationMenuBlade/~/aadmigratedroles",
        ),
        _step(
            f"Open the Defender portal of {name}",
            "With the role active you see its incidents and devices. If not, tell the operator before you go on.",
            f"{portals.defender}/?tid={target}",
        ),
        _step(
            f"Add {name} to your multi-tenant view",
            "Settings of the multi-tenant portal, Add tenants. The list is your own and holds at most 100 tenants.",
            f"{portals.mto}/mtosettings",
        ),
        _step(
            "Put it into a tenant group",
            "Tenant groups distribute content such as custom detection rules.",
            f"{portals.mto}/tenantgroups",
        ),
    ]


def _activation(tenant: Tenant) -> str:
    if tenant.record.without_pim:
        return "The role is assigned to you for good there: look that it is among your active roles."
    policy = tenant.record.role_policy
    text = "In My roles, Entra roles. Activate it again whenever you work in this tenant"
    if policy is None:
        return f"{text}."
    hours = f", for at most {policy.activation_hours:g} hours" if policy.activation_hours else ""
    needs = f" It asks for: {', '.join(policy.activation_needs)}." if policy.activation_needs else ""
    return f"{text}{hours}.{needs}"


def _step(title: str, text: str, link: str) -> Step:
    return Step(title=title, text=text, link=link)
