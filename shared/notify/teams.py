"""A notice as a Teams Workflows address takes it: a message with one Adaptive Card. Pure.

The card opens the record and decides nothing: whoever opens it signs in first.
"""

import msgspec

from shared.notify.notices import ActivationFacts, Notice, data_of

_CARD = "application/vnd.microsoft.card.adaptive"
_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
_VERSION = "1.5"
"""The newest that Teams shows everywhere (Teams, cards reference)."""


def card(notice: Notice, url: str) -> str:
    """The body of its message."""
    data = data_of(notice, url)
    facts: dict[str, str | None] = {
        "Alarm": notice.kind.value,
        "Tenant": data.tenant_id,
        "Subscription": data.subscription_id,
        "Principal": data.principal_id,
        "Role": data.role_definition_id,
        "Registration": data.registration,
        "Why": data.why,
        "Ends": None if data.end is None else f"{data.end:%Y-%m-%d %H:%M} UTC",
        **_of_activation(data.activation),
        "Told": f"{notice.at:%Y-%m-%d %H:%M} UTC",
    }
    content = {
        "$schema": _SCHEMA,
        "type": "AdaptiveCard",
        "version": _VERSION,
        "body": [
            {"type": "TextBlock", "text": data.what, "weight": "Bolder", "wrap": True},
            {"type": "FactSet", "facts": [{"title": name, "value": value} for name, value in facts.items() if value]},
            {"type": "TextBlock", "text": data.do, "wrap": True},
        ],
        "actions": [{"type": "Action.OpenUrl", "title": "Open the record", "url": data.href}],
    }
    message = {"type": "message", "attachments": [{"contentType": _CARD, "contentUrl": None, "content": content}]}
    return msgspec.json.encode(message).decode()


def _of_activation(facts: ActivationFacts | None) -> dict[str, str | None]:
    """The request and its price, in the order in which an approver asks."""
    if facts is None:
        return {}
    unknown = "at least, for not all of it has a price" if facts.for_hours else "no plan"
    return {
        "Requester": facts.requester,
        "For": None if facts.minutes is None else f"{facts.minutes / 60:g} hours",
        "Reason": facts.reason,
        "Ticket": facts.ticket,
        "Costs in these hours": _sum(facts.for_hours, facts.currency),
        "Costs for the plan's days": _sum(facts.for_days, facts.currency),
        "Costs in a month, left running": _sum(facts.monthly, facts.currency),
        "Price": unknown if facts.unpriced else None,
        "Dearest size expected": facts.dearest,
        "Left of the budget": _sum(facts.budget_left, facts.currency),
        "Finance": facts.finance,
        "Approved": None if facts.approved is None else ("yes" if facts.approved else "no"),
        "Active until": None if facts.end is None else f"{facts.end:%Y-%m-%d %H:%M} UTC",
        "Violation": facts.violation,
        "Decide before": None if facts.expires is None else f"{facts.expires:%Y-%m-%d %H:%M} UTC",
    }


def _sum(amount: str, currency: str) -> str | None:
    return f"{amount} {currency}" if amount else None
