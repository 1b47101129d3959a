"""What holds for eligibilities and activations alike: the policies of one subscription, and the checks of a request."""

from uuid import NAMESPACE_OID, uuid5

from tests.sandbox.arm.errors import ArmError, bad_request
from tests.sandbox.arm.models.access import Access
from tests.sandbox.arm.models.policy import Policy
from tests.sandbox.arm.models.records import A_MOMENT, SHORTEST, Requestor, Wanted
from tests.sandbox.arm.models.roles import VM_CONTRIBUTOR
from tests.sandbox.arm.models.scope import Scope
from tests.sandbox.graph.models.ground import Ground
from tests.sandbox.graph.models.tenant import Tenant
from tests.sandbox.graph.replication import View


class Rules:
    """Policies by scope and role, and the refusals of section 11 that do not depend on what is there already."""

    def __init__(self, ground: Ground, tenant: Tenant, access: Access, scope: Scope) -> None:
        self._ground = ground
        self._tenant = tenant
        self._access = access
        self.scope = scope
        self._policies: dict[tuple[str, str], Policy] = {}
        self.locked = False
        """Somebody put a lock on the subscription."""

    def policy(self, role_id: str = VM_CONTRIBUTOR, scope: Scope | None = None) -> Policy:
        """There is one for every role at every scope, and none is inherited (sections 2.1 and 2.2)."""
        where = (scope or self.scope).path.lower()
        found = self._policies.get((where, role_id))
        if found is None:
            name = str(uuid5(NAMESPACE_OID, f"{where}/{role_id}"))
            found = self._policies[where, role_id] = Policy(name, role_id)
        return found

    def require_licence(self) -> None:
        """PIM needs Entra ID P2."""
        if not self._tenant.licences.has_pim:
            raise bad_request(
                "AadPremiumLicenseRequired",
                "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.",
            )

    def check_role(self, wanted: Wanted) -> None:
        """Built-in, or a custom role of the directory."""
        if self._access.role(wanted.role_id) is None:
            raise bad_request("RoleNotFound", f"The role definition '{wanted.role_id}' is not found.")

    def check_principal(self, wanted: Wanted, *, service_principals: bool = False) -> None:
        """A user or group that PIM has heard of by now; service principals may be active, never eligible."""
        kind, directory = self._access.principal_type(wanted.principal_id), self._tenant.directory
        if kind == "ServicePrincipal":
            if service_principals:
                return
            raise bad_request("InvalidRoleAssignmentRequest", "A service principal cannot be eligible.")
        found = directory.users.get(wanted.principal_id) or directory.groups.get(wanted.principal_id)
        if found is None or not self._ground.sees(found.id, found.made_at, View.PIM):
            flipped = self._ground.switches.is_flipped("arm-unknown-principal-is-subject")
            raise bad_request(
                "SubjectNotFound" if flipped else "PrincipalNotFound",
                f"Principal {wanted.principal_id} does not exist in the directory {self._tenant.id}.",
            )

    def check_window(self, wanted: Wanted) -> None:
        """It has not ended yet and lasts five minutes at least."""
        now, window = self._ground.now(), wanted.window
        if window.end is not None and (window.end <= window.start or window.end <= now):
            raise bad_request("InvalidRoleAssignmentRequestSchedule", "The schedule of the request is not valid.")
        if window.end is not None and window.end - max(window.start, now) < SHORTEST - A_MOMENT:
            raise bad_request("ActiveDurationTooShort", "The duration is shorter than 5 minutes.")

    def check_policy(self, wanted: Wanted, level: str, requestor: Requestor) -> None:
        """Names every rule that fails."""
        failed = self.policy(wanted.role_id, wanted.scope).failures(
            wanted, level=level, requestor=requestor, switches=self._ground.switches
        )
        if failed:
            raise policy_failed(*failed)


def policy_failed(*rules: str) -> ArmError:
    """Section 11."""
    named = ",".join(f'"{rule}"' for rule in rules)
    return bad_request("RoleAssignmentRequestPolicyValidationFailed", f"The following policy rules failed: [{named}]")
