"""What a provisioning found out about one user, and the reasons it gives for not exporting them."""

from dataclasses import dataclass
from datetime import datetime

from tests.sandbox.graph.models.directory import User
from tests.sandbox.graph.models.jobs import Problem

NOT_ENTITLED = Problem(
    code="NotEffectivelyEntitled", message="The user is not assigned to the application, so it is out of scope."
)
NOT_INTERNAL = Problem(code="NotInScope", message="Only internal members of the source tenant are synchronized.")
SMS_SIGN_IN = Problem(
    code="UnsupportedSmsSignInUser", message="A user who signs in by text message cannot be synchronized."
)
REDUNDANT = Problem(
    code="RedundantExport", message="The state of the user in both the source and target systems already match."
)
NO_GUESTS = Problem(
    code="AzureActiveDirectoryForbidden", message="Guest invitations not allowed for your company. Contact your admin."
)
UNKNOWN_USER = Problem(code="SourceObjectNotFound", message="The object was not found in the source directory.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened to one user."""

    user_id: str
    user: User | None
    target_id: str | None
    at: datetime
    action: str
    status: str
    problem: Problem | None
