"""A small scene for tests of the clouds alone: Contoso, Fabrikam, our registrations, and Graph calls by httpx."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.sandbox.certificates import Certificates
from tests.sandbox.clock import SharedClock
from tests.sandbox.clouds import Clouds
from tests.sandbox.entra.delegation import DELEGATED, ON_BEHALF_OF
from tests.sandbox.entra.service import EXCHANGE
from tests.sandbox.entra.tokens import identity_claims, sign
from tests.sandbox.faults import Faults
from tests.sandbox.graph.models.applications import SYNC_TEMPLATE
from tests.sandbox.personas import Person
from tests.sandbox.points import Points
from tests.sandbox.switches import Switches

CONTOSO = "aaaaaaaa-0000-4000-8000-00000000000a"
FABRIKAM = "bbbbbbbb-0000-4000-8000-00000000000b"
SOURCE_APP = "cccccccc-0000-4000-8000-00000000000c"
TARGET_APP = "dddddddd-0000-4000-8000-00000000000d"
API_APP = "99999999-0000-4000-8000-000000000009"
IDENTITY = "eeeeeeee-0000-4000-8000-00000000000e"
PRINCIPAL = "ffffffff-0000-4000-8000-00000000000f"
REDIRECT = "http://127.0.0.1:9/api/consent"
SIGNED_IN = "http://127.0.0.1:9/api/sign-in/callback"
PARTNERS = "/policies/crossTenantAccessPolicy/partners"
SECURITY_READER = "5d6b6bb7-de71-4623-b4af-96380a352509"
REQUESTS = "/roleManagement/directory/roleEligibilityScheduleRequests"

SOURCE_PERMISSIONS = (
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "CrossTenantInformation.ReadBasic.All",
    "GroupMember.Read.All",
    "LicenseAssignment.Read.All",
    "Policy.ReadWrite.CrossTenantAccess",
    "ProvisioningLog.Read.All",
    "Synchronization.ReadWrite.All",
    "User.Read.All",
)
TARGET_PERMISSIONS = (
    "Organization.Read.All",
    "Policy.Read.All",
    "Policy.ReadWrite.CrossTenantAccess",
    "RoleEligibilitySchedule.ReadWrite.Directory",
    "RoleManagement.Read.Directory",
    "ThreatHunting.Read.All",
    "User.Read.All",
)


@dataclass
class Synchronization:
    """What act 6 makes in the source."""

    principal: str
    role: str
    job: str
    rule: str

    @property
    def base(self) -> str:
        """The synchronization endpoint of the application."""
        return f"/servicePrincipals/{self.principal}/synchronization"


class Scene:
    """Clouds that listen, and a client that trusts them."""

    def __init__(
        self,
        *,
        clouds: Clouds,
        clock: SharedClock,
        points: Points,
        certificates: Certificates,
        client: httpx.AsyncClient,
    ) -> None:
        self.clouds = clouds
        self.certificates = certificates
        self.clock = clock
        self.points = points
        self.client = client
        self.contoso = clouds.add_tenant(CONTOSO, "Contoso", "contoso.com")
        self.fabrikam = clouds.add_tenant(FABRIKAM, "Fabrikam", "fabrikam.com")
        clouds.managed_identity(IDENTITY, PRINCIPAL)
        self.ana = clouds.person(self.contoso, "ana@contoso.com", "Ana Analyst")
        self.gina = clouds.person(self.contoso, "gina@contoso.com", "Gina Guest", guest=True)
        self.farid = clouds.person(self.fabrikam, "farid@fabrikam.com", "Farid Administrator", admin=True)
        self.faye = clouds.person(self.fabrikam, "faye@fabrikam.com", "Faye Member")
        for app_id, name, multi_tenant, permissions in (
            (SOURCE_APP, "Source", False, SOURCE_PERMISSIONS),
            (TARGET_APP, "Target", True, TARGET_PERMISSIONS),
        ):
            clouds.register_application(
                app_id,
                name,
                CONTOSO,
                multi_tenant=multi_tenant,
                application_permissions=permissions,
                federated_identity=PRINCIPAL,
                redirect_uris=(REDIRECT,),
            )
        clouds.grant(SOURCE_APP, CONTOSO)
        clouds.register_application(
            API_APP,
            "Tenantry API",
            CONTOSO,
            multi_tenant=False,
            application_permissions=(),
            federated_identity=PRINCIPAL,
            delegated_permissions=(DELEGATED,),
            redirect_uris=(SIGNED_IN,),
        )
        clouds.grant(API_APP, CONTOSO)

    def assertion(self) -> str:
        """What the managed identity would give."""
        return sign(
            identity_claims(
                authority=self.clouds.authority,
                home_tenant=CONTOSO,
                client_id=IDENTITY,
                principal_id=PRINCIPAL,
                audience=EXCHANGE,
            )
        )

    async def token(self, tenant: str, app_id: str, **fields: str) -> httpx.Response:
        """Ask the token endpoint; fields replace those of a correct request."""
        form = {
            "client_id": app_id,
            "grant_type": "client_credentials",
            "scope": f"{self.clouds.graph}/.default",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.assertion(),
            **fields,
        }
        return await self.client.post(f"{self.clouds.authority}/{tenant}/oauth2/v2.0/token", data=form)

    def user_token(self, person: Person, **how: Any) -> str:
        """A person's token for Tenantry API."""
        return self.clouds.user_token(person, API_APP, [], **how)

    async def on_behalf(self, token: str, **fields: str) -> httpx.Response:
        """Exchange a person's token for one for Azure, as Tenantry API."""
        form = {
            "grant_type": ON_BEHALF_OF,
            "requested_token_use": "on_behalf_of",
            "assertion": token,
            "scope": f"{self.clouds.arm}/{DELEGATED}",
        }
        return await self.token(CONTOSO, API_APP, **{**form, **fields})

    async def graph(
        self, tenant: str, line: str, body: object = None, *, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """One call, as the registration of that side."""
        app_id = SOURCE_APP if tenant == CONTOSO else TARGET_APP
        answer = await self.token(tenant, app_id)
        method, path = line.split(" ", 1)
        return await self.client.request(
            method,
            f"{self.clouds.graph}/v1.0{path}",
            json=body,
            headers={"Authorization": f"Bearer {answer.json()['access_token']}", **(headers or {})},
        )

    def consent_url(self, tenant: str = FABRIKAM, **fields: str) -> str:
        """The address that the app gives an administrator."""
        query = {
            "client_id": TARGET_APP,
            "scope": f"{self.clouds.graph}/.default",
            "redirect_uri": REDIRECT,
            "state": "once",
            **fields,
        }
        return f"{self.clouds.authority}/{tenant}/v2.0/adminconsent?{urlencode(query)}"

    async def trust(self) -> None:
        """Acts 3 to 5, by Graph."""
        consent = {"automaticUserConsentSettings": {"inboundAllowed": True}}
        await self.made(FABRIKAM, f"POST {PARTNERS}", {"tenantId": CONTOSO})
        await self.made(FABRIKAM, f"PATCH {PARTNERS}/{CONTOSO}", consent)
        sync = {"displayName": "Contoso", "userSyncInbound": {"isSyncAllowed": True}}
        await self.made(FABRIKAM, f"PUT {PARTNERS}/{CONTOSO}/identitySynchronization", sync)
        await self.made(CONTOSO, f"POST {PARTNERS}", {"tenantId": FABRIKAM})
        consent = {"automaticUserConsentSettings": {"outboundAllowed": True}}
        await self.made(CONTOSO, f"PATCH {PARTNERS}/{FABRIKAM}", consent)

    async def synchronization(self, *, assigned: Sequence[str] = ()) -> Synchronization:
        """Acts 6 and 7, by Graph."""
        made = await self.made(
            CONTOSO, f"POST /applicationTemplates/{SYNC_TEMPLATE}/instantiate", {"displayName": "Fabrikam"}
        )
        principal, role = made["servicePrincipal"]["id"], made["servicePrincipal"]["appRoles"][0]["id"]
        base = f"/servicePrincipals/{principal}/synchronization"
        secrets = {"AuthenticationType": "SyncPolicy", "CompanyId": FABRIKAM, "SyncAll": "false"}
        job = (await self.made(CONTOSO, f"POST {base}/jobs", {"templateId": "Azure2Azure"}))["id"]
        pairs = [{"key": key, "value": value} for key, value in secrets.items()]
        await self.made(CONTOSO, f"PUT {base}/secrets", {"value": pairs})
        for user in assigned:
            wanted = {"principalId": user, "resourceId": principal, "appRoleId": role}
            await self.made(CONTOSO, f"POST /servicePrincipals/{principal}/appRoleAssignedTo", wanted)
        schema = await self.made(CONTOSO, f"GET {base}/jobs/{job}/schema")
        return Synchronization(principal, role, job, schema["synchronizationRules"][0]["id"])

    async def made(self, tenant: str, line: str, body: object = None) -> dict[str, Any]:
        """A call that must succeed; its JSON, or nothing."""
        answer = await self.graph(tenant, line, body)
        assert answer.is_success, f"{line}: {answer.status_code} {answer.text}"
        decoded: dict[str, Any] = answer.json() if answer.content else {}
        return decoded

    @staticmethod
    def subject(sync: Synchronization, user: str) -> dict[str, object]:
        """The body of provisionOnDemand."""
        subjects = [{"objectId": user, "objectTypeName": "User"}]
        return {"parameters": [{"ruleId": sync.rule, "subjects": subjects}]}

    def eligibility(self, principal: str, **fields: object) -> dict[str, object]:
        """The body of a request for half a year of Security Reader."""
        return {
            "action": "adminAssign",
            "principalId": principal,
            "roleDefinitionId": SECURITY_READER,
            "directoryScopeId": "/",
            "justification": "Onboarding",
            "scheduleInfo": {
                "startDateTime": "2026-03-02T08:00:00Z",
                "expiration": {"type": "afterDuration", "duration": "P180D"},
            },
            **fields,
        }


@asynccontextmanager
async def scene(
    folder: Path, *, flipped: Sequence[str] = (), faults: Faults | None = None, quick: bool = True
) -> AsyncIterator[Scene]:
    """The clouds without an app. `quick` turns replication off; Fabrikam has not consented yet."""
    certificates = Certificates(folder)
    clock = SharedClock.create(folder / "clock", datetime(2026, 3, 2, 8, 0, tzinfo=UTC))
    points, chosen = Points(), faults or Faults.none()
    clouds = Clouds(
        clock=clock,
        points=points,
        faults=chosen,
        switches=Switches(flipped),
        certificates=certificates,
        recording=folder / "traffic.jsonl",
    )
    if quick:
        clouds.replication.off()
    await clouds.start()
    try:
        async with httpx.AsyncClient(verify=certificates.client_context()) as client:
            yield Scene(clouds=clouds, clock=clock, points=points, certificates=certificates, client=client)
    finally:
        await clouds.stop()
        clock.close()
