"""A notice as a Teams Workflows address takes it: a message with one Adaptive Card. Pure.

The card opens the record and decides nothing: whoever opens it signs in first.
"""

import msgspec

from shared.notify.notices import Notice, data_of

_CARD = "application/vnd.microsoft.card.adaptive"
_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
_VERSION = "1.5"
"""The newest that Teams shows everywhere (Teams, cards reference)."""


def card(notice: Notice, url: str) -> str:
    """The body of its message."""
    data = data_of(notice, url)
    facts = {
        "Alarm": notice.kind.value,
        "Tenant": data.tenant_id,
        "Subscription": data.subscription_id,
        "Principal": data.principal_id,
        "Role": data.role_definition_id,
        "Registration": data.registration,
        "Why": data.why,
        "Ends": None if data.end is None else f"{data.end:%Y-%m-%d %H:%M} UTC",
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
