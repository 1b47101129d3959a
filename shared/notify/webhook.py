"""Standard Webhooks: how a message is signed. Pure.

A message is signed with every key that is given, the newest first: a receiver that knows either of two accepts it, so that
keys are changed without a moment in which nothing is accepted. https://github.com/standard-webhooks/standard-webhooks
"""

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime

from standardwebhooks import Webhook

_PREFIX = "whsec_"
_SHORTEST_KEY, _LONGEST_KEY = 24, 64
"""Bytes of a key (Standard Webhooks, signature scheme)."""


def is_key(text: str) -> bool:
    """Whether a text is a signing key: `whsec_` and the base64 of 24 to 64 bytes."""
    if not text.startswith(_PREFIX):
        return False
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    return _SHORTEST_KEY <= len(key) <= _LONGEST_KEY


def signed(message_id: str, at: datetime, body: str, keys: Iterable[str]) -> dict[str, str]:
    """The headers of a message that is sent at that moment of machine time."""
    signatures = [Webhook(key).sign(message_id, at, body) for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
