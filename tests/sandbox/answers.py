"""What a vendor's server gives back: an answer, an error instead of one, and the tokens of a list's next page."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status and, unless it is 204, a JSON body."""

    status: int = 200
    body: dict[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class VendorError(Exception):
    """What a handler raises instead of an answer. A violation is also kept in the list that tests expect to be empty."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        violation: bool = False,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = tuple(dict(detail) for detail in details)
        self.headers = dict(headers or {})
        self.violation = violation


def skip_token(offset: int) -> str:
    """The token of a page that begins there."""
    return base64.urlsafe_b64encode(f"sandbox:{offset}".encode()).decode().rstrip("=")


def skipped(token: str) -> int | None:
    """Where the page of a token begins; None for a token that is none of ours."""
    try:
        marker, _, number = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return int(number) if marker == "sandbox" and number.isdigit() else None
