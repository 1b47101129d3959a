"""One open question about a service, with the two answers that the sandbox can give."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """The section is that of the service's contract."""

    id: str
    question: str
    default: str
    other: str
    section: str
