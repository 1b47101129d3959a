"""Standard Webhooks: how a message is signed. Pure.

A message is signed with every key that is given, the newest first: a receiver that knows either of two accepts it, so that
keys are changed without a moment in which nothing is accepted. https://github.com/standard-webhooks/standard-webhooks
"""

import base64
import binascii
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum

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


TOLERANCE = timedelta(minutes=5)
"""How far a message's time may be from ours, either way (Standard Webhooks, verifying webhook authenticity)."""

_LONGEST_ID = 256


class Checked(StrEnum):
    """What a message's headers are worth."""

    GOOD = "good"
    INCOMPLETE = "incomplete"
    BAD_SIGNATURE = "bad signature"
    OUT_OF_TIME = "out of time"


def checked(message_id: str, timestamp: str, signatures: str, body: str, keys: Iterable[str], now: datetime) -> Checked:
    """Whether a message is signed with one of these keys, at about that moment of machine time. Compared in constant time."""
    if not (message_id and signatures and timestamp) or len(message_id) > _LONGEST_ID:
        return Checked.INCOMPLETE
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 11):
        return Checked.INCOMPLETE
    at = datetime.fromtimestamp(int(timestamp), UTC)
    given = [one.encode() for one in signatures.split(" ")]
    wanted = [Webhook(key).sign(message_id, at, body).encode() for key in keys]
    if not any(hmac.compare_digest(one, each) for one in wanted for each in given):
        return Checked.BAD_SIGNATURE
    return Checked.GOOD if abs(now - at) <= TOLERANCE else Checked.OUT_OF_TIME
