"""The facts that no source settles, one switch each; a run must be right on either side of every one of them.

Each names the section of the Graph contract that marks it UNCONFIRMED (or, where said, the sources that disagree).
The default is the answer that the sources make likelier.
"""

from collections.abc import Iterable

from tests.sandbox.arm.questions import AZURE
from tests.sandbox.switch import Switch

_ALL = (
    Switch(
        id="partner-create-takes-consent-settings",
        question="May POST partners carry automaticUserConsentSettings?",
        default="no: 400",
        other="yes, it is stored",
        section="1.1",
    ),
    Switch(
        id="soft-deleted-partner-blocks-create",
        question="What does POST partners do while a soft-deleted partner of that tenant exists?",
        default="creates a new one",
        other="409 for 30 days",
        section="1.1",
    ),
    Switch(
        id="past-start-refused",
        question="Does PIM take an extension or an update whose start lies in the past?",
        default="yes",
        other="400 InvalidRoleAssignmentRequestSchedule",
        section="6.2",
    ),
    Switch(
        id="partial-inbound-trust-merges",
        question="Does a partial complex value (inboundTrust, automaticUserConsentSettings) in a PATCH keep the rest?",
        default="yes, it is merged",
        other="no, flags not sent become null",
        section="1.2",
    ),
    Switch(
        id="partner-nulls-are-ignored",
        question="What does a null in a PATCH of a partner do, for a whole complex value or for one of its flags?",
        default="it clears: what was set is inherited again",
        other="nothing: it stays as it is",
        section="1.2",
    ),
    Switch(
        id="identity-sync-put-is-upsert",
        question="What does a second PUT of identitySynchronization do?",
        default="409 ConflictingObjects",
        other="204, replaced",
        section="1.3",
    ),
    Switch(
        id="app-role-value-is-null",
        question="Where does the app role carry msiam_access (3.1 says value, CSYNC-G's sample displayName only)?",
        default="in value and displayName",
        other="in displayName, value is null",
        section="3.1",
    ),
    Switch(
        id="second-job-post",
        question="What does a second POST of a job from the same template do?",
        default="makes a second job",
        other="409",
        section="3.2",
    ),
    Switch(
        id="sync-all-false-means-assigned-only",
        question="Does the secret SyncAll=false limit the cycle to assigned users?",
        default="yes",
        other="no, the cycle takes every internal member; on demand still asks for an assignment",
        section="3.2",
    ),
    Switch(
        id="on-demand-needs-started-job",
        question="Must the job have been started before provisionOnDemand?",
        default="no",
        other="yes: 400 otherwise",
        section="3.5",
    ),
    Switch(
        id="policy-check-code",
        question="Which code has missing redemption (3.2; newer versions of CSYNC name another one)?",
        default="AzureDirectoryB2BManagementPolicyCheckFailure",
        other="AzureActiveDirectoryCrossTenantSyncPolicyCheckFailure",
        section="3.2",
    ),
    Switch(
        id="on-demand-value-is-object",
        question="Is the inner JSON of the provisionOnDemand answer a list (CSYNC-G's sample) or an object (API page)?",
        default="a list with one result per subject",
        other="one object",
        section="3.5",
    ),
    Switch(
        id="on-demand-result-has-target-id",
        question="Does the result of provisionOnDemand carry the id of the user in the target?",
        default="yes",
        other="no, targetIdentity.id is null",
        section="4",
    ),
    Switch(
        id="start-on-running-job",
        question="What does start on a running job do?",
        default="204, nothing changes",
        other="409",
        section="3.6",
    ),
    Switch(
        id="assigning-needs-its-own-permission",
        question="Does Application.ReadWrite.All alone open the writes of appRoleAssignedTo?",
        default="yes, as Microsoft's permissions file says",
        other="no, as the API page says: AppRoleAssignment.ReadWrite.All, for a POST with a permission to read",
        section="3.0",
    ),
    Switch(
        id="provisioning-log-filter-jobid-refused",
        question="Is $filter=jobId eq '...' on the provisioning log refused?",
        default="no",
        other="yes: 400",
        section="3.7",
    ),
    Switch(
        id="synced-user-accepted",
        question="What is externalUserState of a synchronized user under automatic redemption?",
        default="Accepted",
        other="null",
        section="4",
    ),
    Switch(
        id="eligibility-needs-directory-role",
        question="Does an app need the directory role Privileged Role Administrator for eligibility requests?",
        default="no, the permission is enough",
        other="yes: 403 without it",
        section="6.1",
    ),
    Switch(
        id="extend-window-enforced",
        question="Does the API keep the portal's window of 14 days for adminExtend?",
        default="no",
        other="yes: 400",
        section="6.2",
    ),
    Switch(
        id="renew-needs-expired",
        question="What does adminRenew do with an eligibility that is still active?",
        default="it sets the new window",
        other="400 RoleAssignmentExists",
        section="6.2",
    ),
    Switch(
        id="subject-not-found-is-400",
        question="With which status does SubjectNotFound come?",
        default="404",
        other="400",
        section="6.4",
    ),
    Switch(
        id="eligibility-answers-pending",
        question="Does a new request answer before it is effective?",
        default="no, status is Provisioned",
        other="yes, PendingProvisioning until schedules show it",
        section="6.2",
    ),
    Switch(
        id="no-p2-policy-readable",
        question="Do the reads of PIM answer in a tenant without P2?",
        default="no: 400 AadPremiumLicenseRequired, as for requests",
        other="yes, policies and empty lists",
        section="6.4",
    ),
    Switch(
        id="hunting-without-defender",
        question="How does runHuntingQuery answer in a tenant without Defender (8.1 says nothing of it)?",
        default="400, its tables cannot be resolved (seen for tables of products that a tenant lacks)",
        other="403",
        section="8.1",
    ),
    Switch(
        id="hunting-without-devices",
        question="Are Defender's tables there before the first device reports?",
        default="yes, and empty",
        other="no: 400, they cannot be resolved",
        section="8.1",
    ),
    Switch(
        id="hunting-quota-tells-wait",
        question="Does the 429 of a spent CPU quota carry Retry-After (8.1: the body says which limit was hit)?",
        default="no",
        other="yes, to the end of the window",
        section="8.1",
    ),
)

SWITCHES: dict[str, Switch] = {switch.id: switch for switch in _ALL}
"""Graph's and Entra's, on which onboarding depends."""

AZURE_SWITCHES: dict[str, Switch] = {switch.id: switch for switch in AZURE}
"""Azure Resource Manager's."""

_KNOWN = SWITCHES.keys() | AZURE_SWITCHES.keys()


class Switches:
    """Which facts hold in this world: the likelier answer, except for those flipped."""

    def __init__(self, flipped: Iterable[str] = ()) -> None:
        self.flipped = frozenset(flipped)
        unknown = self.flipped - _KNOWN
        if unknown:
            raise ValueError(f"no such switch: {', '.join(sorted(unknown))}")

    def is_flipped(self, switch_id: str) -> bool:
        """True if the less likely answer holds."""
        if switch_id not in _KNOWN:
            raise ValueError(f"no such switch: {switch_id}")
        return switch_id in self.flipped
