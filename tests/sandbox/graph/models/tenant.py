"""One simulated tenant: all of its state, by resource area."""

from datetime import datetime

from tests.sandbox.graph.models.applications import Applications
from tests.sandbox.graph.models.cross_tenant import CrossTenantAccess
from tests.sandbox.graph.models.defender import Defender
from tests.sandbox.graph.models.directory import Directory
from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.models.jobs import Jobs
from tests.sandbox.graph.models.outcome import Outcome
from tests.sandbox.graph.models.pim import Pim
from tests.sandbox.graph.models.policies import Licences, Policies
from tests.sandbox.graph.wire import Wire


class Tenant:
    """The parts are public: tests set up odd tenants by changing them, and read them to see what became of a tenant."""

    def __init__(self, ground: Ground, tenant_id: str, display_name: str, domain: str) -> None:
        self.id = tenant_id.lower()
        self.display_name = display_name
        self.domain = domain.lower()
        label = self.domain.partition(".")[0]
        self.initial_domain = self.domain if self.domain.endswith(".onmicrosoft.com") else f"{label}.onmicrosoft.com"
        self.made_at: datetime = ground.now()
        self.licences = Licences()
        self.policies = Policies()
        self.directory = Directory(ground, self.initial_domain)
        self.applications = Applications(ground, self.id, self.directory)
        self.access = CrossTenantAccess(ground, self.id)
        self.jobs = Jobs(ground)
        self.pim = Pim(ground, self.directory, self.applications, self.licences)
        self.defender = Defender(ground)
        self.provisioning_log: list[Outcome] = []

    @property
    def domains(self) -> frozenset[str]:
        """Verified domains."""
        return frozenset({self.domain, self.initial_domain})

    def organization(self) -> Wire:
        """As /organization shows it (section 8.1)."""
        return {
            "id": self.id,
            "deletedDateTime": None,
            "displayName": self.display_name,
            "tenantType": "AAD",
            "countryLetterCode": "DE",
            "createdDateTime": "2020-01-01T00:00:00Z",
            "verifiedDomains": [
                {
                    "capabilities": "Email, OfficeCommunicationsOnline",
                    "isDefault": name == self.domain,
                    "isInitial": name == self.initial_domain,
                    "name": name,
                    "type": "Managed",
                }
                for name in sorted(self.domains)
            ],
        }

    def information(self) -> Wire:
        """What every tenant may know about it (section 8.1)."""
        return {
            "tenantId": self.id,
            "federationBrandName": None,
            "displayName": self.display_name,
            "defaultDomainName": self.domain,
        }
