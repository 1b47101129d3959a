"""Where notices go, by the deployment's settings, and what is wrong with those. Pure. All of it is secret."""

import hashlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from shared.notify.notices import Destination
from shared.notify.webhook import is_key

URL, KEY, PREVIOUS_KEY = "TENANTRY_WEBHOOK_URL", "TENANTRY_WEBHOOK_KEY", "TENANTRY_WEBHOOK_PREVIOUS_KEY"
TEAMS_URL = "TENANTRY_TEAMS_URL"


class Destinations(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses by destination, and the keys of the webhook, the newest first. None of it may be shown."""

    urls: dict[Destination, str]
    keys: tuple[str, ...]

    def __repr__(self) -> str:
        return "Destinations()"

    def fingerprint(self, destination: Destination) -> str:
        """Tells one address from another without showing it; nothing where there is none."""
        url = self.urls.get(destination)
        return "" if url is None else hashlib.sha256(url.encode()).hexdigest()


def destinations(webhook: str, key: str, previous_key: str, teams: str) -> Destinations:
    """The destinations of these settings, where nothing is wrong with them."""
    urls = {Destination.WEBHOOK: webhook, Destination.TEAMS: teams}
    return Destinations(
        urls={name: url for name, url in urls.items() if url}, keys=tuple(one for one in (key, previous_key) if one)
    )


def problems(webhook: str, key: str, previous_key: str, teams: str) -> Iterator[str]:
    """What is wrong with the settings, by name. Never what they are."""
    for name, value in ((URL, webhook), (TEAMS_URL, teams)):
        if value and not _is_safe(value):
            yield f"{name} is not an https address"
    for name, value in ((KEY, key), (PREVIOUS_KEY, previous_key)):
        if value and not is_key(value):
            yield f"{name} is not whsec_ and the base64 of 24 to 64 bytes"
    if bool(webhook) != bool(key):
        yield f"set both of {URL} and {KEY}, or neither"
    if previous_key and (not key or previous_key == key):
        yield f"{PREVIOUS_KEY} is for the key that was {KEY} before"


def _is_safe(value: str) -> bool:
    try:
        parts = urlsplit(value)
        known = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return parts.scheme == "https" and known and parts.username is None and not parts.fragment and value.isascii()
