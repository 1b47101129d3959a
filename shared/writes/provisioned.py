"""What provisioning did with an analyst, told by the on-demand answer or by the provisioning log. Pure.

The on-demand answer holds JSON in a JSON string; whether it tells the target object's id is unconfirmed, the log does.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from shared.graph.sync_shapes import LogEntry
from shared.identifiers import ObjectId, as_guid
from shared.tenants.record import Analyst, Problem

_ALREADY_SO = "RedundantExport"
"""Skipped because source and target match already: the account is there, and that is what was wanted."""

_NOT_ASSIGNED_YET = "NotEffectivelyEntitled"
_GENERAL = "Look the code up in the provisioning log of the source tenant, put it right, then POST .../retry."
STRANGE = "StrangeAccount"
_ADVICE = {
    STRANGE: "Look at this account in the target: if it is not the analyst's, the target's administrator removes "
    "it or its conflicting address; then POST .../retry.",
    "AzureActiveDirectoryForbidden": "The target's administrator must allow guest invitations; then POST .../retry.",
    "UnsupportedSmsSignInUser": "Turn SMS sign-in off for this user in the source tenant; then POST .../retry.",
    "SourceObjectNotFound": "Restore the user in the source tenant; then POST .../retry.",
    "NotInScope": "Only internal members of the source tenant are synchronized; onboard with another analyst.",
}
_CLOCKS_DIFFER = timedelta(minutes=1)
_FAILED = frozenset({"failure", "failed"})


class Provisioned(msgspec.Struct, frozen=True, kw_only=True):
    """The account's id where it was told; the reason where the user was skipped or failed."""

    target_object_id: ObjectId | None = None
    code: str = ""
    reason: str = ""

    @property
    def refused(self) -> bool:
        """Whether the service said that it will not make this account."""
        return bool(self.code) and self.target_object_id is None and not self.premature

    @property
    def premature(self) -> bool:
        """Whether it only has not heard of the assignment yet: wait, and ask again."""
        return self.code == _NOT_ASSIGNED_YET


GONE = Provisioned(code="SourceObjectNotFound", reason="the user is not in the source tenant any more")


def told_on_demand(text: str, analyst: ObjectId) -> Provisioned:
    """Read the inner JSON of provisionOnDemand: an object, or a list of one. What cannot be read tells nothing: the
    log will.
    """
    try:
        outer = msgspec.json.decode(text) if text else {}
    except msgspec.DecodeError:
        return Provisioned()
    result = outer[0] if isinstance(outer, list) and outer else outer
    if not isinstance(result, dict) or not _is_about(result, analyst):
        return Provisioned()
    code, reason = _error(result)
    return Provisioned(target_object_id=_target(result), code=code, reason=reason)


def told_by_log(entries: list[LogEntry], analyst: ObjectId, asked: datetime) -> Provisioned | None:
    """The newest entry about an analyst since it was asked for, or None where there is none yet."""
    about = [
        (entry.activity_date_time, entry)
        for entry in entries
        if entry.source_identity is not None
        and entry.source_identity.id == analyst
        and entry.activity_date_time is not None
        and entry.activity_date_time >= asked - _CLOCKS_DIFFER
    ]
    if not about:
        return None
    _, newest = max(about, key=lambda one: one[0])
    # Only the newest: an older entry may tell of an account that is gone.
    target = as_guid(newest.target_identity.id) if newest.target_identity and newest.target_identity.id else None
    status = newest.provisioning_status_info
    error = status.error_information if status else None
    failed = status is not None and (status.status or "").lower() in (*_FAILED, "skipped")
    code = (error.error_code or "") if error else ""
    if not failed or code == _ALREADY_SO:
        return Provisioned(target_object_id=ObjectId(target) if target else None)
    return Provisioned(
        target_object_id=None,
        code=code or "Unknown",
        reason=(error.reason or "") if error else "",
    )


def advice(code: str) -> str:
    """What a person should do about a user whom the synchronization does not take."""
    return _ADVICE.get(code, _GENERAL)


def quarantined(reason: str) -> Problem:
    """The problem of a job in quarantine."""
    return Problem(
        code="Quarantine",
        what=f"The synchronization job is in quarantine: {reason}",
        do="Put the reason right, then restart the job in the source tenant (Entra admin center, Cross-tenant "
        "synchronization), then POST .../retry.",
    )


def fits(user_principal_name: str, mail: str, analyst: Analyst) -> bool:
    """Whether an account of the target looks like this analyst's: an external one, made from their name or mail.

    An account that was matched by a changed mapping, or by another's mail, must never be made eligible.
    """
    prefix, external, _ = user_principal_name.lower().partition("#ext#")
    if not external:
        return False
    ours = {name.lower() for name in (analyst.user_principal_name, analyst.mail) if name}
    return mail.lower() in ours or prefix in {name.replace("@", "_") for name in ours}


def _is_about(result: dict[str, Any], analyst: ObjectId) -> bool:
    identity = result.get("sourceIdentity")
    told = as_guid(str(identity.get("id") or "")) if isinstance(identity, dict) else None
    return told in (None, analyst)


def _target(result: dict[str, Any]) -> ObjectId | None:
    identity = result.get("targetIdentity")
    guid = as_guid(str(identity.get("id") or "")) if isinstance(identity, dict) else None
    return ObjectId(guid) if guid else None


def _error(result: dict[str, Any]) -> tuple[str, str]:
    """The first step, or the status, that failed or was skipped."""
    steps = result.get("provisioningSteps")
    told = [step for step in (steps if isinstance(steps, list) else []) if isinstance(step, dict)]
    summary = result.get("statusInfo")
    for one in ([summary] if isinstance(summary, dict) else []) + told:
        if str(one.get("status", "")).lower() not in (*_FAILED, "skipped"):
            continue
        details = one.get("details")
        named = details if isinstance(details, dict) else {}
        code = str(one.get("errorCode") or named.get("ErrorCode") or named.get("SkipReason") or one.get("name") or "")
        if code != _ALREADY_SO:
            return code or "Unknown", str(one.get("reason") or one.get("description") or "")
        return "", ""
    return "", ""
