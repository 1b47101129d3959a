"""Who lives in the world: Contoso looks after Fabrikam, and the people of both that the stories are about."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import NAMESPACE_DNS, uuid5

from shared.azure_permissions import azure_actions
from shared.permissions import MULTI_TENANT, OPTIONAL, SECURITY_READER, Registration, SourceMode, needed
from tests.sandbox.arm.models.roles import READER as READER_ROLE
from tests.sandbox.arm.models.subscription import Subscription
from tests.sandbox.clouds import Clouds
from tests.sandbox.entra.delegation import DELEGATED
from tests.sandbox.graph.models.conditional_access import ip_location, policy
from tests.sandbox.graph.models.directory import Group
from tests.sandbox.graph.models.tenant import Tenant
from tests.sandbox.personas import Person

OPERATE, READ, AUDIT = "Tenants.Operate", "Tenants.Read", "Audit.Read"
REQUEST, APPROVE = "Access.Request", "Access.Approve"
APP_ROLES = (OPERATE, READ, REQUEST, APPROVE, AUDIT)


def guid(name: str) -> str:
    """The same GUID for the same name in every world, so that logs of two runs can be compared."""
    return str(uuid5(NAMESPACE_DNS, f"{name}.sandbox.invalid"))


CORE_TOOLS_URL = "http://localhost:7071"
"""Where `func start` serves the app by default, for people who run it in the real host against this world."""

CLIENT_IDS = {
    registration: guid(f"app-{registration.name.lower()}")
    for registration in Registration
    if registration not in OPTIONAL
}
BROKER_CLIENT_ID = guid("app-broker")
"""Of a registration that most deployments are without."""

IDENTITY_PRINCIPAL_ID = guid("identity-principal")
"""Of the one app that is all of Tenantry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Both companies and everybody by part."""

    contoso: Tenant
    fabrikam: Tenant
    operator: Person
    reader: Person
    engineer: Person
    ana: Person
    ben: Person
    cleo: Person
    guest: Person
    analysts: Group
    administrator: Person
    fiona: Person
    frank: Person
    ivan: Person
    finance: Group
    senior: Group


def register_applications(clouds: Clouds, contoso: Tenant, public_url: str, mode: SourceMode = SourceMode.OWN) -> None:
    """Our registrations, as the deployment makes them: permissions from the permission table, no secrets.

    They trust no identity yet: which apps there are is the world's to say.
    """
    for registration, app_id in CLIENT_IDS.items():
        multi_tenant = registration in MULTI_TENANT
        clouds.register_application(
            app_id,
            registration.value,
            contoso.id,
            multi_tenant=multi_tenant,
            application_permissions=needed(registration, mode),
            app_roles=APP_ROLES if registration is Registration.API else (),
            delegated_permissions=(DELEGATED,) if registration is Registration.API else (),
            redirect_uris=_redirects(registration, public_url),
        )
        if not multi_tenant:
            clouds.grant(app_id, contoso.id)


def _redirects(registration: Registration, public_url: str) -> tuple[str, ...]:
    """Where Entra may send a browser back to."""
    if registration is not Registration.API and registration not in MULTI_TENANT:
        return ()
    path = "/api/sign-in/callback" if registration is Registration.API else "/api/consent"
    return tuple(f"{url}{path}" for url in (public_url, CORE_TOOLS_URL))


def managed_subscription(clouds: Clouds, tenant: Tenant, name: str, subscription_id: str | None = None) -> Subscription:
    """A subscription that Tenantry looks after: the tenant knows Tenantry Access, which holds the custom role there."""
    subscription = clouds.azure.add_subscription(tenant, name, subscription_id)
    app_id = CLIENT_IDS[Registration.ACCESS]
    clouds.grant(app_id, tenant.id, ())
    principal = tenant.applications.by_app_id(app_id)
    if principal is not None:
        clouds.azure.give(principal.id, subscription, azure_actions())
    return subscription


def stock_azure(clouds: Clouds, people: Population) -> tuple[Subscription, Group]:
    """Production, with engineers whose eligibility ends in ten days, an auditor's that is not ours, and a permanent one."""
    subscription = managed_subscription(clouds, people.contoso, "Production")
    engineers = people.contoso.directory.add_group("Engineers", [people.engineer.object_id])
    now = clouds.ground.now()
    subscription.eligible(engineers.id, end=now + timedelta(days=10))
    subscription.eligible(people.ana.object_id, end=now + timedelta(days=20), role_id=READER_ROLE)
    subscription.eligible(people.ben.object_id, end=None)
    return subscription, engineers


def guard_access(tenant: Tenant) -> None:
    """Conditional access as many tenants have it: MFA for all, and a managed device for security roles outside the office."""
    office = ip_location("Headquarters", "198.51.100.0/24", trusted=True)
    outside = (["All"], ["AllTrusted"])
    tenant.policies.named_locations = [office]
    tenant.policies.conditional_access = [
        policy("MFA for everybody", "mfa"),
        policy("No legacy authentication", "block", clients=("exchangeActiveSync", "other")),
        policy(
            "Managed devices for security roles",
            "compliantDevice",
            users={"includeRoles": [SECURITY_READER]},
            locations=outside,
        ),
    ]


def stock_defender(tenant: Tenant) -> None:
    """A few devices with scans of different age, one without any, and alerts."""
    defender = tenant.defender
    defender.licensed = True
    defender.add_device("pc-1", "Windows11", was="Windows10", Quick=0.5, Full=12)
    defender.add_device("pc-2", "Windows11", Quick=3)
    defender.add_device("srv-1", "WindowsServer2022", Full=9)
    defender.add_device("mac-1", "macOS")
    defender.add_device("gone-1", "Windows10", days_ago=20, Quick=21)
    defender.add_alert("Suspicious sign-in", "Valid Accounts (T1078)")
    defender.add_alert("Mail with a link", "Phishing (T1566)", "Valid Accounts (T1078)", days_ago=12)
    defender.add_alert("Old news", "Phishing (T1566)", days_ago=40)
    defender.add_alert("Nothing known", days_ago=2)


def populate(clouds: Clouds) -> Population:
    """Contoso with its SOC, Fabrikam with its administrator."""
    contoso = clouds.add_tenant(guid("contoso"), "Contoso", "contoso.com")
    fabrikam = clouds.add_tenant(guid("fabrikam"), "Fabrikam", "fabrikam.com")

    def at_contoso(name: str, display_name: str, *, guest: bool = False) -> Person:
        return clouds.person(contoso, f"{name}@contoso.com", display_name, guest=guest)

    ana, ben, cleo = (
        at_contoso("ana", "Ana Analyst"),
        at_contoso("ben", "Ben Analyst"),
        at_contoso("cleo", "Cleo Analyst"),
    )
    stock_defender(fabrikam)
    members = [person.object_id for person in (ana, ben, cleo)]
    fiona, frank = at_contoso("fiona", "Fiona Finance"), at_contoso("frank", "Frank Finance")
    ivan = at_contoso("ivan", "Ivan Infrastructure")
    for approver in (fiona, frank, ivan):
        clouds.assign_roles(approver, CLIENT_IDS[Registration.API], APPROVE)
    return Population(
        contoso=contoso,
        fabrikam=fabrikam,
        operator=at_contoso("olga", "Olga Operator"),
        reader=at_contoso("rita", "Rita Reader"),
        engineer=at_contoso("emil", "Emil Engineer"),
        ana=ana,
        ben=ben,
        cleo=cleo,
        guest=at_contoso("gina", "Gina Guest", guest=True),
        analysts=contoso.directory.add_group("SOC analysts", members),
        administrator=clouds.person(fabrikam, "farid@fabrikam.com", "Farid Administrator", admin=True),
        fiona=fiona,
        frank=frank,
        ivan=ivan,
        finance=contoso.directory.add_group("Finance approvers", [fiona.object_id, frank.object_id]),
        senior=contoso.directory.add_group("Senior IT", [ivan.object_id]),
    )
