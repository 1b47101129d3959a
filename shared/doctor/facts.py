"""The facts that the vendor's pages leave open and that our code depends on, as data. Pure.

The app is right on either side of each. A fact says what it asks, both answers, which code depends on it, and how it can be
settled; where nothing but a change settles it, what a person would look for.
"""

from enum import StrEnum

import msgspec


class Way(StrEnum):
    """How a fact is settled."""

    READ = "by a read"
    VALIDATION = "by a request that is only validated"
    KEPT = "by what the deployment has done and kept"
    CHANGE = "only by a change"


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One open question. `likely`: the answer that the sources make likelier; `depends`: module and attribute.

    `look`: what settles it, or what to look for by hand. `then`: what a person has to set where the other answer holds;
    empty where the app lives with both by itself.
    """

    id: str
    question: str
    likely: str
    other: str
    depends: tuple[str, ...]
    way: Way
    look: str
    page: str
    then: str = ""


LIVES_WITH_BOTH = "cannot be settled without a change; the app lives with both answers"
