"""Azure Resource Manager's wire shapes of approvals and activations, and what they say in our terms. Pure."""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import unquote

import msgspec

from shared.arm.shapes import last_part
from shared.identifiers import ObjectId

_CHALLENGE = re.compile(r'\bclaims="([A-Za-z0-9+/=_-]+)"')


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A stage of an approval: the product has one. `reviewed_by` is empty until somebody decided."""

    stage_id: str
    status: str
    mine: bool
    approved: bool | None
    reviewed_by: ObjectId
    reviewed_at: datetime | None
    justification: str

    @property
    def is_open(self) -> bool:
        """Whether it waits for a decision. Statuses may be added by the vendor: an unknown one is not open."""
        return self.status in ("InProgress", "Escalated")

    def was_decided_by(self, person: ObjectId, *, approve: bool) -> bool:
        """Whether this is that person's decision."""
        return self.reviewed_by == person and self.approved is approve


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """The approval of one activation request, as its approver sees it."""

    approval_id: str
    stages: tuple[Stage, ...]

    @property
    def mine(self) -> Stage | None:
        """The stage that waits for whoever read it."""
        return next((one for one in self.stages if one.is_open and one.mine), None)

    @property
    def decided(self) -> Stage | None:
        """The stage that somebody decided."""
        return next((one for one in self.stages if one.reviewed_by), None)

    def stage(self, stage_id: str) -> Stage | None:
        """The stage of that id."""
        return next((one for one in self.stages if one.stage_id == stage_id), None)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request for an activation that PIM took. `approval_id` is empty where none is needed; a check has no name."""

    name: str
    status: str
    approval_id: str
    request_id: str


class _Reviewer(msgspec.Struct, rename="camel"):
    principal_id: str = ""


class _StageItem(msgspec.Struct, rename="camel", kw_only=True):
    status: str = ""
    assigned_to_me: bool = False
    review_result: str = ""
    reviewed_by: _Reviewer | None = None
    reviewed_date_time: datetime | None = None
    justification: str | None = None


class _StageResource(msgspec.Struct, kw_only=True):
    id: str = ""
    name: str = ""
    properties: _StageItem


class _Stages(msgspec.Struct):
    stages: list[_StageResource] = []


class _ApprovalResource(msgspec.Struct):
    name: str
    properties: _Stages


class _RequestItem(msgspec.Struct, rename="camel"):
    status: str = ""
    approval_id: str | None = None


class _RequestResource(msgspec.Struct):
    name: str
    properties: _RequestItem


def approval_of(content: bytes) -> Approval:
    """An approval."""
    found = msgspec.json.decode(content, type=_ApprovalResource)
    return Approval(approval_id=last_part(found.name), stages=tuple(_stage_of(one) for one in found.properties.stages))


def _stage_of(found: _StageResource) -> Stage:
    stage = found.properties
    results = {"Approve": True, "Deny": False}
    return Stage(
        stage_id=last_part(found.name or found.id),
        status=stage.status,
        mine=stage.assigned_to_me,
        approved=results.get(stage.review_result),
        reviewed_by=ObjectId(stage.reviewed_by.principal_id.lower() if stage.reviewed_by else ""),
        reviewed_at=stage.reviewed_date_time,
        justification=stage.justification or "",
    )


def asked_of(content: bytes, request_id: str) -> Asked:
    """A request for an activation. Its approval was seen as a whole path, and as a bare GUID."""
    found = msgspec.json.decode(content, type=_RequestResource)
    return Asked(
        name=found.name.lower(),
        status=found.properties.status,
        approval_id=last_part(found.properties.approval_id or ""),
        request_id=request_id,
    )


def challenge_of(headers: Mapping[str, str]) -> str:
    """The claims of a challenge in WWW-Authenticate, as JSON; empty where there is none."""
    told = headers.get("WWW-Authenticate", "")
    found = _CHALLENGE.search(told)
    if "insufficient_claims" not in told or found is None:
        return ""
    encoded = found[1].replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def claims_in(message: str) -> str:
    """The claims in the words by which PIM refuses an activation for want of an authentication context; empty where it names
    none.
    """
    claims = unquote(message.partition("claims=")[2])
    start, end = claims.find("{"), claims.rfind("}")
    return claims[start : end + 1] if 0 <= start < end else ""
