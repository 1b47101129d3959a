"""The few values of $filter that the service takes: one function or one comparison, never several (section 3.1)."""

import re
from dataclasses import dataclass

from tests.sandbox.arm.errors import unsupported

AT_SCOPE, AS_TARGET, AS_REQUESTOR, AS_APPROVER = "atScope()", "asTarget()", "asRequestor()", "asApprover()"
ASSIGNED_TO, PRINCIPAL, ROLE = "assignedTo", "principalId", "roleDefinitionId"
OWN = frozenset({AS_TARGET, AS_REQUESTOR, AS_APPROVER})
"""What concerns the caller, who needs no right for it."""

_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_PATTERNS = (
    re.compile(r"(?P<name>(?:atScope|asTarget|asRequestor|asApprover|asCreatedBy)\(\))"),
    re.compile(rf"(?P<name>assignedTo)\('(?P<value>{_GUID})'\)"),
    re.compile(rf"(?P<name>principalId)\s+eq\s+'?(?P<value>{_GUID})'?"),
    re.compile(r"(?P<name>roleDefinitionId|roleName|type)\s+eq\s+'(?P<value>[^']*)'"),
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Its name and, where it compares, the value."""

    name: str
    value: str = ""


def parse_filter(text: str, offered: frozenset[str]) -> Filter:
    """What the endpoint offers; anything else is loud."""
    for pattern in _PATTERNS:
        found = pattern.fullmatch(text.strip())
        if found is not None and found["name"] in offered:
            return Filter(found["name"], found.groupdict().get("value") or "")
    raise unsupported(f"The filter '{text}' is not supported. Supported filters are {', '.join(sorted(offered))}.")
