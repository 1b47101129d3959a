"""Whether an approver can approve, and whether PIM's mail about a request would reach them. Pure.

PIM writes to `mail`; without a mailbox behind it nobody hears. What cannot be told is "not proven", never "ok".
"""

from collections.abc import Iterable

EXCHANGE = "exchange"
_ENABLED = "Enabled"


def why_not_reached(*, enabled: bool | None, mail: str | None, plans: Iterable[tuple[str, str]]) -> str:
    """What keeps it from being proven that mail reaches them; empty: it does. `plans`: service and capability status."""
    if enabled is not True:
        return "whether the account is enabled is not told" if enabled is None else "the account is disabled"
    if not mail:
        return "the account has no mail address"
    statuses = [status for service, status in plans if service.lower() == EXCHANGE]
    if not statuses:
        return "the account has no Exchange plan"
    return "" if _ENABLED in statuses else "the account's Exchange plan is not enabled"
