"""Standard Webhooks: how a message is signed, and how a signature is checked. Pure but for the package's own clock.

A message is signed with every key that is given, the newest first: a receiver that knows either of two accepts it, so that
keys are changed without a moment in which nothing is accepted. https://github.com/standard-webhooks/standard-webhooks
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import datetime

from standardwebhooks import Webhook, WebhookVerificationError

from shared.errors import WebhookRejected

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


def verify(headers: Mapping[str, str], body: bytes, keys: Iterable[str]) -> str:
    """The id of a message that one of the keys has signed within five minutes of machine time.

    A caller that acts on a message keeps its id: the same message may come again. Raises WebhookRejected.
    """
    given = dict(headers)
    for key in keys:
        try:
            Webhook(key).verify(body, given, json_parse=False)
        except (WebhookVerificationError, ValueError):
            # The package raises ValueError for a malformed header, and for a body that is no UTF-8.
            continue
        return next(value for name, value in given.items() if name.lower() == "webhook-id")
    raise WebhookRejected("no key has signed this message, or not just now")
