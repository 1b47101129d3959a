"""The approval of one activation: a stage, who may decide it, and what was decided (section 5)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_OID, uuid5

from tests.sandbox.graph.models.tenant import Tenant
from tests.sandbox.graph.wire import Wire


@dataclass(slots=True, kw_only=True)
class Approval:
    """Its id is the name of the request. The approvers are those whom the policy named when the request came."""

    id: str
    approvers: tuple[tuple[str, str], ...]
    needs_justification: bool
    result: str = "NotReviewed"
    reviewer_id: str | None = None
    reviewed_at: datetime | None = None
    justification: str = ""
    closed: bool = False
    """Cancelled, so that nobody is asked any more."""

    @property
    def stage_id(self) -> str:
        """The product has one stage only (section 2.2)."""
        return str(uuid5(NAMESPACE_OID, f"{self.id}/stage"))

    def is_for(self, person_id: str, tenant: Tenant, *, nested: bool) -> bool:
        """Whether the person is asked: by name or, at this moment, as a member of a group that is."""
        for kind, approver_id in self.approvers:
            if kind == "User" and approver_id == person_id:
                return True
            if kind == "Group" and _is_member(person_id, approver_id, tenant, nested=nested, seen=set()):
                return True
        return False


def approval_of(name: str, rule: Wire) -> Approval | None:
    """What the policy's approval rule makes of a request; None where none is required."""
    setting = rule["setting"]
    if not isinstance(setting, dict) or not setting["isApprovalRequired"]:
        return None
    [stage] = setting["approvalStages"]
    return Approval(
        id=name,
        approvers=tuple((one["userType"], one["id"].lower()) for one in stage["primaryApprovers"]),
        needs_justification=bool(stage.get("isApproverJustificationRequired", True)),
    )


def _is_member(person_id: str, group_id: str, tenant: Tenant, *, nested: bool, seen: set[str]) -> bool:
    group = tenant.directory.groups.get(group_id)
    if group is None or group_id in seen:
        return False
    if person_id in group.members:
        return True
    seen.add(group_id)
    return nested and any(_is_member(person_id, one, tenant, nested=True, seen=seen) for one in group.members)
