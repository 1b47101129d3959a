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

    `look`: what settles it, or what to look for by hand. `takes_app`: why the app's identity alone settles it; empty where a
    person's delegated token does, too. `then`: what a person has to set where the other answer holds; empty where the app
    lives with both by itself.
    """

    id: str
    question: str
    likely: str
    other: str
    depends: tuple[str, ...]
    way: Way
    look: str
    page: str
    takes_app: str = ""
    then: str = ""

    @property
    def as_whom(self) -> str:
        """Which identity settles it."""
        if self.way is Way.CHANGE:
            return "nobody"
        return "the app" if self.takes_app else "the app or a person"


ABOUT_APPS = "it asks what an application may, and a person may something else"
CLI_LACKS = "the Azure CLI's token for Graph lacks the scope, whatever its person may"
"""Azure/azure-cli issues 23906, 26471 and 33778: the scopes of policies and of PIM cannot be had; so it is with those of jobs
and of hunting."""

LIVES_WITH_BOTH = "cannot be settled without a change; the app lives with both answers"
