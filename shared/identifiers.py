"""Names for the identifiers that travel through the house, and the one way to read a GUID.

All of them are lowercase GUIDs. They are types of their own so that mypy tells a tenant from a user.
"""

import re
from collections.abc import Callable
from typing import NewType

TenantId = NewType("TenantId", str)
ObjectId = NewType("ObjectId", str)
AppId = NewType("AppId", str)
SubscriptionId = NewType("SubscriptionId", str)

type NewId = Callable[[], str]

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


def as_guid(text: str) -> str | None:
    """The GUID in its canonical lowercase form, or None where the text is none."""
    lowered = text.strip().lower()
    return lowered if _GUID.fullmatch(lowered) else None
